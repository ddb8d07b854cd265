//! What comes from outside is there before anything runs.

use dbjob_plan::{Op, Outside, Plan, RunError, Target};

use super::known::Known;
use crate::fetch::database::place;

/// Looks up every `env` and `secret` of the nodes that a run computes.
///
/// Errors: E0737.
pub(super) fn check(plan: &Plan, known: &Known) -> Result<(), RunError> {
    for id in &known.computed {
        let node = plan.node(*id);
        let outside: Vec<&Outside> = match &node.op {
            Op::Read(source) => source.outside.iter().collect(),
            Op::Deploy(Target::Service(service)) => service.outside.values().collect(),
            _ => Vec::new(),
        };
        for outside in outside {
            place("", Some(outside)).map_err(|e| e.or_span(node.span))?;
        }
    }
    Ok(())
}
