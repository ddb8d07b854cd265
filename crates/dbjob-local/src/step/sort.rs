use dbjob_plan::{DataType, ExprKind, Op, RunError, SortKey};
use polars::prelude::{Column, DataFrame, LazyFrame, OptFlags, PolarsError, PolarsResult, SortMultipleOptions};

use super::Step;
use super::packed::Packed;

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
    if let Some(names) = packable(step, &keys) {
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let by_numbers = move |table: DataFrame| packed(table, &names, &options);
        return Ok(frame.map(by_numbers, OptFlags::empty(), None, Some("sort")));
    }
    Ok(frame.sort_by_exprs(exprs, options))
}

/// The columns to sort by, if there are several and they are numbers that [`Packed`] sorts faster. Where only the first
/// rows are taken, the engine need not sort them all.
fn packable<'k>(step: &Step<'_>, keys: &[&'k SortKey]) -> Option<Vec<&'k str>> {
    let takes = |id| matches!(step.plan.node(id).op, Op::Take { .. });
    if keys.len() < 2 || step.plan.consumers(step.id).into_iter().any(takes) {
        return None;
    }
    let column = |key: &&'k SortKey| match (&key.expr.kind, &key.expr.dtype) {
        (ExprKind::Column(name), DataType::Int | DataType::Bool | DataType::Date | DataType::Datetime) => {
            Some(name.as_str())
        }
        _ => None,
    };
    keys.iter().map(column).collect()
}

/// The table sorted by columns that it has; by numbers where they fit.
pub(super) fn packed(table: DataFrame, names: &[String], options: &SortMultipleOptions) -> PolarsResult<DataFrame> {
    let wrong = |e: RunError| PolarsError::ComputeError(e.to_string().into());
    let keys = names.iter().map(|name| table.column(name).cloned()).collect::<PolarsResult<Vec<_>>>()?;
    let sorted = Packed::sorted(&[], &keys, &options.descending, table.height()).map_err(wrong)?;
    drop(keys);
    let Some(sorted) = sorted else { return table.sort(names, options.clone()) };
    let (height, is_key) =
        (table.height(), |column: &Column| names.iter().position(|name| name == column.name().as_str()));
    let rows = if table.columns().iter().all(|column| is_key(column).is_some()) { Vec::new() } else { sorted.rows() };
    let columns = table.into_columns().into_iter().map(|column| match is_key(&column) {
        Some(i) => Ok(sorted.key(i, column.dtype()).map_err(wrong)?.with_name(column.name().clone())),
        // Of one piece: among many, each row is searched for.
        None => column.rechunk().take_slice(&rows),
    });
    DataFrame::new(height, columns.collect::<PolarsResult<_>>()?)
}
