//! A join with a table whose rows are known by one whole number each: what the number of a row's match is stands in a
//! table of its own, and the columns that come over are picked by it. Nothing is hashed or held of the left side, and
//! its rows keep their order.

#[cfg(test)]
mod tests;

use dbjob_plan::{Join, JoinKind};
use polars::prelude::{
    self as pl, DataFrame, DataType, IdxCa, IdxSize, Int64Chunked, IntoColumn, LazyFrame, PolarsResult,
};

use super::join::right_key;
use crate::udf::{col, map1};

/// Where the match of a row stands, while the columns are picked.
const AT: &str = "__at";

/// Keys may lie so far apart, or so many times as far as there are rows: the table of all of them takes no more memory
/// than a hash table would.
const NEAR: u64 = 1 << 16;
const SPREAD: u64 = 8;

/// The join, if it is one by a single whole number; `right` is a `right_side` in memory whose keys are unique.
pub(super) fn lower(join: &Join, left: &LazyFrame, right: &DataFrame) -> PolarsResult<Option<LazyFrame>> {
    let [(left_key, _)] = &join.on[..] else { return Ok(None) };
    if !matches!(join.kind, JoinKind::Inner | JoinKind::Left) {
        return Ok(None);
    }
    let key = right_key(0);
    let whole = *right.column(&key)?.dtype() == DataType::Int64
        && left.clone().select([col(left_key)]).collect_schema()?.iter_values().all(|dtype| *dtype == DataType::Int64);
    if !whole {
        return Ok(None);
    }
    let Some(places) = Places::of(right.column(&key)?.i64()?) else { return Ok(None) };
    let at = map1(col(left_key), pl::IDX_DTYPE, move |keys| Ok(places.of_all(keys.i64()?).into_column())).alias(AT);
    let mut joined = left.clone().with_columns([at]);
    if join.kind == JoinKind::Inner {
        joined = joined.filter(col(AT).is_not_null());
    }
    let picked = right.columns().iter().filter(|column| *column.name() != key.as_str()).map(|column| {
        let (column, dtype) = (column.rechunk(), column.dtype().clone());
        let name = column.name().clone();
        map1(col(AT), dtype, move |at| column.take(at.idx()?)).alias(name)
    });
    Ok(Some(joined.with_columns(picked.collect::<Vec<_>>()).drop(pl::by_name([AT], true, false))))
}

/// The place of each key, from the lowest key on.
struct Places {
    lowest: i64,
    places: Vec<IdxSize>,
}

/// No row has this key.
const NONE: IdxSize = IdxSize::MAX;

impl Places {
    /// `None`: the keys lie too far apart.
    fn of(keys: &Int64Chunked) -> Option<Self> {
        let (mut lowest, mut highest) = (i64::MAX, i64::MIN);
        for key in keys.iter().flatten() {
            (lowest, highest) = (lowest.min(key), highest.max(key));
        }
        if lowest > highest {
            return Some(Self { lowest: 0, places: Vec::new() });
        }
        let width = highest.abs_diff(lowest);
        if width >= NEAR.max(SPREAD * keys.len() as u64) {
            return None;
        }
        let mut places = vec![NONE; width as usize + 1];
        for (at, key) in keys.iter().enumerate() {
            if let Some(key) = key {
                places[key.abs_diff(lowest) as usize] = at as IdxSize;
            }
        }
        Some(Self { lowest, places })
    }

    fn of_all(&self, keys: &Int64Chunked) -> IdxCa {
        let place = |key: i64| {
            let at = usize::try_from(key.wrapping_sub(self.lowest) as u64).ok()?;
            self.places.get(at).copied().filter(|at| *at != NONE)
        };
        pl::arity::unary_elementwise(keys, |key: Option<i64>| key.and_then(place))
    }
}
