//! `power`: the transformation of Yeo and Johnson (A new family of power transformations to improve normality or
//! symmetry, Biometrika 87, 2000), its power chosen by maximum likelihood.

use dbjob_plan::{Affine, MapLink, RunError};
use polars::prelude::{self as pl, ChunkApply, Column, IntoColumn, PolarsResult};

use super::fit::Train;
use super::scale::{checked, standard};
use super::{Map, MapState, other_state};

pub(super) struct Power;

impl Map for Power {
    fn fit(&self, train: &Train<'_>, _: &MapLink) -> Result<MapState, RunError> {
        let values = train.numbers()?;
        if !values.iter().all(|x| x.is_finite()) {
            return Err(RunError::new("E0715", "its train values are not all finite"));
        }
        let lambda = likeliest(&values);
        let bent: Vec<f64> = values.iter().map(|x| bend(*x, lambda)).collect();
        Ok(MapState::Power { lambda, scale: checked(standard(&bent))? })
    }

    fn apply(&self, columns: &[Column], _: &MapLink, state: Option<&MapState>) -> PolarsResult<Column> {
        let (lambda, scale) = parts(state)?;
        let x = columns[0].cast(&pl::DataType::Float64)?;
        Ok(x.f64()?.apply_values(|x| scale.forward(bend(x, lambda))).into_column())
    }

    fn invert(&self, column: &Column, _: &MapLink, state: Option<&MapState>) -> Option<PolarsResult<Column>> {
        let back = |(lambda, scale): (f64, Affine)| {
            Ok(column.f64()?.apply_values(|y| unbend(scale.back(y), lambda)).into_column())
        };
        Some(parts(state).and_then(back))
    }
}

fn parts(state: Option<&MapState>) -> PolarsResult<(f64, Affine)> {
    match state {
        Some(MapState::Power { lambda, scale }) => Ok((*lambda, *scale)),
        _ => Err(other_state()),
    }
}

/// Below 0 the power is 2 - lambda, and the sign is turned.
fn bend(x: f64, lambda: f64) -> f64 {
    if x < 0.0 { -raise(-x, 2.0 - lambda) } else { raise(x, lambda) }
}

/// What is beyond the end of the transformation becomes infinite.
fn unbend(y: f64, lambda: f64) -> f64 {
    if y < 0.0 { -lower(-y, 2.0 - lambda) } else { lower(y, lambda) }
}

/// ((1 + x) ** power - 1) / power of x >= 0, exact near 0.
fn raise(x: f64, power: f64) -> f64 {
    if power == 0.0 { x.ln_1p() } else { (power * x.ln_1p()).exp_m1() / power }
}

fn lower(y: f64, power: f64) -> f64 {
    if power == 0.0 {
        return y.exp_m1();
    }
    // NaN stays NaN; beyond the end there is nothing.
    let inner = (power * y).max(-1.0);
    if y.is_nan() { y } else { (inner.ln_1p() / power).exp_m1() }
}

/// The power of the greatest likelihood among those that values survive which are ten times as far out as the train rows'.
///
/// Undoing a power of p < 0 at x multiplies the rounding error by about (1 + x) ** -p: up to 10^5 leaves ten digits.
fn likeliest(values: &[f64]) -> f64 {
    const WORST: f64 = 1e5;
    if values.iter().all(|x| *x == values[0]) {
        return 1.0;
    }
    let farthest = |side: f64| values.iter().map(|x| 10.0 * x * side).fold(0.0, f64::max).ln_1p();
    let least = |farthest: f64| if farthest == 0.0 { 2.0 } else { (WORST.ln() / farthest).min(2.0) };
    let (low, high) = (-least(farthest(1.0)), 2.0 + least(farthest(-1.0)));
    let jacobian: f64 = values.iter().map(|x| x.signum() * x.abs().ln_1p()).sum();
    let n = values.len() as f64;
    let likelihood = |lambda: f64| {
        let bent: Vec<f64> = values.iter().map(|x| bend(*x, lambda)).collect();
        let spread = standard(&bent).scale;
        if spread > 0.0 { -n * spread.ln() + (lambda - 1.0) * jacobian } else { f64::NEG_INFINITY }
    };
    maximum(likelihood, low, high)
}

/// Where a function with one peak has it: by golden sections, to nine digits.
fn maximum(f: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    let golden = (5.0_f64.sqrt() - 1.0) / 2.0;
    let (mut a, mut b) = (high - golden * (high - low), low + golden * (high - low));
    let (mut at_a, mut at_b) = (f(a), f(b));
    while high - low > 1e-9 {
        if at_a >= at_b {
            (high, b, at_b) = (b, a, at_a);
            a = high - golden * (high - low);
            at_a = f(a);
        } else {
            (low, a, at_a) = (a, b, at_b);
            b = low + golden * (high - low);
            at_b = f(b);
        }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scikit-learn 1.5: PowerTransformer().fit([[1], [2], [3], [4], [10]]).lambdas_ is about -0.2106.
    #[test]
    fn the_power_is_that_of_scikit_learn() {
        let lambda = likeliest(&[1.0, 2.0, 3.0, 4.0, 10.0]);
        let likelihood = |l: f64| {
            let values = [1.0_f64, 2.0, 3.0, 4.0, 10.0];
            let bent: Vec<f64> = values.iter().map(|x| bend(*x, l)).collect();
            -5.0 * standard(&bent).scale.ln() + (l - 1.0) * values.iter().map(|x| x.ln_1p()).sum::<f64>()
        };
        for other in [lambda - 1e-3, lambda + 1e-3] {
            assert!(likelihood(lambda) > likelihood(other), "{lambda}");
        }
    }

    #[test]
    fn it_is_undone() {
        for lambda in [-1.0, 0.0, 0.5, 1.0, 2.0, 3.0] {
            for x in [-1e3, -2.5, -1e-9, 0.0, 1e-9, 0.3, 7.0, 1e3] {
                let back = unbend(bend(x, lambda), lambda);
                assert!((back - x).abs() <= 1e-10 * x.abs(), "{lambda}: {x} {back}");
            }
        }
    }
}
