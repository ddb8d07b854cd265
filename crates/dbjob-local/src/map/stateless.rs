//! Maps that learn nothing and whose inverse follows from the formula.

use dbjob_plan::MapLink;
use polars::prelude::{self as pl, ChunkApply, Column, IntoColumn, PolarsResult};

use super::{Map, MapState};

/// A real function and its inverse. Where the function has no real value the result is null.
pub(super) struct Formula {
    forward: fn(f64) -> f64,
    defined: fn(f64) -> bool,
    back: fn(f64) -> f64,
}

const ALWAYS: fn(f64) -> bool = |_| true;

pub(super) const LOG1P: Formula =
    Formula { forward: f64::ln_1p, defined: |x| x > -1.0 || x.is_nan(), back: f64::exp_m1 };
pub(super) const EXPM1: Formula = Formula { forward: f64::exp_m1, defined: ALWAYS, back: f64::ln_1p };
pub(super) const LOG: Formula = Formula { forward: f64::ln, defined: |x| x > 0.0 || x.is_nan(), back: f64::exp };
pub(super) const EXP: Formula = Formula { forward: f64::exp, defined: ALWAYS, back: f64::ln };
pub(super) const SQRT: Formula = Formula { forward: f64::sqrt, defined: |x| x >= 0.0 || x.is_nan(), back: |y| y * y };

impl Map for Formula {
    fn apply(&self, column: &Column, _: &MapLink, _: Option<&MapState>) -> PolarsResult<Column> {
        let x = column.cast(&pl::DataType::Float64)?;
        let out: pl::Float64Chunked =
            x.f64()?.iter().map(|x| x.filter(|x| (self.defined)(*x)).map(self.forward)).collect();
        Ok(out.into_column().with_name(column.name().clone()))
    }

    fn invert(&self, column: &Column, _: &MapLink, _: Option<&MapState>) -> Option<PolarsResult<Column>> {
        Some(column.f64().map(|y| y.apply_values(self.back).into_column()))
    }
}
