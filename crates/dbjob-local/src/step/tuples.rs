//! Several keys of a group as one number each row, which is what the engine groups fastest by: it writes several into one
//! text of bytes, row by row, hashes that and compares it. Here a tuple of keys is looked up as it stands; its number is
//! its place among those seen so far, on whichever thread. What a number stands for is asked when the groups are made.

#[cfg(test)]
mod tests;

use std::hash::BuildHasher;
use std::sync::{Arc, PoisonError, RwLock};

use dbjob_plan::DataType;
use hashbrown::{DefaultHashBuilder, HashTable};
use indexmap::IndexSet;
use polars::prelude::{
    self as pl, Column, Int64Chunked, IntoColumn, PolarsResult, StringChunked, StringChunkedBuilder, UInt32Chunked,
};

use crate::types::polars_type;
use crate::udf::{col, map_n, map1};

/// The number of a row's tuple, while the groups are made.
const NUMBER: &str = "__tuple";

/// So many rows are looked at at once: their keys stay in the nearest cache.
const BLOCK: usize = 1024;

/// A key: a whole number, or a short text as the engine has it (its length in the lowest 32 bits, then its bytes), or the
/// place of a long one behind the length [`LONG`].
type Cell = u128;

/// Longer than any short text and any whole number.
const NULL: Cell = Cell::MAX;
const LONG: Cell = u32::MAX as Cell - 1;

/// The keys of a group, each an expression under its name.
pub(super) struct Tuples {
    seen: Arc<Seen>,
    keys: Vec<pl::Expr>,
    names: Vec<(String, DataType)>,
}

impl Tuples {
    /// `None`: one key alone is grouped as fast by the engine, and some types have no numbers.
    pub fn of(keys: &[pl::Expr], names: &[(String, DataType)]) -> Option<Self> {
        let whole = |dtype: &DataType| {
            use DataType::{Bool, Category, Date, Datetime, Duration, Int, String};
            matches!(dtype, Bool | Category { .. } | Date | Datetime | Duration | Int | String)
        };
        if names.len() < 2 || names.len() != keys.len() || !names.iter().all(|(_, dtype)| whole(dtype)) {
            return None;
        }
        Some(Self { seen: Arc::new(Seen::new(keys.len())), keys: keys.to_vec(), names: names.to_vec() })
    }

    /// What is grouped by in place of the keys.
    pub fn number(&self) -> pl::Expr {
        let seen = self.seen.clone();
        let number = map_n(self.keys.clone(), pl::DataType::UInt32, move |keys| Ok(seen.numbers(keys)?.into_column()));
        number.alias(NUMBER)
    }

    /// The keys of a group by its number, under their names.
    pub fn keys(&self) -> Vec<pl::Expr> {
        let key = |(at, (name, dtype)): (usize, &(String, DataType))| {
            let (seen, dtype) = (self.seen.clone(), polars_type(dtype));
            let out = dtype.clone();
            map1(col(NUMBER), out, move |numbers| seen.key(at, numbers.u32()?, &dtype)).alias(name.as_str())
        };
        self.names.iter().enumerate().map(key).collect()
    }
}

/// The tuples that were seen, and the long texts in them.
struct Seen {
    keys: usize,
    hasher: DefaultHashBuilder,
    tuples: RwLock<Known>,
    texts: RwLock<IndexSet<Box<str>>>,
}

#[derive(Default)]
struct Known {
    numbers: HashTable<u32>,
    /// Tuple after tuple.
    cells: Vec<Cell>,
}

impl Known {
    fn find(&self, tuple: &[Cell], hash: u64) -> Option<u32> {
        self.numbers.find(hash, |number| self.tuple(*number, tuple.len()) == tuple).copied()
    }

    fn tuple(&self, number: u32, keys: usize) -> &[Cell] {
        &self.cells[number as usize * keys..][..keys]
    }
}

impl Seen {
    fn new(keys: usize) -> Self {
        Self { keys, hasher: DefaultHashBuilder::default(), tuples: RwLock::default(), texts: RwLock::default() }
    }

    fn numbers(&self, columns: &[Column]) -> PolarsResult<UInt32Chunked> {
        let columns = columns.iter().map(Key::of).collect::<PolarsResult<Vec<_>>>()?;
        let rows = columns[0].len();
        let mut numbers: Vec<u32> = Vec::with_capacity(rows);
        let mut cells = vec![0; BLOCK.min(rows) * self.keys];
        for begin in (0..rows).step_by(BLOCK) {
            let cells = &mut cells[..BLOCK.min(rows - begin) * self.keys];
            for (at, column) in columns.iter().enumerate() {
                column.write(begin, cells[at..].iter_mut().step_by(self.keys), &self.texts);
            }
            self.number_all(cells, &mut numbers)?;
        }
        Ok(UInt32Chunked::from_vec(NUMBER.into(), numbers))
    }

    /// The numbers of tuples; new ones get theirs.
    fn number_all(&self, cells: &[Cell], numbers: &mut Vec<u32>) -> PolarsResult<()> {
        let begin = numbers.len();
        let mut new: Vec<(usize, u64)> = Vec::new();
        {
            let known = self.tuples.read().unwrap_or_else(PoisonError::into_inner);
            for (row, tuple) in cells.chunks_exact(self.keys).enumerate() {
                let hash = self.hasher.hash_one(tuple);
                numbers.push(known.find(tuple, hash).unwrap_or_else(|| {
                    new.push((row, hash));
                    u32::MAX
                }));
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        let mut known = self.tuples.write().unwrap_or_else(PoisonError::into_inner);
        let Known { numbers: table, cells: all } = &mut *known;
        for (row, hash) in new {
            let tuple = &cells[row * self.keys..][..self.keys];
            let same = |number: &u32| all[*number as usize * self.keys..][..self.keys] == *tuple;
            if let Some(number) = table.find(hash, same) {
                numbers[begin + row] = *number;
                continue;
            }
            let number = u32::try_from(table.len()).ok().filter(|number| *number < u32::MAX);
            let number = number.ok_or_else(|| pl::polars_err!(ComputeError: "there are too many groups"))?;
            all.extend_from_slice(tuple);
            let rehash = |number: &u32| self.hasher.hash_one(&all[*number as usize * self.keys..][..self.keys]);
            table.insert_unique(hash, number, rehash);
            numbers[begin + row] = number;
        }
        Ok(())
    }

    /// One key of tuples by their numbers.
    fn key(&self, at: usize, numbers: &UInt32Chunked, dtype: &pl::DataType) -> PolarsResult<Column> {
        let known = self.tuples.read().unwrap_or_else(PoisonError::into_inner);
        let cells = numbers.iter().map(|number| number.map_or(NULL, |number| known.tuple(number, self.keys)[at]));
        if *dtype != pl::DataType::String {
            let values: Int64Chunked = cells.map(|cell| (cell != NULL).then_some(cell as u64 as i64)).collect();
            return values.into_column().cast(dtype);
        }
        let texts = self.texts.read().unwrap_or_else(PoisonError::into_inner);
        let mut values = StringChunkedBuilder::new(NUMBER.into(), numbers.len());
        for cell in cells {
            let length = cell & Cell::from(u32::MAX);
            match length {
                _ if cell == NULL => values.append_null(),
                LONG => values.append_value(&*texts[(cell >> 32) as usize]),
                _ => {
                    let bytes = (cell >> 32).to_le_bytes();
                    values.append_value(
                        std::str::from_utf8(&bytes[..length as usize])
                            .map_err(|e| pl::polars_err!(ComputeError: "{e}"))?,
                    );
                }
            }
        }
        Ok(values.finish().into_column())
    }
}

/// A column of keys, in one piece.
enum Key {
    Whole(Int64Chunked),
    Text(StringChunked),
}

impl Key {
    fn of(column: &Column) -> PolarsResult<Self> {
        if column.dtype() == &pl::DataType::String {
            return Ok(Self::Text(column.str()?.rechunk().into_owned()));
        }
        let whole = column.to_physical_repr().cast(&pl::DataType::Int64)?;
        Ok(Self::Whole(whole.i64()?.rechunk().into_owned()))
    }

    fn len(&self) -> usize {
        match self {
            Self::Whole(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }

    /// Writes the cells of rows from `begin` on.
    fn write<'a>(&self, begin: usize, cells: impl Iterator<Item = &'a mut Cell>, texts: &RwLock<IndexSet<Box<str>>>) {
        let validity = match self {
            Self::Whole(values) => values.rechunk_validity(),
            Self::Text(values) => values.rechunk_validity(),
        };
        let valid = |row| validity.as_ref().is_none_or(|valid| valid.get_bit(row));
        match self {
            Self::Whole(values) => {
                let Some(values) = values.downcast_iter().next() else { return };
                for ((row, value), cell) in (begin..).zip(&values.values()[begin..]).zip(cells) {
                    *cell = if valid(row) { Cell::from(*value as u64) } else { NULL };
                }
            }
            Self::Text(values) => {
                let Some(values) = values.downcast_iter().next() else { return };
                for ((row, view), cell) in (begin..).zip(&values.views()[begin..]).zip(cells) {
                    *cell = match (valid(row), view.is_inline()) {
                        (false, _) => NULL,
                        (true, true) => view.as_u128(),
                        (true, false) => Cell::from(place(values.value(row), texts) as u64) << 32 | LONG,
                    };
                }
            }
        }
    }
}

/// The place of a text among those that were seen.
fn place(text: &str, texts: &RwLock<IndexSet<Box<str>>>) -> usize {
    let known = texts.read().unwrap_or_else(PoisonError::into_inner).get_index_of(text);
    known.unwrap_or_else(|| texts.write().unwrap_or_else(PoisonError::into_inner).insert_full(text.into()).0)
}
