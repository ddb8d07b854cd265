use super::cholesky;
use super::design::mean;
use super::orthogonal::{self, Solved};
use super::twofold::Twofold;
use crate::numeric::{dot, sum};
use crate::pool::blocks;
use crate::{FitContext, FitError, Matrix, Pool};

const BLOCK: usize = 2048;

/// Minimises Σ wᵢ (yᵢ - b - xᵢ·c)² + alpha·|c|²: coefficients c and intercept b.
///
/// On centred features: the normal equations by Cholesky where they are well conditioned; else (collinear features,
/// more features than rows) an orthogonal factorisation, and of all solutions the one that is shortest when each
/// feature is measured in units of its spread. A constant feature gets the coefficient 0.
pub(super) fn fit(
    x: &Matrix,
    y: &[f64],
    weights: &[f64],
    (alpha, fit_intercept): (f64, bool),
    cx: &FitContext<'_>,
    pool: &Pool,
) -> Result<(Vec<f64>, f64), FitError> {
    let problem = Centred::new(x, y, weights, fit_intercept, pool);
    let (gram, right) = problem.normal_equations(pool, cx).ok_or_else(FitError::cancelled)?;
    if gram.iter().chain(&right).any(|v| !v.is_finite()) {
        return Err(FitError::data("the features or the output are too large: their squares are not finite")
            .help("`map … with standardize` the inputs and the output"));
    }
    let active: Vec<usize> = (0..x.width()).filter(|j| problem.varies(*j, gram[j * x.width() + j])).collect();
    let units: Vec<f64> = active.iter().map(|j| gram[j * x.width() + j].sqrt()).collect();
    let n = active.len();
    let mut scaled = vec![0.0; n * n];
    let mut scaled_right = vec![0.0; n];
    for (a, j) in active.iter().enumerate() {
        scaled_right[a] = right[*j] / units[a];
        for (b, k) in active.iter().enumerate() {
            scaled[a * n + b] = gram[j * x.width() + k] / (units[a] * units[b]);
        }
        scaled[a * n + a] += alpha / (units[a] * units[a]);
    }
    // Pivots of a matrix with diagonal 1 (or more): 1 - R² of a feature on those before it. Below this limit the
    // squared condition number would cost a quarter of the digits.
    const SMALLEST_PIVOT: f64 = 1e-4;
    let solved = match cholesky::solve(scaled, n, &scaled_right, SMALLEST_PIVOT) {
        Some(solution) => Err(solution),
        None => Ok(problem.orthogonal(&active, &units, alpha, pool, cx)?),
    };
    let mut coefficients = vec![0.0; x.width()];
    for ((j, unit), s) in active.iter().zip(&units).zip(solved.as_ref().map_or_else(|x| x, |solved| &solved.x)) {
        coefficients[*j] = s / unit;
    }
    let shift: f64 = coefficients.iter().zip(&problem.means).map(|(c, m)| c * m).sum();
    let mut intercept = problem.y_mean - shift;
    if let Ok(solved) = solved {
        problem.refine(&solved, (&active, &units), alpha, (&mut coefficients, &mut intercept), pool);
    }
    Ok((coefficients, intercept))
}

struct Centred<'a> {
    x: &'a Matrix,
    y: &'a [f64],
    weights: &'a [f64],
    intercept: bool,
    means: Vec<f64>,
    y_mean: f64,
    ranges: Vec<std::ops::Range<usize>>,
}

impl<'a> Centred<'a> {
    fn new(x: &'a Matrix, y: &'a [f64], weights: &'a [f64], intercept: bool, pool: &Pool) -> Self {
        let total = sum(weights);
        let mean = |v: &[f64]| if intercept { mean(v, weights, total) } else { 0.0 };
        let means = pool.run(x.width(), |j| mean(x.column(j)));
        Self { x, y, weights, intercept, means, y_mean: mean(y), ranges: blocks(x.rows(), BLOCK) }
    }

    /// Whether a feature's sum of squares about its mean is more than the rounding of the mean leaves.
    fn varies(&self, j: usize, squares: f64) -> bool {
        let rounding = self.means[j] * f64::EPSILON * 4.0;
        squares > sum(self.weights) * rounding * rounding && squares > f64::MIN_POSITIVE
    }

    /// A block of centred rows, each times the root of its weight: the features, then y.
    fn block(&self, range: std::ops::Range<usize>, features: &[usize]) -> Vec<Vec<f64>> {
        let roots: Vec<f64> = self.weights[range.clone()].iter().map(|w| w.sqrt()).collect();
        let centre = |v: &[f64], mean: f64| v[range.clone()].iter().zip(&roots).map(|(v, r)| (v - mean) * r).collect();
        let mut columns: Vec<Vec<f64>> = features.iter().map(|j| centre(self.x.column(*j), self.means[*j])).collect();
        columns.push(centre(self.y, self.y_mean));
        columns
    }

    /// (XᵀWX row-major, XᵀWy) of the centred data; `None`: the fit was cancelled.
    fn normal_equations(&self, pool: &Pool, cx: &FitContext<'_>) -> Option<(Vec<f64>, Vec<f64>)> {
        let p = self.x.width();
        let all: Vec<usize> = (0..p).collect();
        // A few long tasks, so that no more than these partial sums are held at once.
        let tasks: Vec<_> = self.ranges.chunks(self.ranges.len().div_ceil(64)).collect();
        let parts = pool.run(tasks.len(), |t| {
            let (mut gram, mut right) = (vec![0.0; p * p], vec![0.0; p]);
            for range in tasks[t] {
                if (cx.cancelled)() {
                    return None;
                }
                let columns = self.block(range.clone(), &all);
                for j in 0..p {
                    right[j] += dot(&columns[j], &columns[p]);
                    for k in 0..=j {
                        gram[j * p + k] += dot(&columns[j], &columns[k]);
                    }
                }
            }
            Some((gram, right))
        });
        let (mut gram, mut right) = (vec![0.0; p * p], vec![0.0; p]);
        for part in parts {
            let (part_gram, part_right) = part?;
            gram.iter_mut().zip(part_gram).for_each(|(g, v)| *g += v);
            right.iter_mut().zip(part_right).for_each(|(g, v)| *g += v);
        }
        for j in 0..p {
            for k in 0..j {
                gram[k * p + j] = gram[j * p + k];
            }
        }
        Some((gram, right))
    }

    /// The solution in units of spread: each task's rows become a triangle, the triangles are stacked and reduced.
    fn orthogonal(
        &self,
        active: &[usize],
        units: &[f64],
        alpha: f64,
        pool: &Pool,
        cx: &FitContext<'_>,
    ) -> Result<Solved, FitError> {
        let n = active.len();
        let tasks: Vec<_> = self.ranges.chunks(self.ranges.len().div_ceil(64)).collect();
        let parts = pool.run(tasks.len(), |t| {
            let mut stack: Vec<Vec<f64>> = vec![Vec::new(); n + 1];
            for range in tasks[t] {
                if (cx.cancelled)() {
                    return None;
                }
                let mut columns = self.block(range.clone(), active);
                for (column, unit) in columns.iter_mut().zip(units) {
                    column.iter_mut().for_each(|v| *v /= unit);
                }
                append(&mut stack, columns);
                orthogonal::triangle(&mut stack);
            }
            Some(stack)
        });
        let mut stack: Vec<Vec<f64>> = vec![Vec::new(); n + 1];
        for part in parts {
            append(&mut stack, part.ok_or_else(FitError::cancelled)?);
            orthogonal::triangle(&mut stack);
        }
        if alpha > 0.0 {
            let mut penalty = vec![vec![0.0; n]; n + 1];
            for a in 0..n {
                penalty[a][a] = alpha.sqrt() / units[a];
            }
            append(&mut stack, penalty);
        }
        orthogonal::shortest_solution(stack)
    }

    /// Takes the solution to where the features are orthogonal to residuals that are computed with twice the digits: what
    /// the factorisation lost on nearly collinear features comes back.
    fn refine(
        &self,
        solved: &Solved,
        (active, units): (&[usize], &[f64]),
        alpha: f64,
        (coefficients, intercept): (&mut [f64], &mut f64),
        pool: &Pool,
    ) {
        let total = sum(self.weights);
        for _ in 0..3 {
            let parts = pool.run(self.ranges.len(), |b| self.slopes(active, coefficients, *intercept, b));
            let mut slopes = vec![Twofold::default(); active.len() + 1];
            for part in parts {
                slopes.iter_mut().zip(part).for_each(|(s, p)| *s = s.add_twofold(p));
            }
            let base = slopes.pop().expect("one more than features").value();
            let base = if self.intercept { base } else { 0.0 };
            let scaled: Vec<f64> = (0..active.len())
                .map(|a| {
                    let j = active[a];
                    slopes[a].add_product(-alpha, coefficients[j]).add_product(-self.means[j], base).value() / units[a]
                })
                .collect();
            let Some(steps) = solved.correction(&scaled) else { return };
            let mut shift = base / total;
            for ((j, unit), s) in active.iter().zip(units).zip(steps) {
                coefficients[*j] += s / unit;
                shift -= s / unit * self.means[*j];
            }
            if self.intercept {
                *intercept += shift;
            }
        }
    }

    /// Σ w·residual·feature of a block for the active features, then Σ w·residual.
    fn slopes(&self, active: &[usize], coefficients: &[f64], intercept: f64, block: usize) -> Vec<Twofold> {
        let mut slopes = vec![Twofold::default(); active.len() + 1];
        for row in self.ranges[block].clone() {
            let mut residual = Twofold::default().add(self.y[row]).add(-intercept);
            for j in active {
                residual = residual.add_product(-coefficients[*j], self.x.column(*j)[row]);
            }
            let residual = residual.times(self.weights[row]);
            for (slope, j) in slopes.iter_mut().zip(active) {
                *slope = slope.add_twofold(residual.times(self.x.column(*j)[row]));
            }
            let last = active.len();
            slopes[last] = slopes[last].add_twofold(residual);
        }
        slopes
    }
}

fn append(stack: &mut [Vec<f64>], columns: Vec<Vec<f64>>) {
    for (to, from) in stack.iter_mut().zip(columns) {
        to.extend(from);
    }
}
