use dbjob_plan::{MapColumn, RunError, UnmapColumn};
use polars::prelude::{self as pl, LazyFrame};

use super::Step;
use crate::map::{self, Applying};
use crate::udf::col;

/// The number of a row of the table that is mapped, as long as it is needed.
const ROW: &str = "__map_row";

/// All columns of one `map` statement at once; fitted states are there already.
pub(super) fn lower(step: &Step<'_>, frame: LazyFrame, columns: &[MapColumn]) -> Result<LazyFrame, RunError> {
    let live: Vec<&MapColumn> = columns.iter().filter(|c| step.is_live(&c.out)).collect();
    let cx = Applying {
        scope: step.scope(0),
        states: step.maps,
        schema: step.input_schema(0),
        seed: step.plan.seed,
        row: ROW,
    };
    let exprs = live
        .iter()
        .map(|c| Ok(map::apply(c, &cx)?.alias(c.out.as_str())))
        .collect::<Result<Vec<_>, RunError>>()
        .map_err(|e| e.or_span(step.node.span))?;
    let by_row = live.iter().any(|c| c.out_of_fold.as_ref().is_some_and(|o| o.key.columns.is_empty()));
    if !by_row {
        return Ok(frame.with_columns(exprs));
    }
    Ok(frame.with_row_index(ROW, None).with_columns(exprs).drop(pl::by_name([ROW], true, false)))
}

pub(super) fn lower_unmap(step: &Step<'_>, frame: LazyFrame, columns: &[UnmapColumn]) -> Result<LazyFrame, RunError> {
    let exprs = columns
        .iter()
        .filter(|c| step.is_live(&c.column))
        .map(|c| {
            let undone = map::unmap(col(c.column.as_str()), &c.links, step.maps, true, &step.scope(0))?;
            Ok(undone.alias(c.column.as_str()))
        })
        .collect::<Result<Vec<_>, RunError>>()
        .map_err(|e| e.or_span(step.node.span))?;
    Ok(frame.with_columns(exprs))
}
