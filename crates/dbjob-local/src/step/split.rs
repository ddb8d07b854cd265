//! The deterministic split: a hash of the key decides, so that it is the same on every engine and stable as data grow.

use dbjob_plan::{DataType, PART, PART_TEST, PART_TRAIN, PART_VALID, RunError, Split, civil_date, civil_datetime};
use polars::prelude::{self as pl, Column, Expr, IntoColumn, LazyFrame, PolarsResult};
use twox_hash::XxHash64;

use super::Step;
use crate::udf::{self, col};

/// What stands for null in a key; no text of a table begins so.
pub(crate) const NULL_KEY: &str = "\u{0}null";
/// Between the parts of a key of several columns.
pub(crate) const UNIT_SEPARATOR: char = '\u{1f}';

const ROW: &str = "__row";

pub(super) fn lower(step: &Step<'_>, frame: LazyFrame, split: &Split) -> Result<LazyFrame, RunError> {
    let seed = step.plan.seed;
    let (train, valid) = (split.train, split.train + split.valid);
    // Shares that sum to 1 up to rounding leave no gap at the end.
    let last = if split.test > 0.0 {
        PART_TEST
    } else if split.valid > 0.0 {
        PART_VALID
    } else {
        PART_TRAIN
    };
    let part = move |u: f64| match u {
        u if u < train => PART_TRAIN,
        u if u < valid => PART_VALID,
        _ => last,
    };
    let (frame, inputs, types) = if split.by.is_empty() {
        let row = col(ROW).cast(pl::DataType::Int64);
        (frame.with_row_index(ROW, None), vec![row], vec![DataType::Int])
    } else {
        let schema = step.input_schema(0);
        let types = split.by.iter().map(|n| schema.get(n).map_or(DataType::String, |f| f.dtype.clone())).collect();
        (frame, split.by.iter().map(|n| col(n.as_str())).collect::<Vec<Expr>>(), types)
    };
    let decide = udf::map_n(inputs, pl::DataType::Int64, move |columns| parts(columns, &types, seed, &part));
    let frame = frame.with_columns([decide.alias(PART)]);
    Ok(if split.by.is_empty() { frame.drop(pl::by_name([ROW], true, false)) } else { frame })
}

fn parts(columns: &[Column], types: &[DataType], seed: i64, part: &dyn Fn(f64) -> i64) -> PolarsResult<Column> {
    let rows = columns[0].len();
    let physical: Vec<Column> = columns.iter().map(Column::to_physical_repr).collect();
    let mut texts = Vec::with_capacity(columns.len());
    for (column, dtype) in physical.iter().zip(types) {
        texts.push(key_texts(column, dtype)?);
    }
    let mut out = Vec::with_capacity(rows);
    let prefix = format!("{seed}|");
    let mut key = String::new();
    for row in 0..rows {
        key.clear();
        key.push_str(&prefix);
        for (i, text) in texts.iter().enumerate() {
            if i > 0 {
                key.push(UNIT_SEPARATOR);
            }
            text(row, &mut key);
        }
        out.push(part(share(&key)));
    }
    Ok(pl::Int64Chunked::from_vec("".into(), out).into_column())
}

/// u in [0, 1) of a whole key text.
pub(crate) fn share(key: &str) -> f64 {
    (XxHash64::oneshot(42, key.as_bytes()) >> 11) as f64 * (0.5_f64).powi(53)
}

type KeyText<'a> = Box<dyn Fn(usize, &mut String) + 'a>;

/// Appends the canonical text of a row's value: ints in decimal, dates `YYYY-MM-DD`, datetimes `YYYY-MM-DDThh:mm:ss` with
/// a fraction only if there is one, bools `true` and `false`, strings as they are.
fn key_texts<'a>(column: &'a Column, dtype: &DataType) -> PolarsResult<KeyText<'a>> {
    use std::fmt::Write as _;
    fn put<T>(value: Option<T>, out: &mut String, show: impl Fn(T, &mut String)) {
        match value {
            Some(value) => show(value, out),
            None => out.push_str(NULL_KEY),
        }
    }
    Ok(match dtype {
        DataType::String | DataType::Category { .. } => {
            let values = column.str()?;
            Box::new(move |row, out| put(values.get(row), out, |s, out| out.push_str(s)))
        }
        DataType::Bool => {
            let values = column.bool()?;
            Box::new(move |row, out| put(values.get(row), out, |b, out| out.push_str(if b { "true" } else { "false" })))
        }
        DataType::Date => {
            let values = column.i32()?;
            Box::new(move |row, out| put(values.get(row), out, |d, out| out.push_str(&civil_date(d))))
        }
        DataType::Datetime => {
            let values = column.i64()?;
            Box::new(move |row, out| put(values.get(row), out, |us, out| out.push_str(&civil_datetime(us))))
        }
        _ => {
            let values = column.i64()?;
            Box::new(move |row, out| {
                put(values.get(row), out, |i, out| write!(out, "{i}").expect("writing to a string cannot fail"));
            })
        }
    })
}
