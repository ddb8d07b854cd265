use dbjob_plan::{Pivot, RunError, Value};
use polars::prelude::{self as pl, Expr, LazyFrame};

use super::Step;
use super::aggregated::Aggregated;
use crate::types::literal;
use crate::udf::col;

/// Says of a row whether it has the pivot's value of that number.
const HERE: &str = "__here_";

/// A group in which each aggregate looks once at the rows of each value. The groups come in the order of their first rows
/// only if something depends on order.
pub(super) fn lower(step: &Step<'_>, frame: LazyFrame, pivot: &Pivot, ordered: bool) -> Result<LazyFrame, RunError> {
    let dtype = step.input_schema(0).get(&pivot.column).map_or(dbjob_plan::DataType::Unknown, |f| f.dtype.clone());
    let here: Vec<Expr> = (pivot.values.iter().enumerate())
        .map(|(index, value)| {
            let here = match &value.value {
                Value::Null => col(&pivot.column).is_null(),
                value => col(&pivot.column).eq(literal(value, &dtype)).fill_null(pl::lit(false)),
            };
            here.alias(format!("{HERE}{index}"))
        })
        .collect();
    let names: Vec<String> = (0..here.len()).map(|index| format!("{HERE}{index}")).collect();
    let frame = frame.with_columns(here);
    // Rows of other values are not looked at, so that nothing in them can fail.
    let wanted = names.iter().map(col).reduce(Expr::or);
    let scope = step.scope(0);
    let mut aggregated = Aggregated::new(step, wanted.map_or(scope.clone(), |wanted| scope.under(wanted)));
    let mut made: Vec<String> = Vec::new();
    for aggregate in &pivot.aggregates {
        let mut columns: Vec<(String, Option<&str>)> = Vec::new();
        for (value, here) in pivot.values.iter().zip(&names) {
            let name = format!("{}_{}", aggregate.name, value.name);
            if step.is_live(&name) || pivot.keys.is_empty() && made.is_empty() {
                made.push(name.clone());
                columns.push((name, Some(here)));
            }
        }
        aggregated.add(&aggregate.expr, &columns)?;
    }
    if pivot.keys.is_empty() {
        return Ok(aggregated.of_all(frame));
    }
    let input = step.input_schema(0);
    let types = pivot.keys.iter().filter_map(|key| input.get(key)).map(|f| (f.name.clone(), f.dtype.clone()));
    let types: Vec<_> = types.collect();
    let keys: Vec<Expr> = pivot.keys.iter().map(col).collect();
    // The part of the split is a key that stands last.
    let columns = step.node.schema.fields.iter().filter(|f| pivot.keys.contains(&f.name) || made.contains(&f.name));
    let columns: Vec<String> = columns.map(|f| f.name.clone()).collect();
    aggregated.by(frame, (&keys, &types), ordered, &columns)
}
