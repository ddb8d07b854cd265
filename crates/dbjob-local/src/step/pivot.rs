use dbjob_plan::{Pivot, RunError, Value};
use polars::prelude::{self as pl, Expr, LazyFrame};

use super::Step;
use crate::fault::engine_error;
use crate::types::literal;
use crate::udf::{col, hashable};

/// A group in which each aggregate looks once at the rows of each value. The groups come in the order of their first rows
/// only if something depends on order.
pub(super) fn lower(step: &Step<'_>, frame: LazyFrame, pivot: &Pivot, ordered: bool) -> Result<LazyFrame, RunError> {
    let dtype = step.input_schema(0).get(&pivot.column).map_or(dbjob_plan::DataType::Unknown, |f| f.dtype.clone());
    let (mut aggregates, mut made): (Vec<Expr>, Vec<String>) = (Vec::new(), Vec::new());
    for aggregate in &pivot.aggregates {
        for value in &pivot.values {
            let name = format!("{}_{}", aggregate.name, value.name);
            if !step.is_live(&name) && !(pivot.keys.is_empty() && aggregates.is_empty()) {
                continue;
            }
            let here = match &value.value {
                Value::Null => col(&pivot.column).is_null(),
                value => col(&pivot.column).eq(literal(value, &dtype)).fill_null(pl::lit(false)),
            };
            let expr = crate::expr::lower(&aggregate.expr, &step.scope(0).only(here));
            aggregates.push(expr.map_err(|e| e.or_span(step.node.span))?.alias(name.as_str()));
            made.push(name);
        }
    }
    if pivot.keys.is_empty() {
        return Ok(frame.select(aggregates));
    }
    let keys: Vec<Expr> = pivot.keys.iter().map(col).collect();
    let (frame, keys) = hashable(frame, keys).map_err(engine_error)?;
    let grouped = if ordered { frame.group_by_stable(keys) } else { frame.group_by(keys) };
    // The part of the split is a key that stands last.
    let columns = step.node.schema.fields.iter().filter(|f| pivot.keys.contains(&f.name) || made.contains(&f.name));
    let columns: Vec<Expr> = columns.map(|f| col(&f.name)).collect();
    Ok(grouped.agg(aggregates).select(columns))
}
