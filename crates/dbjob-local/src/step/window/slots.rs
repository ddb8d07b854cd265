//! Columns by row that the threads of a window fill together: each row once, in any order.

use std::sync::{Mutex, PoisonError};

use polars::prelude::{
    BooleanChunked, Column, Float64Chunked, IdxCa, IdxSize, Int64Chunked, Int128Chunked, IntoColumn, PolarsError,
    PolarsResult,
};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::aggregate::Values;
use super::part::Part;
use super::put::Put;
use crate::decimal::{self, Digits};
use crate::list::cut;

/// Values of one type, with the rows that have none.
pub(super) struct Filled<T: Put> {
    places: Vec<T::Place>,
    nulls: Mutex<Vec<IdxSize>>,
}

impl<T: Put> Filled<T> {
    fn new(height: usize) -> Self {
        Self { places: std::iter::repeat_with(T::Place::default).take(height).collect(), nulls: Mutex::default() }
    }

    fn put(&self, rows: &[IdxSize], values: impl Iterator<Item = Option<T>>) {
        let mut nulls = Vec::new();
        for (row, value) in rows.iter().zip(values) {
            match value {
                Some(value) => value.put(&self.places[*row as usize]),
                None => nulls.push(*row),
            }
        }
        self.nulls.lock().unwrap_or_else(PoisonError::into_inner).append(&mut nulls);
    }

    /// The values by row, and which of them there are if not all.
    fn finish(self) -> (Vec<T>, Option<Vec<bool>>) {
        let nulls = self.nulls.into_inner().unwrap_or_else(PoisonError::into_inner);
        let known = (!nulls.is_empty()).then(|| {
            let mut known = vec![true; self.places.len()];
            nulls.iter().for_each(|row| known[*row as usize] = false);
            known
        });
        (self.places.into_iter().map(T::take).collect(), known)
    }

    fn optional(self) -> impl Iterator<Item = Option<T>> {
        let (values, known) = self.finish();
        let known = known.into_iter().flatten().chain(std::iter::repeat(true));
        values.into_iter().zip(known).map(|(value, known)| known.then_some(value))
    }
}

/// The values of a column at some rows, brought together by all threads.
fn gathered(column: &Column, rows: &IdxCa) -> PolarsResult<Column> {
    const PIECE: usize = 1 << 16;
    let pieces: Vec<usize> = (0..rows.len()).step_by(PIECE).collect();
    let taken: Vec<PolarsResult<Column>> =
        pieces.par_iter().map(|from| column.take(&rows.slice(*from as i64, PIECE))).collect();
    let mut taken = taken.into_iter();
    let mut all = taken.next().unwrap_or_else(|| Ok(column.clear()))?;
    taken.try_for_each(|piece| all.append_owned(piece?).map(drop))?;
    Ok(all)
}

/// The values of a cell, by row.
pub(super) enum Slots {
    Ints(Filled<i64>),
    Floats(Filled<f64>),
    Bools(Filled<bool>),
    Decimals(Filled<i128>),
    /// The row whose value of the argument it is.
    Of(Filled<IdxSize>),
    /// The rows whose values of the argument are in the list.
    Lists(Filled<Vec<IdxSize>>),
}

impl Slots {
    /// Room for `height` values like these.
    pub fn like(values: &Values, height: usize) -> Self {
        match values {
            Values::Ints(_) => Self::Ints(Filled::new(height)),
            Values::Floats(_) => Self::Floats(Filled::new(height)),
            Values::Bools(_) => Self::Bools(Filled::new(height)),
            Values::Decimals(_) => Self::Decimals(Filled::new(height)),
            Values::Of(_) => Self::Of(Filled::new(height)),
            Values::Lists(_) => Self::Lists(Filled::new(height)),
        }
    }

    /// Puts the values of a part at their rows.
    pub fn put(&self, part: &Part<'_>, values: Values) {
        let rows = part.rows();
        match (self, values) {
            (Self::Ints(all), Values::Ints(values)) => all.put(rows, values.into_iter()),
            (Self::Floats(all), Values::Floats(values)) => all.put(rows, values.into_iter()),
            (Self::Bools(all), Values::Bools(values)) => all.put(rows, values.into_iter()),
            (Self::Decimals(all), Values::Decimals(values)) => all.put(rows, values.into_iter()),
            (Self::Of(all), Values::Of(at)) => all.put(rows, at.into_iter().map(|at| at.map(|at| rows[at]))),
            (Self::Lists(all), Values::Lists(lists)) => {
                let list = |list: Vec<usize>| list.into_iter().map(|at| rows[at]).collect();
                all.put(rows, lists.into_iter().map(|l| l.map(list)));
            }
            _ => unreachable!("the values of one cell are of one kind in every part"),
        }
    }

    /// The column. `args` are those of the cell by row, the third one stands where `lag` and `lead` find no row; `digits` are
    /// those of a decimal.
    pub fn column(self, args: &[Column], digits: Option<Digits>) -> PolarsResult<Column> {
        let missing = |what: &str| PolarsError::ComputeError(format!("a window without {what}").into());
        let name = "".into();
        Ok(match self {
            Self::Ints(all) => {
                let (values, known) = all.finish();
                Int64Chunked::from_vec_validity(name, values, known.map(|k| k.into_iter().collect())).into_column()
            }
            Self::Floats(all) => {
                let (values, known) = all.finish();
                Float64Chunked::from_vec_validity(name, values, known.map(|k| k.into_iter().collect())).into_column()
            }
            Self::Bools(all) => all.optional().collect::<BooleanChunked>().into_column(),
            Self::Decimals(all) => {
                let digits = digits.ok_or_else(|| missing("the digits of a decimal"))?;
                decimal::column(Int128Chunked::from_iter(all.optional()), digits)
            }
            Self::Of(all) => {
                let (rows, known) = all.finish();
                let rows = IdxCa::from_vec_validity(name, rows, known.map(|k| k.into_iter().collect()));
                let values = gathered(args.first().ok_or_else(|| missing("an argument"))?, &rows)?;
                match args {
                    [_, _, default] if rows.null_count() > 0 => values.zip_with(&rows.is_not_null(), default)?,
                    _ => values,
                }
            }
            Self::Lists(all) => {
                let lists: Vec<Option<Vec<IdxSize>>> = all.optional().collect();
                let lengths = lists.iter().map(|list| list.as_ref().map(Vec::len)).collect();
                let rows: Vec<IdxSize> = lists.into_iter().flatten().flatten().collect();
                let items = args.first().ok_or_else(|| missing("an argument"))?.take_slice(&rows)?;
                cut(items.as_materialized_series(), lengths)?
            }
        })
    }
}
