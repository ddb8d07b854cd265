//! `clip`, `bucket` and `hash_bucket`: numbers and levels in fewer of them.

use dbjob_plan::{DataType, MapLink, RunError, Value};
use polars::prelude::{self as pl, ChunkApply, Column, IntoColumn, PolarsResult};

use super::fit::Train;
use super::key::texts;
use super::scale::quantile;
use super::{Map, MapState, int_option, other_state};

pub(super) struct Clip;
/// The number of edges that are not above the value; NaN is above all.
pub(super) struct Bucket;
/// XXH64 of the value's text, modulo the number of buckets.
pub(super) struct HashBucket;

impl Map for Clip {
    fn apply(&self, columns: &[Column], link: &MapLink, _: Option<&MapState>) -> PolarsResult<Column> {
        let end = |name: &str| link.options.get(name).unwrap_or(&Value::Null);
        if let (DataType::Int, Some(low), Some(high)) = (&link.to, end("low").as_i64(), end("high").as_i64()) {
            return Ok(columns[0].i64()?.apply_values(|x| x.clamp(low, high)).into_column());
        }
        let (Some(low), Some(high)) = (end("low").as_f64(), end("high").as_f64()) else { return Err(other_state()) };
        Ok(columns[0].cast(&pl::DataType::Float64)?.f64()?.apply_values(|x| x.clamp(low, high)).into_column())
    }
}

impl Map for Bucket {
    fn fit(&self, train: &Train<'_>, link: &MapLink) -> Result<MapState, RunError> {
        let mut values = train.numbers()?;
        values.sort_unstable_by(f64::total_cmp);
        let n = int_option(link, "quantiles", 2);
        let mut edges: Vec<f64> = (1..n).map(|i| quantile(&values, i as f64 / n as f64)).collect();
        edges.dedup();
        if !edges.iter().all(|x| x.is_finite()) {
            return Err(RunError::new("E0715", "its train values are not all finite"));
        }
        Ok(MapState::Edges { edges })
    }

    fn apply(&self, columns: &[Column], link: &MapLink, state: Option<&MapState>) -> PolarsResult<Column> {
        let edges: Vec<f64> = match (state, link.options.get("edges")) {
            (Some(MapState::Edges { edges }), _) => edges.clone(),
            (None, Some(Value::List(edges))) => edges.iter().filter_map(Value::as_f64).collect(),
            _ => return Err(other_state()),
        };
        let bucket = |x: f64| if x.is_nan() { edges.len() } else { edges.partition_point(|edge| *edge <= x) };
        let x = columns[0].cast(&pl::DataType::Float64)?;
        Ok(x.f64()?.iter().map(|x| x.map(|x| bucket(x) as i64)).collect::<pl::Int64Chunked>().into_column())
    }
}

impl Map for HashBucket {
    fn apply(&self, columns: &[Column], link: &MapLink, _: Option<&MapState>) -> PolarsResult<Column> {
        let n = int_option(link, "n", 1).max(1) as u64;
        let bucket = |text: &str| (twox_hash::XxHash64::oneshot(42, text.as_bytes()) % n) as i64;
        let mut out = Vec::with_capacity(columns[0].len());
        texts(&columns[0], &link.from, |text| out.push(text.map(bucket)))?;
        Ok(pl::Int64Chunked::from_iter(out).into_column())
    }
}
