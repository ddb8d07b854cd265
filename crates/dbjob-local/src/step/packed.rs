//! Rows sorted by keys that fit, together with the row's number, into one number each: much faster than comparing keys.

use dbjob_plan::RunError;
use polars::prelude::{Column, DataType, IdxSize};
use rayon::slice::ParallelSliceMut;

use super::window::ranks;
use crate::fault::engine_error;

/// The bits of a row's number, the lowest.
const ROW: u32 = IdxSize::BITS;

/// Numbers, one a row and in order: from the top the partition, the keys of the order, and the row.
pub(super) struct Packed {
    rows: Vec<u128>,
    /// How many bits the keys of the order have.
    order: u32,
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
        let descending = std::iter::repeat_n(false, by.len()).chain(descending.iter().copied());
        let mut rows = vec![0_u128; height];
        let (mut bits, mut of_order) = (0, 0);
        for (i, (column, descending)) in by.iter().chain(order).zip(descending).enumerate() {
            let Some(codes) = Codes::of(column, descending)? else { return Ok(None) };
            bits += codes.bits;
            if i >= by.len() {
                of_order += codes.bits;
            }
            if bits + ROW > u128::BITS {
                return Ok(None);
            }
            for (row, code) in rows.iter_mut().zip(codes.values) {
                *row = *row << codes.bits | u128::from(code);
            }
        }
        rows.iter_mut().zip(0_u128..).for_each(|(row, number)| *row = *row << ROW | number);
        rows.par_sort_unstable();
        Ok(Some(Self { rows, order: of_order }))
    }

    pub fn rows(&self) -> Vec<IdxSize> {
        self.rows.iter().map(|row| *row as IdxSize).collect()
    }

    /// Whether a position begins a partition; the first does not.
    pub fn begins(&self) -> Vec<bool> {
        self.differ(ROW + self.order)
    }

    /// Whether a position has other keys than the one before it.
    pub fn fresh(&self) -> Vec<bool> {
        self.differ(ROW)
    }

    fn differ(&self, below: u32) -> Vec<bool> {
        let key = |row: u128| row.checked_shr(below).unwrap_or(0);
        let pairs = self.rows.windows(2).map(|pair| key(pair[0]) != key(pair[1]));
        self.rows.first().map(|_| false).into_iter().chain(pairs).collect()
    }
}

/// The values of a column as whole numbers from 0 in their order; null is the last in both directions.
struct Codes {
    values: Vec<u64>,
    bits: u32,
}

impl Codes {
    fn of(column: &Column, descending: bool) -> Result<Option<Self>, RunError> {
        let numbers: Vec<Option<i64>> = match column.dtype() {
            DataType::Int64 | DataType::Date | DataType::Datetime(..) | DataType::Duration(_) | DataType::Boolean => {
                let numbers = column.to_physical_repr().cast(&DataType::Int64).map_err(engine_error)?;
                numbers.i64().map_err(engine_error)?.iter().collect()
            }
            DataType::String | DataType::Float64 => ranks(column)?.0.into_iter().map(|r| r.map(|r| r as i64)).collect(),
            _ => return Ok(None),
        };
        let (Some(least), Some(most)) = (numbers.iter().flatten().min(), numbers.iter().flatten().max()) else {
            return Ok(Some(Self { values: vec![0; numbers.len()], bits: 0 }));
        };
        let Some(null) = most.abs_diff(*least).checked_add(1) else { return Ok(None) };
        let code = |x: i64| if descending { most.abs_diff(x) } else { x.abs_diff(*least) };
        let values = numbers.iter().map(|x| x.map_or(null, code)).collect();
        Ok(Some(Self { values, bits: u64::BITS - null.leading_zeros() }))
    }
}
