use dbjob_plan::{ItemKind, Plan, PlanItem};

use crate::diagnostic::{Code, Problem, near_name};

/// The names of the items to run; none: all of them.
pub fn items(plan: &Plan, module: Option<&str>, only: &[String]) -> Result<Vec<String>, Problem> {
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
