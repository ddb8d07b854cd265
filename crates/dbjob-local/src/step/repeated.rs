//! Keys that more than one row has.

use dbjob_plan::{DataLocation, ROW, RunError, Value};
use polars::prelude::{
    self as pl, DataFrame, Expr, IntoLazy, JoinArgs, JoinType, LazyFrame, MaintainOrderJoin, PolarsResult,
};

use crate::fault::{engine_error, guarded};
use crate::types::value_of;
use crate::udf::{col, hashable, without_beside};

/// The first key that repeats, and how many do.
pub(crate) struct Repeated {
    values: Vec<Value>,
    /// Its rows, 1-based, ascending.
    rows: Vec<u64>,
    keys: u64,
}

impl Repeated {
    /// E0708. `columns` are the names of the key's columns as the user knows them.
    pub fn error(&self, columns: &[&str], table: &str) -> RunError {
        let key: Vec<String> = columns.iter().zip(&self.values).map(|(c, v)| format!("{c} = {v}")).collect();
        let others = match self.keys {
            1 => String::new(),
            2 => "; 1 other key repeats too".to_string(),
            n => format!("; {} other keys repeat too", n - 1),
        };
        let key = key.join(", ");
        let data = DataLocation {
            row: self.rows.get(1).copied(),
            column: Some(columns.join(", ")),
            value: Some(key.clone()),
            ..Default::default()
        };
        let (count, rows) = (self.rows.len(), listed(&self.rows));
        RunError::new(
            "E0708",
            format!("`{table}` has {count} rows with {key} ({rows}), but the key must be unique{others}"),
        )
        .help("make it unique with `distinct by`, or do not declare it a key")
        .data(data)
    }

    /// How many keys repeat.
    pub fn keys(&self) -> u64 {
        self.keys
    }
}

/// `rows 3 and 7`, `rows 3, 7, 9, …`
fn listed(rows: &[u64]) -> String {
    match rows {
        [a, b] => format!("rows {a} and {b}"),
        some => {
            let shown: Vec<String> = some.iter().take(3).map(u64::to_string).collect();
            format!("rows {}{}", shown.join(", "), if some.len() > 3 { ", …" } else { "" })
        }
    }
}

/// The first key that repeats, if one does. Without `nulls_count` keys with a null in them may.
pub(crate) fn repeated(frame: LazyFrame, keys: &[Expr], nulls_count: bool) -> Result<Option<Repeated>, RunError> {
    const COUNT: &str = "__rows";
    let mut known = frame.clone();
    if !nulls_count {
        for key in keys {
            known = known.filter(key.clone().is_not_null());
        }
    }
    let counted = guarded(|| {
        // One column may be a key twice: `on a == r.b and a == r.c`.
        let named = keys.iter().enumerate().map(|(i, key)| key.clone().alias(format!("__key_{i}"))).collect();
        let (known, keys) = hashable(known, named)?;
        let counted = known.group_by(&keys).agg([pl::len().alias(COUNT)]).filter(col(COUNT).gt(pl::lit(1)));
        without_beside(counted, &keys).collect_with_engine(pl::Engine::Streaming).map(|r| r.unwrap_single())
    })
    .map_err(engine_error)?;
    if counted.height() == 0 {
        return Ok(None);
    }
    let rows = guarded(|| rows_of(frame, keys, &counted)).map_err(engine_error)?;
    let value = |row: usize, key: usize| rows.columns()[key].get(row).map(|v| value_of(&v)).map_err(engine_error);
    let values = (0..keys.len()).map(|key| value(0, key)).collect::<Result<Vec<_>, _>>()?;
    let numbers = rows.column(ROW).and_then(|c| c.cast(&pl::DataType::UInt64)).map_err(engine_error)?;
    let numbers = numbers.u64().map_err(engine_error)?;
    let mut same = Vec::new();
    for row in 0..rows.height() {
        let here = (0..keys.len()).map(|key| value(row, key)).collect::<Result<Vec<_>, _>>()?;
        if here == values {
            same.push(numbers.get(row).unwrap_or_default() + 1);
        }
    }
    Ok(Some(Repeated { values, rows: same, keys: counted.height() as u64 }))
}

/// The rows whose key is among `counted`: the key, then the row's number from 0; in order.
fn rows_of(frame: LazyFrame, keys: &[Expr], counted: &DataFrame) -> PolarsResult<DataFrame> {
    let names: Vec<String> = (0..keys.len()).map(|i| format!("__key_{i}")).collect();
    let named: Vec<Expr> = keys.iter().zip(&names).map(|(key, name)| key.clone().alias(name.as_str())).collect();
    // The table may have a column of that name: rows of folds are numbered.
    let columns: Vec<Expr> = names.iter().map(String::as_str).chain([ROW]).map(col).collect();
    let numbered = frame.select(named).with_row_index(ROW, None).select(columns);
    let found = counted.columns()[..keys.len()].iter().zip(&names).map(|(c, name)| c.clone().with_name(name.into()));
    let found = DataFrame::new(counted.height(), found.collect())?;
    let on: Vec<Expr> = names.iter().map(|n| col(n.as_str())).collect();
    let args = JoinArgs { nulls_equal: true, maintain_order: MaintainOrderJoin::Left, ..JoinArgs::new(JoinType::Semi) };
    let (numbered, on) = hashable(numbered, on.clone())?;
    let (found, _) = hashable(found.lazy(), on[..keys.len()].to_vec())?;
    numbered.join(found, on.clone(), on, args).sort([ROW], Default::default()).collect()
}
