use dbjob_plan::{Projection, RunError};
use polars::prelude::{Expr, LazyFrame};

use super::Step;
use crate::fault::engine_error;
use crate::udf::col;

pub(super) fn lower(step: &Step<'_>, mut frame: LazyFrame, columns: &[Projection]) -> Result<LazyFrame, RunError> {
    let mut exprs: Vec<Expr> = columns
        .iter()
        .filter(|p| step.is_live(&p.to))
        .map(|p| if p.from == p.to { col(&p.from) } else { col(&p.from).alias(p.to.as_str()) })
        .collect();
    if exprs.is_empty() {
        // A table without columns has no rows to count.
        exprs.extend(columns.first().map(|p| col(&p.from).alias(p.to.as_str())));
    }
    let open = &step.input_schema(0).open;
    if !open.is_empty() {
        // Columns that only the data know ride along.
        let known = step.input_schema(0);
        let names = frame.collect_schema().map_err(engine_error)?;
        for name in names.iter_names().filter(|n| known.get(n).is_none() && open.iter().any(|p| n.starts_with(p))) {
            exprs.push(col(name.clone()));
        }
    }
    Ok(frame.select(exprs))
}
