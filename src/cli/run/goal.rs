use dbjob_plan::{ItemKind, Plan, PlanItem};

use crate::diagnostic::{Code, Problem, near_name};

/// What of a job a command is about.
#[derive(clap::Args, Debug, Clone, Default)]
pub struct GoalArgs {
    /// Only what this module runs, and what that needs
    #[arg(long, value_name = "NAME", conflicts_with = "only")]
    module: Option<String>,
    /// Only these items, and what they need; a deployment is `deploy.NAME`
    #[arg(long, value_name = "ITEM", num_args = 1..)]
    only: Vec<String>,
}

impl GoalArgs {
    /// The names of the items; none: all of them.
    pub fn items(&self, plan: &Plan) -> Result<Vec<String>, Problem> {
        items(plan, self.module.as_deref(), &self.only)
    }
}

/// The names of the items to run; none: all of them.
fn items(plan: &Plan, module: Option<&str>, only: &[String]) -> Result<Vec<String>, Problem> {
    match module {
        Some(module) => of_module(plan, module),
        None => only.iter().map(|name| item(plan, name)).collect(),
    }
}

fn of_module(plan: &Plan, module: &str) -> Result<Vec<String>, Problem> {
    let names: Vec<String> =
        plan.items.iter().filter(|i| i.module.as_deref() == Some(module)).map(|i| i.name.clone()).collect();
    if !names.is_empty() {
        return Ok(names);
    }
    let known = plan.items.iter().filter_map(|i| i.module.as_deref());
    Err(unknown(format!("there is no module `{module}` in this job"), module, known))
}

/// `deploy.NAME` is the deployment of that name, whichever way the plan writes it.
fn item(plan: &Plan, name: &str) -> Result<String, Problem> {
    let named = |item: &&PlanItem| {
        item.name == name || (item.kind == ItemKind::Deploy && name.strip_prefix("deploy.") == Some(&item.name))
    };
    match plan.items.iter().find(named) {
        Some(item) => Ok(item.name.clone()),
        None => {
            let known = plan.items.iter().map(|i| i.name.as_str());
            Err(unknown(format!("there is no item `{name}` in this job"), name, known))
        }
    }
}

fn unknown<'a>(message: String, name: &str, known: impl Iterator<Item = &'a str>) -> Problem {
    let mut known: Vec<&str> = known.collect();
    known.dedup();
    let problem = Problem::error(Code::E0101, message);
    match near_name(name, known.iter().copied()) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None if known.is_empty() => problem,
        None => problem.help(format!("there is {}", known.join(", "))),
    }
}
