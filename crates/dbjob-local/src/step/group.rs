use dbjob_plan::{NamedExpr, RunError};
use polars::prelude::{Expr, LazyFrame};

use super::Step;

/// Null is a group of its own. The groups come in the order of their first rows only if something depends on order.
pub(super) fn lower(
    step: &Step<'_>,
    frame: LazyFrame,
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
    Ok(if keys.is_empty() {
        frame.select(aggregates)
    } else if ordered {
        frame.group_by_stable(named(keys)?).agg(aggregates)
    } else {
        frame.group_by(named(keys)?).agg(aggregates)
    })
}
