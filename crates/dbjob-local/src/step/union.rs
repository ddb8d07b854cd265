use dbjob_plan::{Field, RunError};
use polars::prelude::{Expr, LazyFrame, UnionArgs, concat};

use super::Step;
use crate::fault::engine_error;
use crate::types::polars_type;
use crate::udf::col;

/// By column name: every input takes the column order of the result, and its types: an int beside a float is one.
pub(super) fn lower(step: &Step<'_>, inputs: Vec<LazyFrame>) -> Result<LazyFrame, RunError> {
    let schema = &step.node.schema;
    let column = |f: &Field| col(f.name.as_str()).cast(polars_type(&f.dtype));
    let mut columns: Vec<Expr> = schema.fields.iter().filter(|f| step.is_live(&f.name)).map(column).collect();
    if columns.is_empty() {
        // A table without columns has no rows to count.
        columns.extend(schema.fields.first().map(column));
    }
    if !schema.open.is_empty()
        && let Some(first) = inputs.first()
    {
        let names = first.clone().collect_schema().map_err(engine_error)?;
        let open =
            names.iter_names().filter(|n| schema.get(n).is_none() && schema.open.iter().any(|p| n.starts_with(p)));
        columns.extend(open.map(|n| col(n.clone())));
    }
    let frames: Vec<LazyFrame> = inputs.into_iter().map(|f| f.select(columns.clone())).collect();
    concat(frames, UnionArgs::default()).map_err(engine_error)
}
