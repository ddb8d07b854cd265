use std::sync::Arc;

use dbjob_plan::{RunError, Unpivot};
use polars::prelude::{
    Column, DataFrame, IdxCa, IdxSize, IntoColumn, LazyFrame, OptFlags, PolarsResult, Schema, StringChunked,
};

use super::Step;
use crate::types::polars_type;

/// For each row its columns one after the other.
pub(super) fn lower(step: &Step<'_>, frame: LazyFrame, unpivot: &Unpivot) -> Result<LazyFrame, RunError> {
    let schema = &step.node.schema;
    let mut out = Schema::default();
    let live = |name: &str| step.is_live(name) || (name == unpivot.value && step.live.is_some_and(|l| l.is_empty()));
    for field in schema.fields.iter().filter(|f| live(&f.name)) {
        out.with_column(field.name.as_str().into(), polars_type(&field.dtype));
    }
    let out = Arc::new(out);
    let (unpivot, target) = (unpivot.clone(), out.clone());
    let melt = move |batch: DataFrame| melt(&batch, &unpivot, &target);
    Ok(frame.map(melt, OptFlags::STREAMING, Some(Arc::new(move |_: &Schema| Ok(out.clone()))), Some("unpivot")))
}

fn melt(batch: &DataFrame, unpivot: &Unpivot, out: &Schema) -> PolarsResult<DataFrame> {
    let (rows, width) = (batch.height(), unpivot.columns.len());
    let mut columns: Vec<Column> = Vec::with_capacity(out.len());
    for (name, dtype) in out.iter() {
        let column = if *name == unpivot.name.as_str() {
            let names = (0..rows).flat_map(|_| unpivot.columns.iter().map(|c| Some(c.as_str())));
            names.collect::<StringChunked>().into_column()
        } else if *name == unpivot.value.as_str() {
            let mut all = batch.column(&unpivot.columns[0])?.cast(dtype)?.take_materialized_series();
            for other in &unpivot.columns[1..] {
                all.append(batch.column(other)?.cast(dtype)?.as_materialized_series())?;
            }
            let order = (0..rows).flat_map(|row| (0..width).map(move |i| (i * rows + row) as IdxSize)).collect();
            all.take(&IdxCa::from_vec("".into(), order))?.into_column()
        } else {
            let order = (0..rows).flat_map(|row| std::iter::repeat_n(row as IdxSize, width)).collect();
            batch.column(name)?.take(&IdxCa::from_vec("".into(), order))?
        };
        columns.push(column.with_name(name.clone()));
    }
    DataFrame::new(rows * width, columns)
}
