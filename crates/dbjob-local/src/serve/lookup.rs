//! A table that travels with a model, as a hash table that is built once.

use std::collections::HashMap;

use polars::prelude::{self as pl, Column, DataFrame, IdxCa, IdxSize, NewChunkedArray, PolarsResult};

/// The rows of a table by their key.
pub(super) struct Lookup {
    index: Index,
    /// The columns that come over.
    columns: DataFrame,
}

/// Keys with a null match nothing.
enum Index {
    Int(HashMap<i64, IdxSize>),
    Text(HashMap<String, IdxSize>),
    Several(HashMap<Vec<Part>, IdxSize>),
}

#[derive(PartialEq, Eq, Hash)]
enum Part {
    Int(i64),
    Text(String),
}

impl Lookup {
    /// `keys`: of `columns`, unique together. `None`: keys of other types than ints, texts, dates and bools.
    pub fn new(keys: &[Column], columns: DataFrame) -> PolarsResult<Option<Self>> {
        if !keys.iter().all(|k| is_plain(k.dtype())) {
            return Ok(None);
        }
        let index = match keys {
            [key] if *key.dtype() == pl::DataType::String => {
                let rows = key.str()?.iter().enumerate();
                Index::Text(rows.filter_map(|(row, k)| Some((k?.to_owned(), row as IdxSize))).collect())
            }
            [key] => {
                let key = ints(key)?;
                Index::Int(key.iter().enumerate().filter_map(|(row, k)| Some((k?, row as IdxSize))).collect())
            }
            several => {
                let rows = columns.height();
                let parts = several.iter().map(parts).collect::<PolarsResult<Vec<_>>>()?;
                let mut index = HashMap::with_capacity(rows);
                let mut parts: Vec<_> = parts.into_iter().map(Vec::into_iter).collect();
                for row in 0..rows {
                    let key: Option<Vec<Part>> =
                        parts.iter_mut().map(|p| p.next().flatten()).collect::<Vec<_>>().into_iter().collect();
                    if let Some(key) = key {
                        index.insert(key, row as IdxSize);
                    }
                }
                Index::Several(index)
            }
        };
        Ok(Some(Self { index, columns }))
    }

    /// For each row of the left keys the row that matches.
    pub fn find(&self, keys: &[&Column]) -> PolarsResult<Vec<Option<IdxSize>>> {
        Ok(match (&self.index, keys) {
            (Index::Text(index), [key]) => key.str()?.iter().map(|k| index.get(k?).copied()).collect(),
            (Index::Int(index), [key]) => ints(key)?.iter().map(|k| index.get(&k?).copied()).collect(),
            (Index::Several(index), keys) => {
                let parts = keys.iter().map(|k| parts(k)).collect::<PolarsResult<Vec<_>>>()?;
                let rows = parts.first().map_or(0, Vec::len);
                let mut parts: Vec<_> = parts.into_iter().map(Vec::into_iter).collect();
                let key = |_| -> Option<IdxSize> {
                    let key: Vec<Option<Part>> = parts.iter_mut().map(|p| p.next().flatten()).collect();
                    index.get(&key.into_iter().collect::<Option<Vec<_>>>()?).copied()
                };
                (0..rows).map(key).collect()
            }
            _ => return Err(pl::PolarsError::ComputeError("a lookup has other keys than its table".into())),
        })
    }

    pub fn fields(&self) -> Vec<pl::Field> {
        self.columns.columns().iter().map(|c| pl::Field::new(c.name().clone(), c.dtype().clone())).collect()
    }

    /// The columns that come over for these rows; nulls where there is none.
    pub fn take(&self, rows: &[Option<IdxSize>]) -> PolarsResult<Vec<Column>> {
        let rows = IdxCa::from_slice_options("".into(), rows);
        self.columns.columns().iter().map(|c| c.take(&rows)).collect()
    }
}

fn is_plain(dtype: &pl::DataType) -> bool {
    matches!(dtype, pl::DataType::Int64 | pl::DataType::String | pl::DataType::Date | pl::DataType::Boolean)
}

fn ints(column: &Column) -> PolarsResult<pl::Int64Chunked> {
    Ok(column.to_physical_repr().cast(&pl::DataType::Int64)?.i64()?.clone())
}

fn parts(column: &Column) -> PolarsResult<Vec<Option<Part>>> {
    Ok(match column.dtype() {
        pl::DataType::String => column.str()?.iter().map(|k| k.map(|k| Part::Text(k.to_owned()))).collect(),
        _ => ints(column)?.iter().map(|k| k.map(Part::Int)).collect(),
    })
}
