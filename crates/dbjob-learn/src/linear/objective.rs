use std::ops::Range;

use crate::numeric::{shifted_dot, sigmoid, softmax, sum};
use crate::pool::blocks;
use crate::{Matrix, Pool};

/// The penalised log loss of logistic regression, per unit of weight:
///
/// f = Σ wᵢ·loss(yᵢ, zᵢ) / W + Σ coefficients² / (2·c·W), the intercepts unpenalised; scikit-learn's divided by c·W.
///
/// Two classes have one output (the log-odds of the second), more have one each. Seen through coordinates in which
/// every feature has mean 0 and spread 1, so that an optimiser meets no badly scaled valley; the function and its
/// minimum are those of the raw features. Parameters: `outputs` rows of `features` coefficients, then the intercepts.
pub(super) struct Objective<'a> {
    pub x: &'a Matrix,
    /// Indices of outputs: 0 or 1 for two classes.
    pub y: &'a [u32],
    pub weights: &'a [f64],
    pub outputs: usize,
    /// c·W of the formula.
    pub strength: f64,
    total: f64,
    mean: Vec<f64>,
    /// 1 / spread; 1 for a constant feature.
    scale: Vec<f64>,
    ranges: Vec<Range<usize>>,
}

const BLOCK: usize = 2048;

impl<'a> Objective<'a> {
    pub fn new(x: &'a Matrix, y: &'a [u32], weights: &'a [f64], outputs: usize, c: f64, pool: &Pool) -> Self {
        let total = sum(weights);
        let moments = pool.run(x.width(), |j| {
            let column = x.column(j);
            let mean = shifted_dot(column, 0.0, weights) / total;
            let variance = column.iter().zip(weights).map(|(v, w)| w * (v - mean) * (v - mean)).sum::<f64>() / total;
            let scale = 1.0 / variance.sqrt();
            (mean, if scale.is_finite() { scale } else { 1.0 })
        });
        let (mean, scale) = moments.into_iter().unzip();
        let ranges = blocks(x.rows(), BLOCK);
        Self { x, y, weights, outputs, strength: c * total, total, mean, scale, ranges }
    }

    pub fn parameters(&self) -> usize {
        self.outputs * (self.x.width() + 1)
    }

    /// The value at `u`; its gradient into `gradient`. `None`: `stops` said so.
    pub fn evaluate(
        &self,
        u: &[f64],
        gradient: &mut [f64],
        pool: &Pool,
        stops: &(dyn Fn() -> bool + Sync),
    ) -> Option<f64> {
        let block = |b: usize| (!stops()).then(|| self.block(u, self.ranges[b].clone()));
        let parts = pool.run(self.ranges.len(), block);
        gradient.fill(0.0);
        let mut loss = 0.0;
        for part in parts {
            let (part_loss, part) = part?;
            loss += part_loss;
            for (g, p) in gradient.iter_mut().zip(part) {
                *g += p;
            }
        }
        let (p, penalised) = (self.x.width(), self.outputs * self.x.width());
        let mut penalty = 0.0;
        for (i, g) in gradient.iter_mut().enumerate() {
            *g /= self.total;
            if i < penalised {
                let scale = self.scale[i % p];
                let coefficient = u[i] * scale;
                penalty += coefficient * coefficient;
                *g += coefficient * scale / self.strength;
            }
        }
        Some(loss / self.total + penalty / (2.0 * self.strength))
    }

    /// Σ w·loss and its gradient over some rows.
    fn block(&self, u: &[f64], rows: Range<usize>) -> (f64, Vec<f64>) {
        let (p, m) = (self.x.width(), self.outputs);
        let mut z: Vec<Vec<f64>> = (0..m).map(|k| vec![u[m * p + k]; rows.len()]).collect();
        for j in 0..p {
            let column = &self.x.column(j)[rows.clone()];
            let (mean, scale) = (self.mean[j], self.scale[j]);
            for (k, z) in z.iter_mut().enumerate() {
                let c = u[k * p + j] * scale;
                for (z, v) in z.iter_mut().zip(column) {
                    *z += c * (v - mean);
                }
            }
        }
        let (y, w) = (&self.y[rows.clone()], &self.weights[rows.clone()]);
        let loss = if m == 1 { binary(&mut z[0], y, w) } else { multinomial(&mut z, y, w) };
        let mut gradient = vec![0.0; self.parameters()];
        for j in 0..p {
            let column = &self.x.column(j)[rows.clone()];
            for (k, residual) in z.iter().enumerate() {
                gradient[k * p + j] = shifted_dot(column, self.mean[j], residual) * self.scale[j];
            }
        }
        for (k, residual) in z.iter().enumerate() {
            gradient[m * p + k] = sum(residual);
        }
        (loss, gradient)
    }

    /// Coefficients and intercepts of the raw features.
    pub fn raw(&self, u: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let (p, m) = (self.x.width(), self.outputs);
        let coefficients: Vec<f64> = (0..m * p).map(|i| u[i] * self.scale[i % p]).collect();
        let intercepts = (0..m)
            .map(|k| u[m * p + k] - (0..p).map(|j| coefficients[k * p + j] * self.mean[j]).sum::<f64>())
            .collect();
        (coefficients, intercepts)
    }
}

/// From scores to weighted residuals; gives Σ w·loss.
pub(super) fn binary(z: &mut [f64], y: &[u32], w: &[f64]) -> f64 {
    let mut loss = 0.0;
    for ((z, y), w) in z.iter_mut().zip(y).zip(w) {
        let truth = f64::from(*y);
        loss += w * ((-z.abs()).exp().ln_1p() + z.max(0.0) - truth * *z);
        *z = w * (sigmoid(*z) - truth);
    }
    loss
}

/// From scores to weighted residuals; gives Σ w·loss.
fn multinomial(z: &mut [Vec<f64>], y: &[u32], w: &[f64]) -> f64 {
    let truth: Vec<f64> = y.iter().enumerate().map(|(i, y)| z[*y as usize][i]).collect();
    let max: Vec<f64> = (0..y.len()).map(|i| z.iter().fold(f64::NEG_INFINITY, |m, c| m.max(c[i]))).collect();
    let mut log_total = vec![0.0; y.len()];
    for column in z.iter() {
        for ((t, v), m) in log_total.iter_mut().zip(column).zip(&max) {
            *t += (v - m).exp();
        }
    }
    let mut loss = 0.0;
    for i in 0..y.len() {
        loss += w[i] * (max[i] + log_total[i].ln() - truth[i]);
    }
    softmax(z);
    for (k, column) in z.iter_mut().enumerate() {
        for ((p, y), w) in column.iter_mut().zip(y).zip(w) {
            *p = w * (*p - f64::from(u8::from(*y as usize == k)));
        }
    }
    loss
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_gradient(outputs: usize) {
        let names = vec!["a".to_owned(), "b".to_owned()];
        let columns = vec![vec![1.0, 2.0, -1.0, 0.5, 3.0], vec![100.0, 250.0, 80.0, 120.0, 130.0]];
        let x = Matrix::new(names, columns, 5).unwrap();
        let y: Vec<u32> = if outputs == 1 { vec![0, 1, 1, 0, 1] } else { vec![0, 1, 2, 0, 2] };
        let w = [1.0, 0.5, 2.0, 0.0, 1.5];
        let pool = Pool::single();
        let f = Objective::new(&x, &y, &w, outputs, 0.3, &pool);
        let u: Vec<f64> = (0..f.parameters()).map(|i| 0.3 * (i as f64) - 0.5).collect();
        let mut gradient = vec![0.0; u.len()];
        f.evaluate(&u, &mut gradient, &pool, &|| false).unwrap();
        let mut scratch = gradient.clone();
        for i in 0..u.len() {
            let step = 1e-6;
            let mut at = |d: f64| {
                let mut v = u.clone();
                v[i] += d;
                f.evaluate(&v, &mut scratch, &pool, &|| false).unwrap()
            };
            let numeric = (at(step) - at(-step)) / (2.0 * step);
            assert!((numeric - gradient[i]).abs() < 1e-8, "{i}: {numeric} against {}", gradient[i]);
        }
    }

    #[test]
    fn the_gradient_is_the_derivative_for_two_classes() {
        check_gradient(1);
    }

    #[test]
    fn the_gradient_is_the_derivative_for_three_classes() {
        check_gradient(3);
    }
}
