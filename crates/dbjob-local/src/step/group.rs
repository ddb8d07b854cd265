use dbjob_plan::{NamedExpr, RunError};
use polars::prelude::{Expr, LazyFrame};

use super::Step;
use crate::fault::engine_error;
use crate::udf::{col, hashable, without_beside};

/// Null is a group of its own. The groups come in the order of their first rows only if something depends on order.
pub(super) fn lower(
    step: &Step<'_>,
    mut frame: LazyFrame,
    keys: &[NamedExpr],
    aggregates: &[NamedExpr],
    ordered: bool,
) -> Result<LazyFrame, RunError> {
    let named = |columns: &[NamedExpr]| -> Result<Vec<Expr>, RunError> {
        columns.iter().map(|c| Ok(step.lower(&c.expr)?.alias(c.name.as_str()))).collect()
    };
    let mut live: Vec<NamedExpr> = aggregates.iter().filter(|a| step.is_live(&a.name)).cloned().collect();
    if live.is_empty() && keys.is_empty() {
        live.extend(aggregates.first().cloned());
    }
    let aggregates = named(&live)?;
    if keys.is_empty() {
        return Ok(frame.select(aggregates));
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
    let (frame, key_exprs) = hashable(frame, key_exprs).map_err(engine_error)?;
    let grouped = if ordered { frame.group_by_stable(&key_exprs) } else { frame.group_by(&key_exprs) };
    Ok(without_beside(grouped.agg(aggregates), &key_exprs))
}
