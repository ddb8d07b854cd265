//! Categories as numbers: `index`, `labels` and `one_hot`.
//!
//! The levels of a closed category come in their declared order, those of an open one sorted by code point over the train
//! rows. `index` is the 0-based position, -1 for a level that was not seen; null stays null. `one_hot` is one list of
//! floats as long as there are levels; null and unseen levels are all zeros.

use std::collections::{BTreeMap, HashMap};

use dbjob_plan::{DataType, MapLink, RunError, Value};
use polars::prelude::{
    self as pl, Column, IntoColumn, ListBuilderTrait, ListPrimitiveChunkedBuilder, PolarsResult, StringChunked,
};

use super::fit::Train;
use super::{Map, MapState, int_option};
use crate::fault::engine_error;

pub(super) struct Index;
/// [`Index`] over levels that the job gives; any other value is an error.
pub(super) struct Labels;
pub(super) struct OneHot;

impl Map for Index {
    fn fit(&self, train: &Train<'_>, link: &MapLink) -> Result<MapState, RunError> {
        learn(train.column(), link)
    }

    fn apply(&self, columns: &[Column], link: &MapLink, state: Option<&MapState>) -> PolarsResult<Column> {
        let levels = levels(link, state)?;
        let position = positions(&levels);
        let text = columns[0].cast(&pl::DataType::String)?;
        let out: pl::Int64Chunked =
            text.str()?.iter().map(|level| level.map(|level| position.get(level).map_or(-1, |i| *i as i64))).collect();
        Ok(out.into_column())
    }

    fn invert(&self, column: &Column, link: &MapLink, state: Option<&MapState>) -> Option<PolarsResult<Column>> {
        Some(invert_index(column, link, state))
    }
}

impl Map for Labels {
    fn refuses(&self, column: &Column, link: &MapLink) -> PolarsResult<Option<String>> {
        let levels = levels(link, None)?;
        if let Ok(ints) = column.i64() {
            let known = |i: &i64| usize::try_from(*i).is_ok_and(|i| i < levels.len());
            return Ok(ints.iter().flatten().find(|i| !known(i)).map(|i| i.to_string()));
        }
        let Ok(text) = column.str() else { return Ok(None) };
        Ok(text.iter().flatten().find(|t| !levels.iter().any(|l| l == t)).map(|t| format!("{t:?}")))
    }

    fn apply(&self, columns: &[Column], link: &MapLink, state: Option<&MapState>) -> PolarsResult<Column> {
        if link.from.is_text() { Index.apply(columns, link, state) } else { named(&columns[0], &levels(link, None)?) }
    }

    fn invert(&self, column: &Column, link: &MapLink, state: Option<&MapState>) -> Option<PolarsResult<Column>> {
        if link.from.is_text() {
            return Index.invert(column, link, state);
        }
        let back = |levels: Vec<String>| {
            let position = positions(&levels);
            let at: pl::Int64Chunked =
                column.str()?.iter().map(|l| l.and_then(|l| position.get(l)).map(|i| *i as i64)).collect();
            at.into_column().cast(&crate::types::polars_type(&link.from))
        };
        Some(levels(link, None).and_then(back))
    }
}

/// The label at each position; a bool is 0 or 1.
fn named(column: &Column, levels: &[String]) -> PolarsResult<Column> {
    let at = column.cast(&pl::DataType::Int64)?;
    let out: StringChunked = at
        .i64()?
        .iter()
        .map(|i| i.and_then(|i| usize::try_from(i).ok()).and_then(|i| levels.get(i)).map(String::as_str))
        .collect();
    Ok(out.into_column())
}

fn invert_index(column: &Column, link: &MapLink, state: Option<&MapState>) -> PolarsResult<Column> {
    named(column, &levels(link, state)?)?.cast(&crate::types::polars_type(&link.from))
}

impl Map for OneHot {
    fn fit(&self, train: &Train<'_>, link: &MapLink) -> Result<MapState, RunError> {
        learn(train.column(), link)
    }

    fn apply(&self, columns: &[Column], link: &MapLink, state: Option<&MapState>) -> PolarsResult<Column> {
        let levels = levels(link, state)?;
        let position = positions(&levels);
        let text = columns[0].cast(&pl::DataType::String)?;
        let width = levels.len();
        let mut out = ListPrimitiveChunkedBuilder::<pl::Float64Type>::new(
            text.name().clone(),
            text.len(),
            text.len() * width,
            pl::DataType::Float64,
        );
        let mut row = vec![0.0; width];
        for level in text.str()?.iter() {
            let hot = level.and_then(|level| position.get(level).copied());
            if let Some(i) = hot {
                row[i] = 1.0;
            }
            out.append_slice(&row);
            if let Some(i) = hot {
                row[i] = 0.0;
            }
        }
        Ok(out.finish().into_column())
    }

    /// The level of the largest value above 0; all zeros are null. So it also reads probabilities.
    fn invert(&self, column: &Column, link: &MapLink, state: Option<&MapState>) -> Option<PolarsResult<Column>> {
        Some(invert_one_hot(column, link, state))
    }
}

fn invert_one_hot(column: &Column, link: &MapLink, state: Option<&MapState>) -> PolarsResult<Column> {
    let levels = levels(link, state)?;
    let lists = column.list()?;
    let mut out = pl::StringChunkedBuilder::new(column.name().clone(), column.len());
    for i in 0..lists.len() {
        let row = lists.get_as_series(i);
        let hot = match &row {
            Some(row) => {
                let values = row.f64()?;
                let mut best: Option<(usize, f64)> = None;
                for (at, x) in values.iter().enumerate() {
                    if let Some(x) = x
                        && x > best.map_or(0.0, |(_, most)| most)
                    {
                        best = Some((at, x));
                    }
                }
                best.and_then(|(at, _)| levels.get(at))
            }
            None => None,
        };
        out.append_option(hot.map(String::as_str));
    }
    out.finish().into_column().cast(&crate::types::polars_type(&link.from))
}

/// The levels of the train rows that are frequent enough (`min_count`), sorted by code point.
fn learn(column: &Column, link: &MapLink) -> Result<MapState, RunError> {
    let at_least = int_option(link, "min_count", 1).max(1) as u64;
    let text = column.cast(&pl::DataType::String).map_err(engine_error)?;
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for level in text.str().map_err(engine_error)?.iter().flatten() {
        *counts.entry(level).or_default() += 1;
    }
    let levels: Vec<String> = counts.iter().filter(|(_, n)| **n >= at_least).map(|(l, _)| (*l).to_string()).collect();
    if levels.is_empty() {
        return Err(
            RunError::new("E0715", format!("no level has at least {at_least} train rows")).help("lower `min_count`")
        );
    }
    Ok(MapState::Levels { levels })
}

/// The levels that a link goes by: learned, given as an option, or declared.
pub(crate) fn levels(link: &MapLink, state: Option<&MapState>) -> PolarsResult<Vec<String>> {
    if let Some(MapState::Levels { levels }) = state {
        return Ok(levels.clone());
    }
    if let Some(Value::List(items)) = link.options.get("levels") {
        return Ok(items.iter().map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_string)).collect());
    }
    match &link.from {
        DataType::Category { levels: Some(levels) } => Ok(levels.clone()),
        DataType::Bool => Ok(vec!["false".into(), "true".into()]),
        _ => Err(pl::PolarsError::ComputeError(format!("the levels of map `{}` are not known", link.map).into())),
    }
}

fn positions(levels: &[String]) -> HashMap<&str, usize> {
    levels.iter().enumerate().map(|(i, level)| (level.as_str(), i)).collect()
}
