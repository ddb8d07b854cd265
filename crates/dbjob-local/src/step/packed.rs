//! Rows sorted by keys that fit, together with the row's number, into one number each: much faster than comparing keys.

#[cfg(test)]
mod tests;

use std::ops::{BitOr, Shl};

use dbjob_plan::RunError;
use polars::prelude::{ChunkAgg, Column, DataType, IdxSize, Int64Chunked, IntoColumn};
use rayon::slice::ParallelSliceMut;

use super::window::ranks;
use crate::fault::engine_error;

/// Numbers, one a row and in order: from the top the partition, the keys of the order, and the row.
pub(super) struct Packed {
    numbers: Numbers,
    keys: Vec<Range>,
    /// How many bits the row's number has, the lowest.
    row: u32,
    /// How many bits the keys of the order have.
    order: u32,
}

enum Numbers {
    Narrow(Vec<u64>),
    Wide(Vec<u128>),
}

impl Packed {
    /// `descending` is of each column of `order`. `None`: they do not fit, or there is nothing to sort.
    pub fn sorted(
        by: &[Column],
        order: &[Column],
        descending: &[bool],
        height: usize,
    ) -> Result<Option<Self>, RunError> {
        if by.is_empty() && order.is_empty() {
            return Ok(None);
        }
        let directions = std::iter::repeat_n(false, by.len()).chain(descending.iter().copied());
        let mut all = Vec::new();
        for (column, descending) in by.iter().chain(order).zip(directions) {
            let Some(codes) = Codes::of(column, descending)? else { return Ok(None) };
            all.push(codes);
        }
        let bits = |codes: &[Codes]| codes.iter().map(|codes| codes.range.bits).sum::<u32>();
        let row = (usize::BITS - height.leading_zeros()).max(1);
        let numbers = match bits(&all) + row {
            ..=64 => Numbers::Narrow(packed(&all, row, height)),
            65..=128 => Numbers::Wide(packed(&all, row, height)),
            _ => return Ok(None),
        };
        let order = bits(&all[by.len()..]);
        Ok(Some(Self { numbers, keys: all.into_iter().map(|codes| codes.range).collect(), row, order }))
    }

    /// The sorted values of a key whose type has numbers of its own, which is cheaper than to bring its rows in order.
    pub fn key(&self, i: usize, dtype: &DataType) -> Result<Column, RunError> {
        let below = self.row + self.keys[i + 1..].iter().map(|key| key.bits).sum::<u32>();
        let key = &self.keys[i];
        let mask = u64::MAX.checked_shr(u64::BITS - key.bits).unwrap_or(0);
        let value = |code: u64| key.value(code & mask);
        let values: Int64Chunked = match &self.numbers {
            Numbers::Narrow(numbers) => numbers.iter().map(|n| value(n.checked_shr(below).unwrap_or(0))).collect(),
            Numbers::Wide(numbers) => numbers.iter().map(|n| value((n >> below) as u64)).collect(),
        };
        values.into_column().cast(dtype).map_err(engine_error)
    }

    pub fn rows(&self) -> Vec<IdxSize> {
        let mask = (1_u64 << self.row) - 1;
        match &self.numbers {
            Numbers::Narrow(numbers) => numbers.iter().map(|number| (number & mask) as IdxSize).collect(),
            Numbers::Wide(numbers) => numbers.iter().map(|number| (*number as u64 & mask) as IdxSize).collect(),
        }
    }

    /// Whether a position begins a partition; the first does not.
    pub fn begins(&self) -> Vec<bool> {
        self.differ(self.row + self.order)
    }

    /// Whether a position has other keys than the one before it.
    pub fn fresh(&self) -> Vec<bool> {
        self.differ(self.row)
    }

    fn differ(&self, below: u32) -> Vec<bool> {
        match &self.numbers {
            Numbers::Narrow(numbers) => differ(numbers, |a, b| (a ^ b).checked_shr(below).unwrap_or(0) != 0),
            Numbers::Wide(numbers) => differ(numbers, |a, b| (a ^ b).checked_shr(below).unwrap_or(0) != 0),
        }
    }
}

fn differ<T: Copy>(numbers: &[T], other: impl Fn(T, T) -> bool) -> Vec<bool> {
    let pairs = numbers.windows(2).map(|pair| other(pair[0], pair[1]));
    numbers.first().map(|_| false).into_iter().chain(pairs).collect()
}

/// The numbers of all rows, sorted.
fn packed<T>(all: &[Codes], row: u32, height: usize) -> Vec<T>
where
    T: Copy + Ord + Send + From<u64> + Shl<u32, Output = T> + BitOr<Output = T>,
{
    let mut numbers = vec![T::from(0); height];
    for codes in all {
        codes.each(numbers.iter_mut(), |number, code| *number = *number << codes.range.bits | T::from(code));
    }
    numbers.iter_mut().zip(0_u64..).for_each(|(number, at)| *number = *number << row | T::from(at));
    numbers.par_sort_unstable();
    numbers
}

/// The values of a column as whole numbers from 0 in their order; null is the last in both directions.
struct Codes {
    values: Int64Chunked,
    range: Range,
}

/// Which whole numbers the values of a column are.
#[derive(Clone, Copy)]
struct Range {
    least: i64,
    most: i64,
    descending: bool,
    /// The code of null, if there are nulls.
    null: Option<u64>,
    bits: u32,
}

impl Range {
    /// `None`: 64 bits do not hold it.
    fn of(values: &Int64Chunked, descending: bool) -> Option<Self> {
        let (least, most) = values.min().zip(values.max()).unwrap_or((0, 0));
        let greatest = most.abs_diff(least);
        let null = match values.null_count() {
            0 => None,
            // All are alike: no bits are needed.
            n if n == values.len() => Some(0),
            _ => Some(greatest.checked_add(1)?),
        };
        let bits = u64::BITS - null.unwrap_or(greatest).leading_zeros();
        Some(Self { least, most, descending, null, bits })
    }

    fn code(self, value: i64) -> u64 {
        if self.descending { self.most.abs_diff(value) } else { value.abs_diff(self.least) }
    }

    fn value(self, code: u64) -> Option<i64> {
        let value = || {
            if self.descending { self.most.wrapping_sub_unsigned(code) } else { self.least.wrapping_add_unsigned(code) }
        };
        (self.null != Some(code)).then(value)
    }
}

impl Codes {
    /// `None`: the type has no such numbers, or they need more than 64 bits.
    fn of(column: &Column, descending: bool) -> Result<Option<Self>, RunError> {
        let values = match column.dtype() {
            DataType::Int64 | DataType::Date | DataType::Datetime(..) | DataType::Duration(_) | DataType::Boolean => {
                let numbers = column.to_physical_repr().cast(&DataType::Int64).map_err(engine_error)?;
                numbers.i64().map_err(engine_error)?.clone()
            }
            DataType::String | DataType::Float64 => ranks(column)?.0.into_iter().map(|r| r.map(|r| r as i64)).collect(),
            _ => return Ok(None),
        };
        Ok(Range::of(&values, descending).map(|range| Self { values, range }))
    }

    /// Goes over all rows with the code of each.
    fn each<'n, T: 'n>(&self, numbers: impl Iterator<Item = &'n mut T>, set: impl Fn(&mut T, u64)) {
        let range = self.range;
        match range.null {
            None => numbers.zip(self.values.into_no_null_iter()).for_each(|(number, x)| set(number, range.code(x))),
            Some(null) => {
                let code = |x: Option<i64>| x.map_or(null, |x| range.code(x));
                numbers.zip(self.values.iter()).for_each(|(number, x)| set(number, code(x)));
            }
        }
    }
}
