use dbjob_plan::{RunError, SortKey};
use polars::prelude::{LazyFrame, SortMultipleOptions};

use super::Step;

/// Stable; nulls last in both directions, NaN above every number.
pub(super) fn lower(step: &Step<'_>, frame: LazyFrame, keys: &[SortKey]) -> Result<LazyFrame, RunError> {
    // A key that is the same in every row sorts nothing.
    let keys: Vec<&SortKey> = keys.iter().filter(|k| !k.expr.columns().is_empty()).collect();
    if keys.is_empty() {
        return Ok(frame);
    }
    let exprs = keys.iter().map(|k| step.lower(&k.expr)).collect::<Result<Vec<_>, _>>()?;
    let options = SortMultipleOptions {
        descending: keys.iter().map(|k| k.descending).collect(),
        nulls_last: vec![true; keys.len()],
        maintain_order: true,
        ..SortMultipleOptions::default()
    };
    Ok(frame.sort_by_exprs(exprs, options))
}
