use std::collections::BTreeSet;

use dbjob_plan::{DataType, Field, Keep, RunError, Schema, SortKey};
use polars::prelude::{LazyFrame, UniqueKeepStrategy};

use super::{Step, sort};
use crate::fault::engine_error;
use crate::udf::{col, hashable, without_beside};

/// Whether rows with one key are the same row to all that reads them, so that where order is nothing any of them may stay.
/// Floats that are equal need not be the same: there is a zero with a sign.
pub(crate) fn any_row_will_do(schema: &Schema, by: &[String], live: &BTreeSet<String>) -> bool {
    let is_key = |field: &Field| if by.is_empty() { !field.hidden } else { by.contains(&field.name) };
    let exact = |field: &Field| is_key(field) && field.dtype.is_comparable() && field.dtype != DataType::Float;
    schema.open.is_empty() && live.iter().all(|name| schema.get(name).is_some_and(exact))
}

/// The first or last row of each combination, in `order` if there is one, else in row order; where nothing depends on the
/// order of rows (`ordered`), any row if they are all alike. Null equals null.
pub(super) fn lower(
    step: &Step<'_>,
    mut frame: LazyFrame,
    by: &[String],
    keep: Keep,
    order: &[SortKey],
    ordered: bool,
) -> Result<LazyFrame, RunError> {
    let any = !ordered && step.live.is_some_and(|live| any_row_will_do(&step.node.schema, by, live));
    if !any && !order.is_empty() {
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
    let unique = match any {
        true => frame.unique_generic(Some(keys.clone()), UniqueKeepStrategy::Any),
        false => frame.unique_stable_generic(Some(keys.clone()), keep),
    };
    Ok(without_beside(unique, &keys))
}
