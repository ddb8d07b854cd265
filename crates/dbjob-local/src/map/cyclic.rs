//! `cyclic`: a point on the unit circle.

use std::f64::consts::TAU;

use dbjob_plan::MapLink;
use polars::prelude::{self as pl, Column, IntoColumn, ListBuilderTrait, ListPrimitiveChunkedBuilder, PolarsResult};

use super::{Map, MapState};

pub(super) struct Cyclic;

fn period(link: &MapLink) -> f64 {
    link.options.get("period").and_then(dbjob_plan::Value::as_f64).unwrap_or(1.0)
}

impl Map for Cyclic {
    fn apply(&self, columns: &[Column], link: &MapLink, _: Option<&MapState>) -> PolarsResult<Column> {
        let period = period(link);
        let x = columns[0].cast(&pl::DataType::Float64)?;
        let mut out = ListPrimitiveChunkedBuilder::<pl::Float64Type>::new(
            x.name().clone(),
            x.len(),
            x.len() * 2,
            pl::DataType::Float64,
        );
        for x in x.f64()?.iter() {
            match x {
                // Of large numbers only the remainder counts, and it is exact.
                Some(x) => {
                    let (sin, cos) = (x.rem_euclid(period) / period * TAU).sin_cos();
                    out.append_slice(&[sin, cos]);
                }
                None => out.append_null(),
            }
        }
        Ok(out.finish().into_column())
    }

    /// From 0 on, below the period. What rounding puts at the period itself is 0.
    fn invert(&self, column: &Column, link: &MapLink, _: Option<&MapState>) -> Option<PolarsResult<Column>> {
        Some(back(column, period(link), link.from == dbjob_plan::DataType::Int))
    }
}

fn back(column: &Column, period: f64, whole: bool) -> PolarsResult<Column> {
    let lists = column.list()?;
    let mut out = Vec::with_capacity(lists.len());
    for i in 0..lists.len() {
        let Some(point) = lists.get_as_series(i) else {
            out.push(None);
            continue;
        };
        let point = point.f64()?;
        out.push(point.get(0).zip(point.get(1)).map(|(sin, cos)| {
            let turns = (sin.atan2(cos) / TAU).rem_euclid(1.0);
            let x = if whole { (turns * period).round() } else { turns * period };
            if x >= period { 0.0 } else { x }
        }));
    }
    Ok(pl::Float64Chunked::from_iter(out).into_column())
}
