use std::collections::BTreeSet;

use dbjob_plan::RunError;
use dbjob_runtime::state::History;
use dbjob_runtime::{Cause, Story};
use serde::Serialize;

use super::Whole;

/// How one run differs from another.
#[derive(Debug, Serialize)]
pub struct Comparison {
    pub a: Whole,
    pub b: Whole,
    /// What is different in the job and its data.
    pub causes: Vec<Cause>,
    /// The items whose results are made of other things.
    pub changed: Vec<String>,
}

/// Compares two runs.
///
/// Errors: E0753 when there is none of such a number.
pub fn differences(history: &History, a: i64, b: i64) -> Result<Comparison, RunError> {
    let (whole_a, whole_b) = (Whole::of(history, a)?, Whole::of(history, b)?);
    let story = |run: i64| Story::of_run(history, run).unwrap_or_default();
    let (before, after) = (story(a), story(b));
    let mut causes: Vec<Cause> = Vec::new();
    let mut changed = Vec::new();
    let names: BTreeSet<&String> = before.items.keys().chain(after.items.keys()).collect();
    for name in names {
        for cause in after.causes(&before, name) {
            if !causes.contains(&cause) {
                causes.push(cause);
            }
        }
        let key = |story: &Story| story.items.get(name).and_then(|item| item.key);
        if key(&before) != key(&after) {
            changed.push(name.clone());
        }
    }
    Ok(Comparison { a: whole_a, b: whole_b, causes, changed })
}
