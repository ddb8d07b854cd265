//! The deterministic split and sample: a hash of the key decides, so that a row's part is the same on every engine and
//! stable as data grow; or its time, or a column of the table.

mod hash;
mod parts;

use dbjob_plan::{
    DataLocation, DataType, FOLD, FOLD_FROM, NO_FOLD, PART, PART_TEST, PART_TRAIN, PART_VALID, ROW, RunError, Sample,
    Schema, Split, SplitFolds, SplitKey, SplitParts,
};
use polars::prelude::{self as pl, Column, DataFrame, Expr, IntoColumn, LazyFrame, NamedFrom, PolarsResult, Series};

use super::Step;
use crate::fault::engine_error;
use crate::types::value_of;
use crate::udf::{self, col};
pub(crate) use hash::{RowHash, Texts};
use parts::{Bounds, Rolling};

pub(crate) use hash::share;

/// A row's number while it is hashed.
const NUMBER: &str = "__number";

/// Whether the part of a row hangs on that row alone, so that the split can be part of a lazy query.
pub(crate) fn is_lazy(split: &Split) -> bool {
    let alone = matches!(split.parts, SplitParts::Hash { .. } | SplitParts::Bounded { gap: 0, .. });
    alone && split.folds.is_none() && !split.key().is_some_and(|key| key.unique)
}

/// A split of which [`is_lazy`] holds.
pub(super) fn lower(step: &Step<'_>, frame: LazyFrame, split: &Split) -> Result<LazyFrame, RunError> {
    match &split.parts {
        SplitParts::Hash { key, shares } => {
            let (hash, shares) = (RowHash::new(step.plan.seed, "", key, step.input_schema(0)), *shares);
            let decide = move |columns: &[Column]| {
                let parts = hash.of(columns)?.into_iter().map(|u| parts::at(shares, u)).collect();
                Ok(pl::Int64Chunked::from_vec("".into(), parts).into_column())
            };
            Ok(hashed(frame, key, |frame, inputs| {
                frame.with_columns([udf::map_n(inputs, pl::DataType::Int64, decide).alias(PART)])
            }))
        }
        SplitParts::Bounded { time, valid_from, test_from, gap } => {
            let bounds = Bounds { valid_from: *valid_from, test_from: *test_from, gap: *gap };
            let decide = move |column: &Column| {
                let parts = times(column)?.into_iter().map(|t| bounds.part(t)).collect::<pl::Int64Chunked>();
                Ok(parts.into_column())
            };
            Ok(frame.with_columns([udf::map1(col(time.as_str()), pl::DataType::Int64, decide).alias(PART)]))
        }
        _ => Err(RunError::new("E0799", "this split needs all of its rows")),
    }
}

pub(super) fn lower_sample(step: &Step<'_>, frame: LazyFrame, sample: &Sample) -> LazyFrame {
    let salt = format!("sample{}", sample.number);
    let hash = RowHash::new(step.plan.seed, &salt, &sample.key, step.input_schema(0));
    let share = sample.share;
    let decide = move |columns: &[Column]| {
        Ok(hash.of(columns)?.into_iter().map(|u| Some(u < share)).collect::<pl::BooleanChunked>().into_column())
    };
    hashed(frame, &sample.key, |frame, inputs| {
        let chosen = udf::map_n(inputs, pl::DataType::Boolean, decide);
        frame.filter(if sample.on_train { col(PART).neq(pl::lit(PART_TRAIN)).or(chosen) } else { chosen })
    })
}

/// A step over the columns that a row is hashed by: those of the key, else the number of the row, for as long.
fn hashed(frame: LazyFrame, key: &SplitKey, step: impl FnOnce(LazyFrame, Vec<Expr>) -> LazyFrame) -> LazyFrame {
    if key.columns.is_empty() {
        let number = col(NUMBER).cast(pl::DataType::Int64);
        step(frame.with_row_index(NUMBER, None), vec![number]).drop(pl::by_name([NUMBER], true, false))
    } else {
        step(frame, key.columns.iter().map(|n| col(n.as_str())).collect())
    }
}

/// The table with the hidden columns of any split, without the rows in its gaps.
///
/// Errors: E0707 for a given part that is none.
pub(crate) fn assign(step: &Step<'_>, table: &DataFrame, split: &Split) -> Result<DataFrame, RunError> {
    let assigning = Assigning { step, table };
    let parts = assigning.parts(&split.parts)?;
    let mut columns = vec![Series::new(PART.into(), &parts).into_column()];
    if let Some(folds) = &split.folds {
        columns.extend(assigning.folds(folds, &parts)?);
        columns.push(Series::new(ROW.into(), (0..table.height() as i64).collect::<Vec<_>>()).into_column());
    }
    let all = table.hstack(&columns).map_err(engine_error)?;
    if parts.iter().all(Option::is_some) {
        return Ok(all);
    }
    let kept: pl::BooleanChunked = parts.iter().map(|p| Some(p.is_some())).collect();
    all.filter(&kept).map_err(engine_error)
}

/// The table of a split, or of one without, with the columns of folds of its train rows.
pub(crate) fn cut(step: &Step<'_>, table: &DataFrame, folds: &SplitFolds) -> Result<DataFrame, RunError> {
    let parts = table.column(PART).and_then(|c| c.i64()).map_err(engine_error)?.iter().collect::<Vec<_>>();
    let columns = Assigning { step, table }.folds(folds, &parts)?;
    table.hstack(&columns).map_err(engine_error)
}

struct Assigning<'a> {
    step: &'a Step<'a>,
    table: &'a DataFrame,
}

impl Assigning<'_> {
    fn column(&self, name: &str) -> Result<&Column, RunError> {
        self.table.column(name).map_err(engine_error)
    }

    fn dtype(&self, name: &str) -> DataType {
        self.step.input_schema(0).get(name).map_or(DataType::String, |f| f.dtype.clone())
    }

    /// `None` in a gap.
    fn parts(&self, parts: &SplitParts) -> Result<Vec<Option<i64>>, RunError> {
        Ok(match parts {
            SplitParts::Hash { key, shares } => {
                self.hashes(key, "")?.into_iter().map(|u| Some(parts::at(*shares, u))).collect()
            }
            SplitParts::Stratified { key, column, shares } => {
                let ranks = parts::ranks(&self.strata(column)?, &self.hashes(key, "")?);
                ranks.into_iter().map(|(rank, n)| Some(parts::at_rank(*shares, rank, n))).collect()
            }
            SplitParts::Bounded { time, valid_from, test_from, gap } => {
                let bounds = Bounds { valid_from: *valid_from, test_from: *test_from, gap: *gap };
                self.times(time)?.into_iter().map(|t| bounds.part(t)).collect()
            }
            SplitParts::Ordered { time, shares, gap } => {
                let times = self.times(time)?;
                let bounds = Bounds::of_shares(&times, *shares, *gap);
                times.into_iter().map(|t| bounds.part(t)).collect()
            }
            SplitParts::Given { column } => self.given(column)?,
        })
    }

    fn folds(&self, folds: &SplitFolds, parts: &[Option<i64>]) -> Result<Vec<Column>, RunError> {
        let train = |row: usize| parts[row] == Some(PART_TRAIN);
        let only_train = |folds: Vec<i64>| -> Vec<i64> {
            folds.into_iter().enumerate().map(|(row, fold)| if train(row) { fold } else { NO_FOLD }).collect()
        };
        let column = |name: &str, values: Vec<i64>| Series::new(name.into(), values).into_column();
        Ok(match folds {
            SplitFolds::Hash { key, count } => {
                let folds = self.hashes(key, "folds")?.into_iter().map(|u| (u * f64::from(*count)) as i64).collect();
                vec![column(FOLD, only_train(folds))]
            }
            SplitFolds::Stratified { key, column: by, count } => {
                // Only train rows count, so that the folds of a stratum differ by one row at most.
                let mut strata = self.strata(by)?;
                for (row, stratum) in strata.iter_mut().enumerate() {
                    stratum.insert(0, if train(row) { 't' } else { 'o' });
                }
                let ranks = parts::ranks(&strata, &self.hashes(key, "folds")?);
                let folds = ranks.into_iter().map(|(rank, _)| (rank % *count as usize) as i64).collect();
                vec![column(FOLD, only_train(folds))]
            }
            SplitFolds::Rolling { time, count, gap } => {
                let times = self.times(time)?;
                let of_train = times.iter().enumerate().filter(|(row, _)| train(*row)).map(|(_, t)| *t);
                let rolling = Rolling::of(of_train, *count, *gap);
                let (folds, from): (Vec<i64>, Vec<i64>) = times.iter().map(|t| rolling.fold(*t)).unzip();
                vec![column(FOLD, only_train(folds)), column(FOLD_FROM, from)]
            }
        })
    }

    fn hashes(&self, key: &SplitKey, salt: &str) -> Result<Vec<f64>, RunError> {
        let none = Schema::default();
        let (columns, schema) = match key.columns.as_slice() {
            [] => {
                let numbers: Vec<i64> = (0..self.table.height() as i64).collect();
                (vec![Series::new(NUMBER.into(), numbers).into_column()], &none)
            }
            some => {
                (some.iter().map(|n| self.column(n).cloned()).collect::<Result<_, _>>()?, self.step.input_schema(0))
            }
        };
        RowHash::new(self.step.plan.seed, salt, key, schema).of(&columns).map_err(engine_error)
    }

    fn strata(&self, name: &str) -> Result<Vec<String>, RunError> {
        let column = self.column(name)?.to_physical_repr();
        let texts = Texts::new(std::slice::from_ref(&column), &[self.dtype(name)]).map_err(engine_error)?;
        let text = |row| {
            let mut text = String::new();
            texts.push(row, &mut text);
            text
        };
        Ok((0..column.len()).map(text).collect())
    }

    fn times(&self, name: &str) -> Result<Vec<i64>, RunError> {
        times(self.column(name)?).map_err(engine_error)
    }

    fn given(&self, name: &str) -> Result<Vec<Option<i64>>, RunError> {
        let column = self.column(name)?;
        let part = |row: usize| {
            let value = column.get(row).map_err(engine_error)?;
            if let pl::AnyValue::Boolean(test) = value {
                return Ok(Some(if test { PART_TEST } else { PART_TRAIN }));
            }
            match value.get_str() {
                Some("train") => return Ok(Some(PART_TRAIN)),
                Some("valid") => return Ok(Some(PART_VALID)),
                Some("test") => return Ok(Some(PART_TEST)),
                _ => {}
            }
            let (row, value) = (row as u64 + 1, value_of(&value).to_string());
            let data = DataLocation {
                row: Some(row),
                column: Some(name.into()),
                value: Some(value.clone()),
                ..Default::default()
            };
            Err(RunError::new("E0707", format!("`{name}` is {value} in row {row}, and no part is called so"))
                .help("the parts are \"train\", \"valid\" and \"test\"")
                .data(data))
        };
        (0..column.len()).map(part).collect()
    }
}

/// Microseconds; of a date: its midnight.
fn times(column: &Column) -> PolarsResult<Vec<i64>> {
    const DAY: i64 = 86_400_000_000;
    let physical = column.to_physical_repr();
    let missing = || pl::PolarsError::ComputeError("a time of the split is null".into());
    if *column.dtype() == pl::DataType::Date {
        physical.i32()?.iter().map(|d| d.map(|d| i64::from(d) * DAY).ok_or_else(missing)).collect()
    } else {
        physical.i64()?.iter().map(|t| t.ok_or_else(missing)).collect()
    }
}
