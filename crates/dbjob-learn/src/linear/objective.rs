use std::ops::Range;

use super::design::Design;
use super::loss::{Loss, Rows};
use crate::Pool;
use crate::gemm::{Float, View};
use crate::numeric::sum;

/// A loss with an L2 penalty, per unit of weight:
///
/// f = Σ wᵢ·loss(yᵢ, zᵢ) / W + l2/2 · Σ coefficients², the intercepts unpenalised.
///
/// Seen through the coordinates of the design; the function and its minimum are those of the raw features. Parameters:
/// `outputs` rows of `features` coefficients, then the intercepts if there are some.
pub(super) struct Objective<'a> {
    pub design: Design<'a>,
    pub loss: Loss<'a>,
    pub l2: f64,
}

/// Whether to go on, asked before every block.
pub(super) type Stops<'a> = &'a (dyn Fn() -> bool + Sync);

/// Space that is used again from block to block.
#[derive(Default)]
struct Scratch {
    packed: Vec<f64>,
    product: Vec<f64>,
}

/// A point with all that Newton's method wants to know of it.
pub(super) struct Curved {
    pub value: f64,
    pub gradient: Vec<f64>,
    /// Row after row; the lower triangle counts.
    pub hessian: Vec<f64>,
}

impl Objective<'_> {
    pub fn parameters(&self) -> usize {
        self.loss.outputs() * self.design.width()
    }

    /// How many of the parameters are coefficients.
    pub fn penalised(&self) -> usize {
        self.loss.outputs() * self.design.x.width()
    }

    /// The value at `u`; its gradient into `gradient`. `None`: `stops` said so.
    pub fn evaluate(&self, u: &[f64], gradient: &mut [f64], pool: &Pool, stops: Stops<'_>) -> Option<f64> {
        let ranges = &self.design.ranges;
        let parts = pool.run(ranges.len(), |b| {
            (!stops()).then(|| {
                let mut rows = self.scores(u, b);
                self.gradient(&mut rows, b, false)
            })
        });
        gradient.fill(0.0);
        let mut loss = 0.0;
        for part in parts {
            let (part_loss, part) = part?;
            loss += part_loss;
            gradient.iter_mut().zip(part).for_each(|(g, p)| *g += p);
        }
        Some(self.finish(loss, u, gradient))
    }

    /// The value, gradient and Hessian at `u`. `None`: `stops` said so.
    pub fn curved(&self, u: &[f64], pool: &Pool, stops: Stops<'_>) -> Option<Curved> {
        let n = self.parameters();
        let ranges = &self.design.ranges;
        // A few long tasks, whose Hessians are all held at once.
        let most = (8_000_000 / (n * n)).clamp(4, 64);
        let tasks = crate::pool::blocks(ranges.len(), ranges.len().div_ceil(most));
        let parts = pool.run(tasks.len(), |t| {
            let (mut loss, mut gradient, mut hessian) = (0.0, vec![0.0; n], vec![0.0; n * n]);
            let mut scratch = Scratch::default();
            for block in tasks[t].clone() {
                if stops() {
                    return None;
                }
                let mut rows = self.scores(u, block);
                let (part_loss, part) = self.gradient(&mut rows, block, true);
                loss += part_loss;
                gradient.iter_mut().zip(part).for_each(|(g, p)| *g += p);
                self.add_hessian(&rows, ranges[block].clone(), &mut scratch, &mut hessian);
            }
            Some((loss, gradient, hessian))
        });
        let (mut loss, mut gradient, mut hessian) = (0.0, vec![0.0; n], vec![0.0; n * n]);
        for part in parts {
            let (part_loss, part_gradient, part_hessian) = part?;
            loss += part_loss;
            gradient.iter_mut().zip(part_gradient).for_each(|(g, p)| *g += p);
            hessian.iter_mut().zip(part_hessian).for_each(|(h, p)| *h += p);
        }
        hessian.iter_mut().for_each(|h| *h /= self.design.total);
        for i in 0..self.penalised() {
            let scale = self.scale(i);
            hessian[i * n + i] += self.l2 * scale * scale;
        }
        let value = self.finish(loss, u, &mut gradient);
        Some(Curved { value, gradient, hessian })
    }

    /// Of parameter `i`, a coefficient.
    pub fn scale(&self, i: usize) -> f64 {
        self.design.scale[i % self.design.x.width()]
    }

    /// Scores of a block of rows.
    pub fn scores(&self, u: &[f64], block: usize) -> Rows {
        let (p, penalised) = (self.design.x.width(), self.penalised());
        let of = |k: usize| {
            let mut z = vec![u.get(penalised + k).copied().unwrap_or(0.0); self.design.ranges[block].len()];
            self.design.add(&u[k * p..(k + 1) * p], block, &mut z);
            z
        };
        Rows { z: (0..self.loss.outputs()).map(of).collect(), curvature: vec![Vec::new(); self.loss.outputs()] }
    }

    /// Σ w·loss and its gradient over a block of rows.
    fn gradient(&self, rows: &mut Rows, block: usize, curved: bool) -> (f64, Vec<f64>) {
        let range = self.design.ranges[block].clone();
        let (p, penalised) = (self.design.x.width(), self.penalised());
        let loss = self.loss.evaluate(rows, range.start, &self.design.weights[range], curved);
        let mut gradient = vec![0.0; self.parameters()];
        for (k, residual) in rows.z.iter().enumerate() {
            self.design.project(residual, block, &mut gradient[k * p..(k + 1) * p]);
            if self.design.intercept {
                gradient[penalised + k] = sum(residual);
            }
        }
        (loss, gradient)
    }

    /// Adds Σ w · second derivatives of a block of rows.
    fn add_hessian(&self, rows: &Rows, range: Range<usize>, scratch: &mut Scratch, hessian: &mut [f64]) {
        let outputs = self.loss.outputs();
        let w = &self.design.weights[range.clone()];
        let (q, b) = (self.design.width(), range.len());
        for k in 0..outputs {
            for l in 0..=k {
                let (first, second) = (&rows.curvature[k], &rows.curvature[l]);
                let factors: Vec<f64> = match () {
                    () if outputs == 1 => w.iter().zip(first).map(|(w, h)| (w * h).sqrt()).collect(),
                    () if k == l => w.iter().zip(first).map(|(w, p)| (w * p * (1.0 - p)).max(0.0).sqrt()).collect(),
                    () => w.iter().zip(first.iter().zip(second)).map(|(w, (p, q))| (w * p * q).sqrt()).collect(),
                };
                self.design.pack(&factors, range.clone(), &mut scratch.packed);
                scratch.product.resize(q * q, 0.0);
                let columns = View::rows(&scratch.packed, q, b);
                f64::product(columns, columns.transposed(), 0.0, &mut scratch.product);
                let sign = if k == l { 1.0 } else { -1.0 };
                let n = self.parameters();
                for i in 0..q {
                    for j in 0..q {
                        // Each pair of parameters stands once, below the diagonal.
                        let (row, column) = (self.position(k, i), self.position(l, j));
                        if k != l || row >= column {
                            hessian[row.max(column) * n + row.min(column)] += sign * scratch.product[i * q + j];
                        }
                    }
                }
            }
        }
    }

    /// Where parameter `i` of output `k` stands.
    pub fn position(&self, k: usize, i: usize) -> usize {
        let p = self.design.x.width();
        if i < p { k * p + i } else { self.penalised() + k }
    }

    /// From sums to means, and the penalty.
    fn finish(&self, loss: f64, u: &[f64], gradient: &mut [f64]) -> f64 {
        let mut penalty = 0.0;
        let penalised = self.penalised();
        for (i, g) in gradient.iter_mut().enumerate() {
            *g /= self.design.total;
            if i < penalised {
                let scale = self.scale(i);
                let coefficient = u[i] * scale;
                penalty += coefficient * coefficient;
                *g += self.l2 * coefficient * scale;
            }
        }
        loss / self.design.total + self.l2 / 2.0 * penalty
    }

    /// Coefficients and intercepts of the raw features.
    pub fn raw(&self, u: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let (p, penalised) = (self.design.x.width(), self.penalised());
        let of = |k: usize| self.design.raw(&u[k * p..(k + 1) * p], u.get(penalised + k).copied().unwrap_or(0.0));
        let (coefficients, intercepts): (Vec<_>, Vec<_>) = (0..self.loss.outputs()).map(of).unzip();
        (coefficients.concat(), intercepts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Matrix;

    fn matrix() -> Matrix {
        let names = vec!["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let columns = vec![vec![1.0, 2.0, -1.0, 0.5, 3.0], vec![100.0, 250.0, 80.0, 120.0, 130.0], vec![0.1; 5]];
        Matrix::new(names, columns, 5).unwrap()
    }

    /// The gradient against differences of the value, the Hessian against differences of the gradient.
    fn check(loss: Loss<'_>, intercept: bool) {
        let x = matrix();
        let w = [1.0, 0.5, 2.0, 0.0, 1.5];
        let pool = Pool::single();
        let f = Objective { design: Design::new(&x, &w, intercept, &pool).unwrap(), loss, l2: 0.3 };
        let n = f.parameters();
        let u: Vec<f64> = (0..n).map(|i| 0.3 * (i as f64) - 0.5).collect();
        let point = f.curved(&u, &pool, &|| false).unwrap();
        let mut gradient = vec![0.0; n];
        assert_eq!(f.evaluate(&u, &mut gradient, &pool, &|| false), Some(point.value));
        assert_eq!(gradient, point.gradient);
        for i in 0..n {
            let at = |d: f64| {
                let mut v = u.clone();
                v[i] += d;
                let mut gradient = vec![0.0; n];
                (f.evaluate(&v, &mut gradient, &pool, &|| false).unwrap(), gradient)
            };
            let step = 1e-5;
            let ((below, left), (above, right)) = (at(-step), at(step));
            let numeric = (above - below) / (2.0 * step);
            assert!((numeric - gradient[i]).abs() < 1e-8, "{i}: {numeric} against {}", gradient[i]);
            for j in 0..=i {
                let (numeric, found) = ((right[j] - left[j]) / (2.0 * step), point.hessian[i * n + j]);
                assert!((numeric - found).abs() < 1e-8, "{i} {j}: {numeric} against {found}");
            }
        }
    }

    #[test]
    fn derivatives_are_those_of_the_value() {
        let counts = [0.0, 3.0, 1.0, 2.0, 7.0];
        for intercept in [true, false] {
            check(Loss::Squares(&counts), intercept);
            check(Loss::Binary(&[0, 1, 1, 0, 1]), intercept);
            check(Loss::Classes(&[0, 1, 2, 0, 2], 3), intercept);
            check(Loss::Poisson(&counts), intercept);
            check(Loss::Gamma(&counts.map(|y| y + 0.5)), intercept);
        }
    }
}
