use std::sync::Arc;

use dbjob_plan::RunError;
use polars::prelude::{Column, DataFrame, IdxCa, IdxSize, LazyFrame, OptFlags, PolarsResult, Schema};

use super::Step;
use crate::expr::Reporter;
use crate::list::Lists;
use crate::types::polars_type;

/// For each row one row an item; a null or empty list gives one row with null.
pub(super) fn lower(step: &Step<'_>, frame: LazyFrame, lists: &[String]) -> Result<LazyFrame, RunError> {
    let mut out = Schema::default();
    for field in &step.node.schema.fields {
        if step.is_live(&field.name) || lists.contains(&field.name) {
            out.with_column(field.name.as_str().into(), polars_type(&field.dtype));
        }
    }
    let out = Arc::new(out);
    let (lists, target, reporter) = (lists.to_vec(), out.clone(), step.scope(0).reporter());
    let explode = move |batch: DataFrame| explode(&batch, &lists, &target, &reporter);
    Ok(frame.map(explode, OptFlags::STREAMING, Some(Arc::new(move |_: &Schema| Ok(out.clone()))), Some("explode")))
}

fn explode(batch: &DataFrame, names: &[String], out: &Schema, reporter: &Reporter) -> PolarsResult<DataFrame> {
    let lists: Vec<Lists> = names.iter().map(|n| Lists::of(batch.column(n)?)).collect::<PolarsResult<_>>()?;
    let length = |list: &Lists, row: usize| list.places[row].map_or(0, |(_, n)| n);
    let mut repeated: Vec<IdxSize> = Vec::new();
    let mut picked: Vec<Vec<Option<IdxSize>>> = vec![Vec::new(); lists.len()];
    for row in 0..batch.height() {
        let n = length(&lists[0], row);
        if let Some(other) = (1..lists.len()).find(|i| length(&lists[*i], row) != n) {
            let found = length(&lists[other], row);
            let message = format!("`{}` has {n} items and `{}` has {found}", names[0], names[other]);
            return Err(reporter.fail("E0720", message, Some(format!("{n} and {found}"))));
        }
        for i in 0..n.max(1) {
            repeated.push(row as IdxSize);
            for (list, places) in lists.iter().zip(&mut picked) {
                places.push(list.places[row].filter(|_| n > 0).map(|(start, _)| (start + i) as IdxSize));
            }
        }
    }
    let rows = repeated.len();
    let repeated = IdxCa::from_vec("".into(), repeated);
    let mut items: Vec<(&String, Column)> = Vec::with_capacity(lists.len());
    for ((name, list), places) in names.iter().zip(&lists).zip(picked) {
        items.push((name, list.picked(places)?));
    }
    let mut columns: Vec<Column> = Vec::with_capacity(out.len());
    for (name, dtype) in out.iter() {
        let column = match items.iter().find(|(n, _)| *n == name.as_str()) {
            Some((_, items)) => items.cast(dtype)?,
            None => batch.column(name)?.take(&repeated)?,
        };
        columns.push(column.with_name(name.clone()));
    }
    DataFrame::new(rows, columns)
}
