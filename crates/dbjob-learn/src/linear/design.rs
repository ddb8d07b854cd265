use std::ops::Range;

use super::sparse::Sparse;
use crate::flags::WORD;
use crate::numeric::{shifted_dot, sum};
use crate::pool::blocks;
use crate::{FitError, Matrix, Pool};

/// Features seen in coordinates in which each has mean 0 and spread 1, so that a solver meets no badly scaled valley.
/// Without an intercept they keep their means, and the unit is the root of the mean square.
pub(super) struct Design<'a> {
    pub x: &'a Matrix,
    pub weights: &'a [f64],
    /// Of the weights.
    pub total: f64,
    pub intercept: bool,
    pub mean: Vec<f64>,
    /// 1 / spread; 0 for a constant feature, which has no coefficient.
    pub scale: Vec<f64>,
    pub ranges: Vec<Range<usize>>,
    /// Those that are mostly 0 and not flags.
    sparse: Vec<Option<Sparse>>,
}

impl<'a> Design<'a> {
    /// An error where the squares of a feature are not finite.
    pub fn new(x: &'a Matrix, weights: &'a [f64], intercept: bool, pool: &Pool) -> Result<Self, FitError> {
        let total = sum(weights);
        let moments = pool.run(x.width(), |j| moments(x, j, (weights, total), intercept));
        if let Some(j) = moments.iter().position(|moments| moments.is_none()) {
            let name = &x.names()[j];
            return Err(FitError::data(format!("feature `{name}` is too large: its squares are not finite"))
                .help(format!("`map {name} with standardize`")));
        }
        let (mean, scale) = moments.into_iter().flatten().unzip();
        // A block stays in the cache of a core for all that is done with it.
        let block = (32_768 / x.width()).clamp(256, 2048) / WORD * WORD;
        let ranges = blocks(x.rows(), block);
        let sparse = pool.run(x.width(), |j| match x.flags(j) {
            Some(_) => None,
            None => Sparse::of(x.column(j), &ranges),
        });
        Ok(Self { x, weights, total, intercept, mean, scale, ranges, sparse })
    }

    /// z += Σ u_j · feature j, over a block of rows.
    pub fn add(&self, u: &[f64], block: usize, z: &mut [f64]) {
        let rows = self.ranges[block].clone();
        let mut shift = 0.0;
        for (j, u) in u.iter().enumerate() {
            let (mean, c) = (self.mean[j], u * self.scale[j]);
            if c == 0.0 {
                continue;
            }
            if let Some(flags) = self.x.flags(j) {
                flags.add(rows.start, c, z);
                shift -= c * mean;
            } else if let Some(sparse) = &self.sparse[j] {
                sparse.add(block, c, z);
                shift -= c * mean;
            } else {
                for (z, v) in z.iter_mut().zip(&self.x.column(j)[rows.clone()]) {
                    *z += c * (v - mean);
                }
            }
        }
        if shift != 0.0 {
            z.iter_mut().for_each(|z| *z += shift);
        }
    }

    /// Σ residual · feature, one for each, over a block of rows.
    pub fn project(&self, residual: &[f64], block: usize, gradient: &mut [f64]) {
        let (rows, all) = (self.ranges[block].clone(), sum(residual));
        for (j, g) in gradient.iter_mut().enumerate() {
            let along = match (self.x.flags(j), &self.sparse[j]) {
                (Some(flags), _) => flags.dot(rows.start, residual) - self.mean[j] * all,
                (None, Some(sparse)) => sparse.dot(block, residual) - self.mean[j] * all,
                (None, None) => shifted_dot(&self.x.column(j)[rows.clone()], self.mean[j], residual),
            };
            *g += along * self.scale[j];
        }
    }

    /// A block of rows times one factor each: feature after feature, and last the intercept if there is one.
    pub fn pack(&self, factors: &[f64], rows: Range<usize>, into: &mut Vec<f64>) {
        into.clear();
        for j in 0..self.x.width() {
            let (mean, scale) = (self.mean[j], self.scale[j]);
            let column = &self.x.column(j)[rows.clone()];
            into.extend(column.iter().zip(factors).map(|(v, f)| (v - mean) * scale * f));
        }
        if self.intercept {
            into.extend_from_slice(factors);
        }
    }

    /// The number of columns that [`Design::pack`] gives.
    pub fn width(&self) -> usize {
        self.x.width() + usize::from(self.intercept)
    }

    /// Coefficients of the raw features from those of these coordinates, and the intercept.
    pub fn raw(&self, u: &[f64], intercept: f64) -> (Vec<f64>, f64) {
        let coefficients: Vec<f64> = u.iter().zip(&self.scale).map(|(u, s)| u * s).collect();
        let shift: f64 = coefficients.iter().zip(&self.mean).map(|(c, m)| c * m).sum();
        (coefficients, if self.intercept { intercept - shift } else { 0.0 })
    }

    /// The name of the feature that moves scores the most with these coefficients.
    pub fn strongest(&self, u: &[f64]) -> &str {
        let p = self.x.width();
        let largest = (0..u.len() / p * p).max_by(|a, b| u[*a].abs().total_cmp(&u[*b].abs()));
        &self.x.names()[largest.unwrap_or(0) % p]
    }
}

/// The mean and 1 / spread; nothing where they are not finite.
fn moments(x: &Matrix, j: usize, (weights, total): (&[f64], f64), centred: bool) -> Option<(f64, f64)> {
    let mean = if centred { mean_of(x, j, weights, total) } else { 0.0 };
    let squares: f64 = match x.flags(j).map(|flags| flags.weights(weights)) {
        // Nothing is left of a constant, whatever the rounding of its mean.
        Some([zeros, ones]) => {
            if centred {
                zeros * ones / total
            } else {
                ones
            }
        }
        None => x.column(j).iter().zip(weights).map(|(v, w)| w * (v - mean) * (v - mean)).sum(),
    };
    // Whether the squares are more than what the rounding of the mean leaves.
    let rounding = mean * f64::EPSILON * 4.0;
    let varies = squares > total * rounding * rounding && squares > f64::MIN_POSITIVE;
    squares.is_finite().then(|| (mean, if varies { 1.0 / (squares / total).sqrt() } else { 0.0 }))
}

/// The mean of a feature.
pub(super) fn mean_of(x: &Matrix, j: usize, weights: &[f64], total: f64) -> f64 {
    match x.flags(j) {
        Some(flags) => flags.weights(weights)[1] / total,
        None => mean(x.column(j), weights, total),
    }
}

/// The mean; a second pass removes the rounding of the first.
pub(super) fn mean(values: &[f64], weights: &[f64], total: f64) -> f64 {
    let first = shifted_dot(values, 0.0, weights) / total;
    first + shifted_dot(values, first, weights) / total
}
