//! The rows of a table in the order of a window: partition after partition.

use std::ops::Range;

use dbjob_plan::{RunError, SortKey};
use polars::prelude::{ChunkCompareEq, Column, DataFrame, DataType, IdxSize, SortMultipleOptions};

use super::super::packed::Packed;
use crate::fault::engine_error;

const ROW: &str = "__row";

/// So many positions a part has, and then all of its last partition: what is computed of a part stays near to its core. It
/// must not follow from the number of threads, so that results do not. In the tests of this crate parts are small.
const PART: usize = if cfg!(test) { 4 } else { 1 << 14 };

pub(super) struct Layout {
    /// The row of each position.
    pub rows: Vec<IdxSize>,
    /// Whether a position begins a partition; what it says of the first does not count.
    pub begins: Vec<bool>,
    /// Whether a position has other order keys than the one before it, or another partition.
    pub fresh: Vec<bool>,
    /// The first order key by row, if frames go by time.
    pub time: Option<Column>,
    pub descending: bool,
}

impl Layout {
    /// `by` and `order` are columns over all rows; `keys` says which way each of `order` goes. `timed`: some frame goes by
    /// time.
    pub fn new(
        by: Vec<Column>,
        order: Vec<Column>,
        keys: &[SortKey],
        height: usize,
        timed: bool,
    ) -> Result<Self, RunError> {
        let descending = keys.first().is_some_and(|k| k.descending);
        let time = order.first().filter(|_| timed).map(Column::rechunk);
        let directions: Vec<bool> = keys.iter().map(|k| k.descending).collect();
        let (rows, begins, mut fresh) = match Packed::sorted(&by, &order, &directions, height)? {
            Some(packed) => (packed.rows(), packed.begins(), packed.fresh()),
            None => sort(by, order, keys, height)?,
        };
        fresh.iter_mut().zip(&begins).for_each(|(fresh, begins)| *fresh |= begins);
        Ok(Self { rows, begins, fresh, time, descending })
    }

    /// The positions, cut into parts that hold whole partitions.
    pub fn parts(&self) -> Vec<Range<usize>> {
        let height = self.rows.len();
        let (mut parts, mut from) = (Vec::new(), 0);
        while from < height {
            let to = (from + PART..height).find(|at| self.begins[*at]).unwrap_or(height);
            parts.push(from..to);
            from = to;
        }
        parts
    }
}

/// The row of each position, whether it begins a partition, and whether it has other keys of the order than the one before.
type Sorted = (Vec<IdxSize>, Vec<bool>, Vec<bool>);

/// Rows sorted by keys of any type.
fn sort(by: Vec<Column>, order: Vec<Column>, keys: &[SortKey], height: usize) -> Result<Sorted, RunError> {
    let count = by.len();
    let named = by.into_iter().chain(order).enumerate().map(|(i, c)| c.with_name(format!("__{i}").into()));
    let mut columns: Vec<Column> = named.collect();
    let names: Vec<String> = columns.iter().map(|c| c.name().to_string()).chain([ROW.to_owned()]).collect();
    let row_numbers: Vec<IdxSize> = (0..height as IdxSize).collect();
    columns.push(Column::new(ROW.into(), row_numbers));
    let mut sorted = DataFrame::new(height, columns).map_err(engine_error)?;
    if names.len() > 1 {
        // With the row number among the keys no two rows are equal, so the order is one whatever the engine's sort does.
        let directions = keys.iter().map(|k| k.descending);
        let options = SortMultipleOptions {
            descending: std::iter::repeat_n(false, count).chain(directions).chain([false]).collect(),
            nulls_last: vec![true; names.len()],
            ..SortMultipleOptions::default()
        };
        sorted = sorted.sort(&names, options).map_err(engine_error)?;
    }
    let (by, rest) = sorted.columns().split_at(count);
    let (order, row) = rest.split_at(rest.len() - 1);
    let rows = row[0].idx().map_err(engine_error)?.iter().flatten().collect();
    let begins = differs(by, height)?;
    Ok((rows, begins, differs(order, height)?))
}

/// Whether a position has other values than the one before it; null is equal to null.
pub(in super::super) fn differs(columns: &[Column], height: usize) -> Result<Vec<bool>, RunError> {
    let mut out = vec![false; height];
    if height < 2 {
        return Ok(out);
    }
    for column in columns {
        let series = column.as_materialized_series();
        let (before, after) = (series.slice(0, height - 1), series.slice(1, height - 1));
        let differ = before.not_equal_missing(&after).map_err(engine_error)?;
        for (out, differ) in out[1..].iter_mut().zip(differ.iter()) {
            *out |= differ == Some(true);
        }
    }
    Ok(out)
}

/// Microseconds of a date (its midnight) or datetime; of an int the numbers. `None` for other types.
pub(in super::super) fn micros(column: &Column) -> Result<Option<Vec<Option<i64>>>, RunError> {
    let cast = match column.dtype() {
        DataType::Date => column.cast(&crate::types::polars_type(&dbjob_plan::DataType::Datetime)),
        DataType::Datetime(..) | DataType::Int64 => Ok(column.clone()),
        _ => return Ok(None),
    };
    let numbers = cast.and_then(|c| c.cast(&DataType::Int64)).map_err(engine_error)?;
    Ok(Some(numbers.i64().map_err(engine_error)?.iter().collect()))
}

/// The rank of each value in the order of the language (see [`super::bag`]), and for each rank a position that has it.
pub(in super::super) fn ranks(sorted: &Column) -> Result<(Vec<Option<usize>>, Vec<usize>), RunError> {
    let series = sorted.as_materialized_series();
    let options = polars::prelude::SortOptions::default().with_nulls_last(true);
    let order = series.arg_sort(options);
    let by_value = sorted.take(&order).map_err(engine_error)?;
    let differs = differs(&[by_value], sorted.len())?;
    let mut ranks = vec![None; sorted.len()];
    let mut samples = Vec::new();
    let known = sorted.len() - sorted.null_count();
    for (i, at) in order.iter().flatten().take(known).enumerate() {
        if i == 0 || differs[i] {
            samples.push(at as usize);
        }
        ranks[at as usize] = Some(samples.len() - 1);
    }
    Ok((ranks, samples))
}
