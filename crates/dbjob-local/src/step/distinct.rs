use dbjob_plan::{Keep, RunError, SortKey};
use polars::prelude::{LazyFrame, UniqueKeepStrategy};

use super::{Step, sort};
use crate::fault::engine_error;
use crate::udf::{col, hashable, without_beside};

/// The first or last row of each combination, in `order` if there is one, else in row order. Null equals null.
pub(super) fn lower(
    step: &Step<'_>,
    mut frame: LazyFrame,
    by: &[String],
    keep: Keep,
    order: &[SortKey],
) -> Result<LazyFrame, RunError> {
    if !order.is_empty() {
        frame = sort::lower(step, frame, order)?;
    }
    let visible: Vec<&str> = match by {
        [] => step.node.schema.visible().map(|f| f.name.as_str()).collect(),
        some => some.iter().map(String::as_str).collect(),
    };
    let keep = match keep {
        Keep::First => UniqueKeepStrategy::First,
        Keep::Last => UniqueKeepStrategy::Last,
    };
    let (frame, keys) = hashable(frame, visible.into_iter().map(col).collect()).map_err(engine_error)?;
    Ok(without_beside(frame.unique_stable_generic(Some(keys.clone()), keep), &keys))
}
