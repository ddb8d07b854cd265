//! `asof join`: both sides are sorted into one sequence, along which each left row takes the last right row before it.

use dbjob_plan::{Asof, Join, RunError};
use polars::prelude::{Column, DataFrame, IdxCa, IdxSize, PolarsResult, SortMultipleOptions};

use super::join::{right_key, right_time};
use super::window::{differs, micros};
use crate::fault::engine_error;

/// `left` with the columns of `right`, a [`super::join::right_side`]; rows in left order.
pub(crate) fn join(join: &Join, asof: &Asof, left: &DataFrame, right: &DataFrame) -> Result<DataFrame, RunError> {
    let matches = matches(join, asof, left, right)?;
    let mut table = left.clone();
    for column in right.columns() {
        let name = column.name().as_str();
        if name != right_time() && !(0..join.on.len()).any(|i| name == right_key(i)) {
            table.with_column(column.take(&matches).map_err(engine_error)?).map_err(engine_error)?;
        }
    }
    Ok(table)
}

/// The right row of each left one.
fn matches(join: &Join, asof: &Asof, left: &DataFrame, right: &DataFrame) -> Result<IdxCa, RunError> {
    // At one time, the side that comes first is seen by the other: the right one, unless it must lie before.
    let (of_left, of_right) = if asof.strict { (0, 1) } else { (1, 0) };
    let left_names = join.on.iter().map(|(l, _)| l.clone()).chain([asof.left.clone()]);
    let right_names = (0..join.on.len()).map(right_key).chain([right_time()]);
    let sorted = side(left, left_names, of_left)
        .and_then(|left| left.vstack(&side(right, right_names, of_right)?))
        .and_then(|both| both.sort(both.get_column_names_owned(), SortMultipleOptions::default()))
        .map_err(engine_error)?;
    let [keys @ .., time, sides, rows] = sorted.columns() else { unreachable!("`side` gave these columns") };
    let begins = differs(keys, sorted.height())?;
    let times = micros(time)?.unwrap_or_default();
    let sides = sides.i64().map_err(engine_error)?;
    let rows = rows.idx().map_err(engine_error)?;
    let mut found: Vec<Option<IdxSize>> = vec![None; left.height()];
    let mut last: Option<(IdxSize, i64)> = None;
    for (at, (side, row)) in sides.iter().zip(rows.iter()).enumerate() {
        let (Some(row), Some(time)) = (row, times[at]) else { continue };
        if begins[at] {
            last = None;
        }
        if side == Some(of_right) {
            last = Some((row, time));
        } else {
            let near = |then: i64| asof.within.is_none_or(|w| i128::from(time) - i128::from(then) <= i128::from(w));
            found[row as usize] = last.filter(|(_, then)| near(*then)).map(|(row, _)| row);
        }
    }
    Ok(found.into_iter().collect())
}

/// The keys and the time of the rows that have all of them, under common names, with the side and the row.
fn side(table: &DataFrame, names: impl Iterator<Item = String>, side: i64) -> PolarsResult<DataFrame> {
    let mut columns = Vec::new();
    for (i, name) in names.enumerate() {
        columns.push(table.column(&name)?.clone().with_name(format!("__key_{i}").into()));
    }
    columns.push(Column::new("__side".into(), vec![side; table.height()]));
    columns.push(Column::new("__row".into(), (0..table.height() as IdxSize).collect::<Vec<_>>()));
    DataFrame::new(table.height(), columns)?.drop_nulls::<String>(None)
}
