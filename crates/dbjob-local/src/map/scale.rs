//! `standardize` and `min_max`: a shift and a scale from the train rows. Null and NaN are not counted; NaN stays NaN.

use dbjob_plan::{MapLink, RunError};
use polars::prelude::{self as pl, ChunkApply, Column, IntoColumn, PolarsResult};

use super::{Map, MapState, aggregates};
use crate::fault::engine_error;

/// Mean 0 and population standard deviation 1 over the train rows, as scikit-learn's StandardScaler.
pub(super) struct Standardize;
/// The train rows' minimum becomes 0, their maximum 1.
pub(super) struct MinMax;

impl Map for Standardize {
    fn fit(&self, column: &Column, _: &MapLink) -> Result<MapState, RunError> {
        let x = finite();
        affine(column, x.clone().mean(), x.std(0))
    }

    fn apply(&self, column: &Column, _: &MapLink, state: Option<&MapState>) -> PolarsResult<Column> {
        forward(column, state)
    }

    fn invert(&self, column: &Column, _: &MapLink, state: Option<&MapState>) -> Option<PolarsResult<Column>> {
        Some(back(column, state))
    }
}

impl Map for MinMax {
    fn fit(&self, column: &Column, _: &MapLink) -> Result<MapState, RunError> {
        let x = finite();
        affine(column, x.clone().min(), x.clone().max() - x.min())
    }

    fn apply(&self, column: &Column, _: &MapLink, state: Option<&MapState>) -> PolarsResult<Column> {
        forward(column, state)
    }

    fn invert(&self, column: &Column, _: &MapLink, state: Option<&MapState>) -> Option<PolarsResult<Column>> {
        Some(back(column, state))
    }
}

fn finite() -> pl::Expr {
    crate::udf::col("x").cast(pl::DataType::Float64).fill_nan(pl::lit(pl::NULL))
}

fn affine(column: &Column, shift: pl::Expr, scale: pl::Expr) -> Result<MapState, RunError> {
    let row = aggregates(column, vec![shift.alias("shift"), scale.alias("scale")])?;
    let number = |name: &str| -> Result<Option<f64>, RunError> {
        Ok(row.column(name).and_then(|c| c.f64().map(|c| c.get(0))).map_err(engine_error)?)
    };
    let (Some(shift), Some(scale)) = (number("shift")?, number("scale")?) else {
        return Err(RunError::new("E0715", "it has no train value that is a number"));
    };
    if !shift.is_finite() || !scale.is_finite() {
        return Err(RunError::new("E0715", "its train values are not all finite"));
    }
    Ok(MapState::Affine { shift, scale: if scale == 0.0 { 1.0 } else { scale } })
}

fn forward(column: &Column, state: Option<&MapState>) -> PolarsResult<Column> {
    let (shift, scale) = parts(state)?;
    Ok(column.cast(&pl::DataType::Float64)?.f64()?.apply_values(|x| (x - shift) / scale).into_column())
}

fn back(column: &Column, state: Option<&MapState>) -> PolarsResult<Column> {
    let (shift, scale) = parts(state)?;
    Ok(column.f64()?.apply_values(|y| y * scale + shift).into_column())
}

fn parts(state: Option<&MapState>) -> PolarsResult<(f64, f64)> {
    match state {
        Some(MapState::Affine { shift, scale }) => Ok((*shift, *scale)),
        _ => Err(pl::PolarsError::ComputeError("the map's stored state is of another kind".into())),
    }
}
