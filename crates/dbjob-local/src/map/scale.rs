//! `standardize`, `min_max` and `robust`: a shift and a scale from the train rows. Null and NaN are not counted; NaN stays
//! NaN. Sums are taken in the order of the rows, so that they do not depend on threads.

use dbjob_plan::{Affine, MapLink, RunError};
use polars::prelude::{self as pl, ChunkApply, Column, IntoColumn, PolarsResult};

use super::fit::Train;
use super::{Map, MapState, other_state};

/// Mean 0 and population standard deviation 1 over the train rows, as scikit-learn's StandardScaler.
pub(super) struct Standardize;
/// The train rows' minimum becomes 0, their maximum 1.
pub(super) struct MinMax;
/// The train rows' median becomes 0, the distance of their quartiles 1, as scikit-learn's RobustScaler.
pub(super) struct Robust;

macro_rules! scale {
    ($map:ty, $learn:expr) => {
        impl Map for $map {
            fn fit(&self, train: &Train<'_>, _: &MapLink) -> Result<MapState, RunError> {
                let learn: fn(&mut Vec<f64>) -> Affine = $learn;
                let mut values = train.numbers()?;
                Ok(MapState::Affine(checked(learn(&mut values))?))
            }

            fn apply(&self, columns: &[Column], _: &MapLink, state: Option<&MapState>) -> PolarsResult<Column> {
                let scale = affine(state)?;
                Ok(columns[0].cast(&pl::DataType::Float64)?.f64()?.apply_values(|x| scale.forward(x)).into_column())
            }

            fn invert(&self, column: &Column, _: &MapLink, state: Option<&MapState>) -> Option<PolarsResult<Column>> {
                let back = || Ok(column.f64()?.apply_values(|y| affine(state).map_or(y, |s| s.back(y))).into_column());
                Some(affine(state).and_then(|_| back()))
            }
        }
    };
}

scale!(Standardize, |values| standard(values));
scale!(MinMax, |values| {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Affine { shift: low, scale: high - low }
});
scale!(Robust, |values| {
    values.sort_unstable_by(f64::total_cmp);
    Affine { shift: quantile(values, 0.5), scale: quantile(values, 0.75) - quantile(values, 0.25) }
});

/// Mean and population standard deviation, in two passes.
pub(super) fn standard(values: &[f64]) -> Affine {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    // The mean of equal values may be off by its rounding, and is no spread.
    if values.iter().all(|x| *x == values[0]) {
        return Affine { shift: values[0], scale: 0.0 };
    }
    let variance = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
    Affine { shift: mean, scale: variance.sqrt() }
}

/// Of ascending values, linearly interpolated.
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    if below == above { below } else { below + (above - below) * at.fract() }
}

/// Zero spread: scale 1. Errors: E0715 when there is no finite one.
pub(super) fn checked(found: Affine) -> Result<Affine, RunError> {
    if !found.shift.is_finite() || !found.scale.is_finite() {
        return Err(RunError::new("E0715", "its train values are not all finite"));
    }
    Ok(Affine { scale: if found.scale == 0.0 { 1.0 } else { found.scale }, ..found })
}

fn affine(state: Option<&MapState>) -> PolarsResult<Affine> {
    match state {
        Some(MapState::Affine(affine)) => Ok(*affine),
        _ => Err(other_state()),
    }
}
