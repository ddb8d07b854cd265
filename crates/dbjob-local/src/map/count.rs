//! `count_encode` and `target_encode`: a number for each level, from the train rows that have it.

use std::collections::BTreeMap;

use dbjob_plan::{MapLink, Means, RunError, Value};
use polars::prelude::{self as pl, Column, IntoColumn, PolarsResult};

use super::fit::Train;
use super::key::texts;
use super::{Map, MapState, other_state};
use crate::fault::engine_error;

pub(super) struct CountEncode;
/// The mean of a target: (sum + smoothing * mean of all) / (rows + smoothing).
pub(super) struct TargetEncode;

impl Map for CountEncode {
    fn fit(&self, train: &Train<'_>, link: &MapLink) -> Result<MapState, RunError> {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        texts(train.column(), &link.from, |text| {
            if let Some(text) = text {
                match counts.get_mut(text) {
                    Some(count) => *count += 1,
                    None => drop(counts.insert(text.to_owned(), 1)),
                }
            }
        })
        .map_err(engine_error)?;
        Ok(MapState::Counts { counts })
    }

    fn apply(&self, columns: &[Column], link: &MapLink, state: Option<&MapState>) -> PolarsResult<Column> {
        let Some(MapState::Counts { counts }) = state else { return Err(other_state()) };
        let mut out = Vec::with_capacity(columns[0].len());
        let count = |text: &str| counts.get(text).map_or(0, |n| *n as i64);
        texts(&columns[0], &link.from, |text| out.push(text.map(count)))?;
        Ok(pl::Int64Chunked::from_iter(out).into_column())
    }
}

impl Map for TargetEncode {
    fn fit(&self, train: &Train<'_>, link: &MapLink) -> Result<MapState, RunError> {
        let (Some(target), Some(folds)) = (train.target, &train.folds) else {
            return Err(RunError::new("E0799", "a target encoder has no target"));
        };
        let target = target.cast(&pl::DataType::Float64).map_err(engine_error)?;
        let target: Vec<Option<f64>> =
            target.f64().map_err(engine_error)?.iter().map(|x| x.filter(|x| !x.is_nan())).collect();
        if target.iter().all(Option::is_none) {
            return Err(RunError::new("E0715", "its target is null in all train rows"));
        }
        let mut all = Sums::new(folds.count);
        let mut levels: BTreeMap<String, Sums> = BTreeMap::new();
        let mut row = 0;
        texts(train.column(), &link.from, |text| {
            if let Some(y) = target[row] {
                let fold = folds.of_row[row];
                all.add(fold, y);
                if let Some(text) = text {
                    match levels.get_mut(text) {
                        Some(sums) => sums.add(fold, y),
                        None => levels.entry(text.to_owned()).or_insert(Sums::new(folds.count)).add(fold, y),
                    }
                }
            }
            row += 1;
        })
        .map_err(engine_error)?;
        let smoothing = link.options.get("smoothing").and_then(Value::as_f64).unwrap_or_default();
        let means = |without: Option<usize>| {
            let mean = all.without(without).mean(0.0, 0.0);
            // Where nothing is left of the train rows, nothing is known but what all of them say.
            let mean = mean.unwrap_or_else(|| all.without(None).mean(0.0, 0.0).unwrap_or_default());
            let of = |sums: &Sums| sums.without(without).mean(smoothing, mean);
            let levels = levels.iter().filter_map(|(text, sums)| Some((text.clone(), of(sums)?))).collect();
            Means { all: mean, levels, without: Vec::new() }
        };
        let without = (0..folds.count).map(|fold| means(Some(fold))).collect();
        Ok(MapState::Means(Box::new(Means { without, ..means(None) })))
    }

    /// From all train rows, or with a second column of folds (-1: none) from those outside of the row's own.
    fn apply(&self, columns: &[Column], link: &MapLink, state: Option<&MapState>) -> PolarsResult<Column> {
        let Some(MapState::Means(means)) = state else { return Err(other_state()) };
        let folds = columns.get(1).map(|c| c.i64()).transpose()?;
        let mut out = Vec::with_capacity(columns[0].len());
        texts(&columns[0], &link.from, |text| {
            let fold = folds.and_then(|f| f.get(out.len())).and_then(|f| usize::try_from(f).ok());
            let means = fold.and_then(|fold| means.without.get(fold)).unwrap_or(means);
            out.push(text.map(|text| means.levels.get(text).copied().unwrap_or(means.all)));
        })?;
        Ok(pl::Float64Chunked::from_iter(out).into_column())
    }
}

/// The rows of a level and the sum of their targets, by fold.
#[derive(Debug, Clone)]
struct Sums(Vec<Sum>);

#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    rows: f64,
    total: f64,
}

impl Sums {
    fn new(folds: usize) -> Self {
        Self(vec![Sum::default(); folds])
    }

    fn add(&mut self, fold: usize, y: f64) {
        self.0[fold].rows += 1.0;
        self.0[fold].total += y;
    }

    /// Over all folds but one.
    fn without(&self, fold: Option<usize>) -> Sum {
        let kept = self.0.iter().enumerate().filter(|(i, _)| Some(*i) != fold);
        kept.fold(Sum::default(), |a, (_, b)| Sum { rows: a.rows + b.rows, total: a.total + b.total })
    }
}

impl Sum {
    /// `None` where there is no row and nothing to draw it to.
    fn mean(self, smoothing: f64, all: f64) -> Option<f64> {
        let rows = self.rows + smoothing;
        (rows > 0.0 && self.rows > 0.0).then(|| (self.total + smoothing * all) / rows)
    }
}
