//! The settings of `job`, `model`, `module` and `cluster`.

use super::options::OptionType;

/// `name = value`, or `name { … }`.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    pub name: &'static str,
    pub ty: SettingType,
    pub doc: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SettingType {
    Value(OptionType),
    /// A name or a list of names; the words say of what.
    Names(&'static str),
    /// Settings in braces.
    Block(&'static [Setting]),
    /// In braces: environment variables, each with a text, `unset` or `pass`.
    Environment,
    /// In braces: names of another program's choice, each with a text, number or bool.
    Properties,
}

impl PartialEq for Setting {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// What carries work out.
#[derive(Debug, Clone, Copy)]
pub struct Engine {
    pub name: &'static str,
    pub settings: &'static [Setting],
    pub doc: &'static str,
}

const fn value(name: &'static str, ty: OptionType, doc: &'static str) -> Setting {
    Setting { name, ty: SettingType::Value(ty), doc }
}

const fn names(name: &'static str, of: &'static str, doc: &'static str) -> Setting {
    Setting { name, ty: SettingType::Names(of), doc }
}

const COUNT: OptionType = OptionType::Int { min: 1, max: u32::MAX as i64 };
const SHARE: OptionType = OptionType::Float { min: 0.0, max: 0.9999, above: true };
const RETRIES: OptionType = OptionType::Int { min: 0, max: 1000 };

pub const JOB: &[Setting] = &[
    value("run_time", OptionType::Duration, "The limit on the whole run"),
    value("seed", OptionType::Int { min: i64::MIN, max: i64::MAX }, "The seed of splits and fits"),
    names("cluster", "a cluster", "Where work runs that no module places"),
    value("retries", RETRIES, "How often a failed node is tried again"),
    Setting { name: "environment", ty: SettingType::Environment, doc: "What processes of the job see" },
];

/// Those that have one value; `threshold` has a form of its own.
pub const MODEL: &[Setting] = &[
    value(
        "calibrate",
        OptionType::Word(&["sigmoid", "isotonic"]),
        "How probabilities are put right, by rows that the model has not learned from",
    ),
    value("conformal", SHARE, "How much of the truth lies in the interval of a predicted number"),
    value("intervals", SHARE, "How much of the bootstrap's values the interval of each metric covers"),
];

pub const MODULE: &[Setting] = &[
    names("runs", "a node or a list of nodes, `deploy.NAME` for deployments", "What it groups"),
    names("after", "a module or a list of modules", "The modules that must have run before"),
    names("role", "a name like worker", "The name under which its workers run"),
    names("cluster", "a cluster", "Where it runs"),
    value("replicas", COUNT, "Number of workers"),
    value("resources", COUNT, "Cores of a worker"),
    value("memory", OptionType::Size, "Memory of a worker"),
    value("time", OptionType::Duration, "Its limit; what is finished then is kept"),
    value("interval", OptionType::Duration, "How often an iterative fit keeps a checkpoint"),
    value("retries", RETRIES, "How often a failed node is tried again"),
    Setting { name: "element_spec", ty: SettingType::Block(ELEMENT_SPEC), doc: "The machine of a worker" },
];

pub const ELEMENT_SPEC: &[Setting] = &[
    value("input_config", OptionType::Text, "The name of an instance; it stands for its cores and memory"),
    value("accelerator", OptionType::Word(&["off", "auto"]), "Whether a GPU is used where there is one"),
];

pub const ENGINES: &[Engine] = &[
    Engine {
        name: "local",
        settings: &[value("threads", COUNT, "Cores to use"), value("memory", OptionType::Size, "Memory to use")],
        doc: "This machine",
    },
    Engine {
        name: "spark",
        settings: &[
            value("master", OptionType::Text, "The address of the cluster"),
            value("executors", COUNT, "Number of executors"),
            Setting { name: "conf", ty: SettingType::Properties, doc: "Properties of Spark" },
        ],
        doc: "A Spark cluster",
    },
    Engine {
        name: "databricks",
        settings: &[
            value("host", OptionType::Text, "The address of the workspace"),
            value("node_type", OptionType::Text, "The type of its nodes"),
            value("workers", COUNT, "Number of workers"),
        ],
        doc: "A Databricks workspace",
    },
];

/// `engine = …`, which every cluster has.
pub const ENGINE: Setting =
    value("engine", OptionType::Word(&["local", "spark", "databricks"]), "What carries work out");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_engine_can_be_chosen() {
        let names: Vec<&str> = ENGINES.iter().map(|e| e.name).collect();
        assert_eq!(ENGINE.ty, SettingType::Value(OptionType::Word(&["local", "spark", "databricks"])));
        assert_eq!(names, ["local", "spark", "databricks"]);
    }
}
