use dbjob_plan::{MapColumn, RunError, UnmapColumn};
use polars::prelude::LazyFrame;

use super::Step;
use crate::map;
use crate::udf::col;

/// All columns of one `map` statement at once; fitted states are there already.
pub(super) fn lower(step: &Step<'_>, frame: LazyFrame, columns: &[MapColumn]) -> Result<LazyFrame, RunError> {
    let exprs = columns
        .iter()
        .filter(|c| step.is_live(&c.out))
        .map(|c| {
            Ok(map::apply(col(c.column.as_str()), &c.link, step.maps, step.scope(0).reporter())?.alias(c.out.as_str()))
        })
        .collect::<Result<Vec<_>, RunError>>()
        .map_err(|e| e.or_span(step.node.span))?;
    Ok(frame.with_columns(exprs))
}

pub(super) fn lower_unmap(step: &Step<'_>, frame: LazyFrame, columns: &[UnmapColumn]) -> Result<LazyFrame, RunError> {
    let exprs = columns
        .iter()
        .filter(|c| step.is_live(&c.column))
        .map(|c| Ok(map::unmap(col(c.column.as_str()), &c.links, step.maps)?.alias(c.column.as_str())))
        .collect::<Result<Vec<_>, RunError>>()
        .map_err(|e| e.or_span(step.node.span))?;
    Ok(frame.with_columns(exprs))
}
