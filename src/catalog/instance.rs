//! Instances by the names that cloud catalogs give them. An instance name stands for its cores and memory.

/// A machine type.
#[derive(Debug, Clone, Copy)]
pub struct Instance {
    pub name: &'static str,
    pub cores: u32,
    /// GiB.
    pub memory: u32,
    /// The smallest node type of Databricks on AWS that holds as much.
    pub node_type: &'static str,
}

const fn instance(name: &'static str, cores: u32, memory: u32, node_type: &'static str) -> Instance {
    Instance { name, cores, memory, node_type }
}

pub const INSTANCES: &[Instance] = &[
    instance("ml.t2.medium", 2, 4, "m5.large"),
    instance("ml.t2.large", 2, 8, "m5.large"),
    instance("ml.t2.xlarge", 4, 16, "m5.xlarge"),
    instance("ml.t2.2xlarge", 8, 32, "m5.2xlarge"),
    instance("ml.t3.medium", 2, 4, "m5.large"),
    instance("ml.t3.large", 2, 8, "m5.large"),
    instance("ml.t3.xlarge", 4, 16, "m5.xlarge"),
    instance("ml.t3.2xlarge", 8, 32, "m5.2xlarge"),
    instance("ml.m5.large", 2, 8, "m5.large"),
    instance("ml.m5.xlarge", 4, 16, "m5.xlarge"),
    instance("ml.m5.2xlarge", 8, 32, "m5.2xlarge"),
    instance("ml.m5.4xlarge", 16, 64, "m5.4xlarge"),
    instance("ml.m5.12xlarge", 48, 192, "m5.12xlarge"),
    instance("ml.m5.24xlarge", 96, 384, "m5.24xlarge"),
    instance("ml.c5.large", 2, 4, "m5.large"),
    instance("ml.c5.xlarge", 4, 8, "c5.xlarge"),
    instance("ml.c5.2xlarge", 8, 16, "c5.2xlarge"),
    instance("ml.c5.4xlarge", 16, 32, "c5.4xlarge"),
    instance("ml.c5.9xlarge", 36, 72, "c5.9xlarge"),
    instance("ml.c5.18xlarge", 72, 144, "m5.24xlarge"),
    instance("ml.r5.large", 2, 16, "r5.large"),
    instance("ml.r5.xlarge", 4, 32, "r5.xlarge"),
    instance("ml.r5.2xlarge", 8, 64, "r5.2xlarge"),
    instance("ml.r5.4xlarge", 16, 128, "r5.4xlarge"),
    instance("ml.r5.12xlarge", 48, 384, "r5.12xlarge"),
    instance("ml.r5.24xlarge", 96, 768, "r5.24xlarge"),
];

pub fn find(name: &str) -> Option<&'static Instance> {
    INSTANCES.iter().find(|i| i.name == name)
}

/// Whether it says that there is no accelerator: `"ml.t2.off"`, of any family.
pub fn is_off(name: &str) -> bool {
    let family = name.strip_suffix(".off");
    family.is_some_and(|f| INSTANCES.iter().any(|i| i.name.rsplit_once('.').is_some_and(|(family, _)| family == f)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_families_have_an_off() {
        let names: std::collections::BTreeSet<&str> = INSTANCES.iter().map(|i| i.name).collect();
        assert_eq!(names.len(), INSTANCES.len());
        assert!(is_off("ml.t2.off") && is_off("ml.m5.off") && !is_off("ml.x9.off") && !is_off("ml.t2.medium"));
    }
}
