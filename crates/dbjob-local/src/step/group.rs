use dbjob_plan::{NamedExpr, RunError};
use polars::prelude::LazyFrame;

use super::Step;
use super::aggregated::Aggregated;
use crate::udf::col;

/// Null is a group of its own. The groups come in the order of their first rows only if something depends on order.
pub(super) fn lower(
    step: &Step<'_>,
    mut frame: LazyFrame,
    keys: &[NamedExpr],
    aggregates: &[NamedExpr],
    ordered: bool,
) -> Result<LazyFrame, RunError> {
    let mut live: Vec<&NamedExpr> = aggregates.iter().filter(|a| step.is_live(&a.name)).collect();
    if live.is_empty() && keys.is_empty() {
        live.extend(aggregates.first());
    }
    let mut aggregated = Aggregated::new(step, step.scope(0));
    for aggregate in &live {
        aggregated.add(&aggregate.expr, &[(aggregate.name.clone(), None)])?;
    }
    if keys.is_empty() {
        return Ok(aggregated.of_all(frame));
    }
    let mut key_exprs = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        let mut expr = step.lower(&key.expr)?;
        if key.expr.columns().is_empty() {
            // A single value is as long as the table only if it stands in it: a table may have no rows.
            let constant = format!("__key{index}");
            frame = frame.with_columns([expr.alias(constant.as_str())]);
            expr = col(constant);
        }
        key_exprs.push(expr.alias(key.name.as_str()));
    }
    let types: Vec<_> = keys.iter().map(|key| (key.name.clone(), key.expr.dtype.clone())).collect();
    let names: Vec<String> = keys.iter().chain(live).map(|column| column.name.clone()).collect();
    aggregated.by(frame, (&key_exprs, &types), ordered, &names)
}
