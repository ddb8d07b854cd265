//! The rows of a table in the order of a window: partition after partition.

use dbjob_plan::{Frame, Reach, RunError, SortKey};
use polars::prelude::{
    ChunkCompareEq, Column, DataFrame, DataType, IdxCa, IdxSize, IntoColumn, NamedFrom, Series, SortMultipleOptions,
};

use super::super::packed::Packed;
use super::slide::Frames;
use crate::fault::engine_error;
use crate::list::cut;

const ROW: &str = "__row";

pub(super) struct Layout {
    /// The row of each position.
    rows: Vec<IdxSize>,
    /// The first position of the partition of each position.
    start: Vec<IdxSize>,
    /// The position behind the partition of each position.
    end: Vec<IdxSize>,
    /// Whether a position has other order keys than the one before it, or another partition.
    fresh: Vec<bool>,
    /// The first order key in microseconds if it is a time, negated where it descends.
    times: Vec<Option<i64>>,
    descending: bool,
}

impl Layout {
    /// `by` and `order` are columns over all rows; `keys` says which way each of `order` goes.
    pub fn new(by: Vec<Column>, order: Vec<Column>, keys: &[SortKey], height: usize) -> Result<Self, RunError> {
        let descending = keys.first().is_some_and(|k| k.descending);
        let times = order.first().map(micros).transpose()?.flatten();
        let directions: Vec<bool> = keys.iter().map(|k| k.descending).collect();
        let (rows, begins, mut fresh) = match Packed::sorted(&by, &order, &directions, height)? {
            Some(packed) => (packed.rows(), packed.begins(), packed.fresh()),
            None => sort(by, order, keys, height)?,
        };
        let (mut start, mut end) = (vec![0; height], vec![height as IdxSize; height]);
        for at in 1..height {
            start[at] = if begins[at] { at as IdxSize } else { start[at - 1] };
            fresh[at] |= begins[at];
        }
        for at in (1..height).rev() {
            end[at - 1] = if begins[at] { at as IdxSize } else { end[at] };
        }
        let times = times.map_or_else(Vec::new, |times| {
            let at = |row: &IdxSize| times[*row as usize].map(|t| if descending { t.saturating_neg() } else { t });
            rows.iter().map(at).collect()
        });
        Ok(Self { rows, start, end, fresh, times, descending })
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The values of a column over all rows, by position.
    pub fn sorted(&self, column: &Column) -> Result<Column, RunError> {
        column.take_slice(&self.rows).map_err(engine_error)
    }

    /// Values by position as values by row.
    pub fn scattered<T: Clone>(&self, values: Vec<Option<T>>) -> Vec<Option<T>> {
        let mut out = vec![None; values.len()];
        for (row, value) in self.rows.iter().zip(values) {
            out[*row as usize] = value;
        }
        out
    }

    /// The value of `column` at a position, for each position, as a column by row.
    pub fn gathered(&self, column: &Column, positions: Vec<Option<usize>>) -> Result<Column, RunError> {
        let rows = positions.into_iter().map(|at| at.map(|at| self.rows[at])).collect();
        let index: IdxCa = self.scattered::<IdxSize>(rows).into_iter().collect();
        column.take(&index).map_err(engine_error)
    }

    /// The row of a position, counted from 1.
    pub fn row_number_of(&self, at: usize) -> u64 {
        u64::from(self.rows[at]) + 1
    }

    fn partition(&self, at: usize) -> std::ops::Range<usize> {
        self.start[at] as usize..self.end[at] as usize
    }

    /// The values of `column` at some positions, for each position, as a column of lists by row.
    pub fn listed(&self, column: &Column, positions: Vec<Option<Vec<usize>>>) -> Result<Column, RunError> {
        let lists = self.scattered(positions);
        let lengths = lists.iter().map(|list| list.as_ref().map(Vec::len)).collect();
        let rows = lists.into_iter().flatten().flatten().map(|at| self.rows[at]);
        let items = column.take_slice(&rows.collect::<Vec<_>>()).map_err(engine_error)?;
        cut(items.as_materialized_series(), lengths).map_err(engine_error)
    }

    /// The position that lies `by` further in the partition.
    pub fn moved(&self, at: usize, by: i64) -> Option<usize> {
        let to = i64::try_from(at).ok()?.checked_add(by)?;
        usize::try_from(to).ok().filter(|to| self.partition(at).contains(to))
    }

    /// 1-based numbers in each partition: of rows, of rows before the first peer, of different keys.
    pub fn row_numbers(&self) -> impl Iterator<Item = i64> {
        self.start.iter().enumerate().map(|(at, start)| at as i64 - i64::from(*start) + 1)
    }

    pub fn ranks(&self) -> impl Iterator<Item = i64> {
        let mut first = 0;
        (0..self.len()).map(move |at| {
            if at == 0 || self.fresh[at] {
                first = at;
            }
            first as i64 - i64::from(self.start[at]) + 1
        })
    }

    pub fn dense_ranks(&self) -> impl Iterator<Item = i64> {
        let mut rank = 0;
        (0..self.len()).map(move |at| {
            rank = if at == self.partition(at).start { 1 } else { rank + i64::from(self.fresh[at]) };
            rank
        })
    }

    pub fn frames(&self, frame: Frame) -> Frames {
        let mut frames = Frames::default();
        match frame {
            Frame::All => (0..self.len()).for_each(|at| {
                let all = self.partition(at);
                frames.push(all.start, all.end);
            }),
            Frame::Rows { reach, count } => {
                let count = count.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
                for at in 0..self.len() {
                    let std::ops::Range { start, end } = self.partition(at);
                    match reach {
                        Reach::Last => frames.push(start.max((at + 1).saturating_sub(count)), at + 1),
                        Reach::Previous => frames.push(start.max(at.saturating_sub(count)), at),
                        Reach::Next => frames.push(at + 1, end.min(at.saturating_add(count).saturating_add(1))),
                    }
                }
            }
            Frame::Time { reach, size } => self.time_frames(reach, size, &mut frames),
        }
        frames
    }

    /// Two pointers that only go forward: what ascends in time for the one direction ascends in negated time for the other.
    fn time_frames(&self, reach: Reach, size: i64, frames: &mut Frames) {
        let size = i128::from(size);
        // The bounds of (low, high] or [low, high), seen from 0.
        let (low, high, closed_above) = match (reach, self.descending) {
            (Reach::Last, false) => (-size, 0, true),
            (Reach::Previous, false) => (-size, 0, false),
            (Reach::Next, false) => (0, size, true),
            (Reach::Last, true) => (0, size, false),
            (Reach::Previous, true) => (0, size, true),
            (Reach::Next, true) => (-size, 0, false),
        };
        let (mut from, mut to) = (0, 0);
        for at in 0..self.len() {
            let std::ops::Range { start, end } = self.partition(at);
            let Some(now) = self.times[at].map(i128::from) else {
                // Nulls stand last: from here on the partition has no time.
                let known = from.max(to).max(start);
                (from, to) = (known, known);
                frames.push(known, known);
                continue;
            };
            (from, to) = (from.max(start), to.max(start));
            let before = |bound: i128, closed: bool, other: usize| {
                self.times[other].is_some_and(|t| if closed { i128::from(t) <= bound } else { i128::from(t) < bound })
            };
            while from < end && before(now + low, closed_above, from) {
                from += 1;
            }
            while to < end && before(now + high, closed_above, to) {
                to += 1;
            }
            frames.push(from, to.max(from));
        }
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

/// A column of values by row.
pub(super) fn column<T>(values: Vec<Option<T>>) -> Column
where
    Series: NamedFrom<Vec<Option<T>>, [Option<T>]>,
{
    Series::new("".into(), values).into_column()
}
