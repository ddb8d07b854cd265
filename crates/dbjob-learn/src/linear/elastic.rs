use super::coordinate::{Known, Smooth, polish, sweep};
use super::design::{Design, mean};
use super::loss::Loss;
use super::model::{LinearModel, Link};
use super::objective::Objective;
use super::residual::Residual;
use crate::checkpoint::Keeper;
use crate::matrix::check;
use crate::options::Reader;
use crate::{Early, FitContext, FitError, Fitted, Learner, Matrix, Pool, Progress, Target, Tensor};

/// Lasso (`l1_ratio` 1) and elastic net, with scikit-learn's objective:
/// Σ w·(y - ŷ)² / (2·W) + alpha · (l1_ratio · Σ|c| + (1 - l1_ratio)/2 · Σ c²), the intercept unpenalised.
#[derive(Debug)]
pub struct ElasticNetLearner {
    name: &'static str,
    alpha: f64,
    l1_ratio: f64,
    fit_intercept: bool,
    max_iter: usize,
    tol: f64,
}

impl ElasticNetLearner {
    pub(crate) fn lasso(options: &mut Reader<'_>) -> Result<Self, FitError> {
        Self::read("lasso", 1.0, options)
    }

    pub(crate) fn elastic_net(options: &mut Reader<'_>) -> Result<Self, FitError> {
        let l1_ratio = options.share("l1_ratio")?;
        Self::read("elastic_net", l1_ratio, options)
    }

    fn read(name: &'static str, l1_ratio: f64, options: &mut Reader<'_>) -> Result<Self, FitError> {
        Ok(Self {
            name,
            alpha: options.float("alpha", 0.0, true)?,
            l1_ratio,
            fit_intercept: options.bool("fit_intercept")?,
            max_iter: options.int("max_iter", 1, i64::MAX)?,
            tol: options.float("tol", 0.0, false)?,
        })
    }
}

/// The widest table whose products of all pairs of features are held.
const WIDEST: usize = 2000;

impl Learner for ElasticNetLearner {
    fn fit(&self, x: &Matrix, y: &Target, weights: Option<&[f64]>, cx: &FitContext<'_>) -> Result<Fitted, FitError> {
        check(x, y, weights)?;
        let Target::Numbers(numbers) = y else {
            return Err(FitError::data(format!("{} learns numbers, not classes", self.name)));
        };
        let rows = weights.map_or_else(|| vec![1.0; x.rows()], <[f64]>::to_vec);
        let pool = Pool::new(cx.threads)?;
        let keeper = Keeper::new(cx, self, x, y, weights);
        let design = Design::new(x, &rows, self.fit_intercept, &pool)?;
        let middle = if self.fit_intercept { mean(numbers, &rows, design.total) } else { 0.0 };
        let l2 = self.alpha * (1.0 - self.l1_ratio);
        let objective = Objective { design, loss: Loss::Squares(numbers), l2 };
        let mut start = vec![0.0; objective.parameters()];
        if self.fit_intercept {
            start[x.width()] = middle;
        }
        let l1: Vec<f64> = (0..start.len())
            .map(|j| if j < x.width() { self.alpha * self.l1_ratio * objective.scale(j) } else { 0.0 })
            .collect();
        let squares: f64 = numbers.iter().zip(&rows).map(|(y, w)| w * (y - middle) * (y - middle)).sum();
        if !squares.is_finite() {
            return Err(FitError::data("the output is too large: its squares are not finite")
                .help("`map … with standardize` the output"));
        }
        let loss = squares / (2.0 * objective.design.total);
        let (u, ended_early) = if start.len() <= WIDEST {
            let Some(mut point) = objective.curved(&start, &pool, &|| (cx.cancelled)()) else {
                return Err(FitError::cancelled());
            };
            let n = start.len();
            for i in 0..n {
                for j in 0..i {
                    point.hessian[j * n + i] = point.hessian[i * n + j];
                }
            }
            let mut known = Known { hessian: &point.hessian, gradient: point.gradient };
            let (u, ended_early) = self.descend(&mut known, &l1, (start, loss), (&keeper, cx))?;
            let better = polish(&point.hessian, &known.gradient, &l1, &u).filter(|_| ended_early.is_none());
            (better.unwrap_or(u), ended_early)
        } else {
            let mut residual = Residual::new(&objective, numbers, &start, &pool);
            self.descend(&mut residual, &l1, (start, loss), (&keeper, cx))?
        };
        let (coefficients, intercepts) = objective.raw(&u);
        let model = LinearModel::numbers((x, &rows), coefficients, intercepts[0], Link::Identity, &pool);
        Ok(Fitted::ended(model, ended_early))
    }
}

impl ElasticNetLearner {
    /// Sweeps until no coordinate is further from its minimum than `tol` of the furthest at the beginning.
    fn descend(
        &self,
        smooth: &mut impl Smooth,
        l1: &[f64],
        (mut u, mut loss): (Vec<f64>, f64),
        (keeper, cx): (&Keeper<'_>, &FitContext<'_>),
    ) -> Result<(Vec<f64>, Option<Early>), FitError> {
        let n = u.len();
        let mut enough = self.tol * (0..n).fold(0.0_f64, |m, j| m.max(smooth.slope(j).abs()));
        let (mut done, mut worst) = (0, f64::INFINITY);
        if let Some((before, stored)) = keeper.resume()
            && let (Ok((x, _)), Ok((state, _)), Ok((values, _))) =
                (stored.f64("u"), stored.f64("state"), stored.f64("values"))
            && x.len() == n
            && state.len() == smooth.state().len()
            && let [limit, last, value] = values[..]
            && before <= self.max_iter as u64
        {
            (done, u, enough, worst, loss) = (before as usize, x, limit, last, value);
            smooth.state().copy_from_slice(&state);
        }
        while done < self.max_iter && worst > enough {
            if cx.stops() {
                let state = smooth.state().to_vec();
                keeper.keep(true, done as u64, || tensors(&u, &state, [enough, worst, loss]));
                if (cx.cancelled)() {
                    return Err(FitError::cancelled());
                }
                let early = Early { done: done as u64, total: self.max_iter as u64, unit: "iterations" };
                return Ok((u, Some(early)));
            }
            let swept = sweep(smooth, l1, &mut u);
            (worst, loss) = (swept.worst, loss + swept.change);
            done += 1;
            (cx.progress)(Progress { done: done as u64, total: self.max_iter as u64, loss: Some(loss), valid: None });
            let state = &*smooth.state();
            keeper.keep(false, done as u64, || tensors(&u, state, [enough, worst, loss]));
        }
        if worst > enough {
            (cx.warn)(format!(
                "{} stopped after max_iter = {} sweeps over the coefficients: raise max_iter",
                self.name, done
            ));
        }
        Ok((u, None))
    }
}

fn tensors(u: &[f64], state: &[f64], values: [f64; 3]) -> crate::Tensors {
    let vector = |values: &[f64]| Tensor::f64(vec![values.len()], values);
    vec![("u", vector(u)), ("state", vector(state)), ("values", vector(&values))]
}
