use super::lbfgs::{self, Ended, Outcome};
use super::objective::Objective;
use super::separation::{no_finite_coefficients, recedes};
use super::{newton, orthant};
use crate::checkpoint::Keeper;
use crate::{Early, FitContext, FitError, Pool, Progress, Tensors};

/// How an objective is minimised.
#[derive(Debug, Clone, Copy)]
pub(super) struct Solver {
    pub method: Method,
    pub max_iter: usize,
    /// Of L-BFGS: it ends where no component of the gradient is larger.
    pub tol: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// By the number of parameters.
    Auto,
    Newton,
    Lbfgs,
}

/// Coefficients (row-major) and intercepts, and whether the time was over before their last round.
pub(super) type Solution = (Vec<f64>, Vec<f64>, Option<Early>);

impl Solver {
    /// An iteration of Newton's method costs parameters² a row and one of L-BFGS parameters; the first needs about six, the
    /// second tens, and to the end of floating point hundreds.
    fn method(self, parameters: usize, (l1, l2): (f64, f64)) -> Method {
        let most = match () {
            () if l1 > 0.0 => 200,
            () if l2 > 0.0 => 32,
            () => 1000,
        };
        match self.method {
            Method::Auto if parameters <= most => Method::Newton,
            Method::Auto => Method::Lbfgs,
            method => method,
        }
    }

    /// Minimises the objective with an L1 penalty of `l1` on the raw coefficients from `start` on.
    pub fn solve(
        self,
        objective: &Objective<'_>,
        l1: f64,
        start: Vec<f64>,
        (algorithm, cx): (&str, &FitContext<'_>),
        keeper: &Keeper<'_>,
        pool: &Pool,
    ) -> Result<Solution, FitError> {
        let stops = || cx.stops();
        let (n, max_iter, penalised) = (start.len(), self.max_iter, objective.penalised());
        let weights: Vec<f64> = (0..n).map(|i| if i < penalised { l1 * objective.scale(i) } else { 0.0 }).collect();
        let weights = (l1 > 0.0).then_some(&*weights);
        let mut kept = None;
        let mut after = |iteration: usize, value: f64, tensors: &dyn Fn() -> Tensors| {
            let done = iteration as u64;
            (cx.progress)(Progress { done, total: max_iter as u64, loss: Some(value), valid: None });
            keeper.keep(false, done, tensors);
            if cx.checkpoints.is_some() {
                kept = Some((done, tensors()));
            }
        };
        let outcome = match self.method(n, (l1, objective.l2)) {
            Method::Newton | Method::Auto => {
                let resume = keeper.resume().and_then(|(done, state)| newton::State::restore(done, &state, n));
                newton::minimise(objective, weights, start, resume, max_iter, (pool, &stops), |s| {
                    after(s.iteration, s.value, &|| s.tensors());
                })
            }
            Method::Lbfgs => {
                let resume = keeper.resume().and_then(|(done, state)| lbfgs::State::restore(done, &state, n));
                let evaluate = |u: &[f64], gradient: &mut [f64]| objective.evaluate(u, gradient, pool, &stops);
                let after = |s: &lbfgs::State| after(s.iteration, s.value, &|| s.tensors());
                match weights {
                    None => lbfgs::minimise(evaluate, start, resume, (max_iter, self.tol), after),
                    Some(l1) => orthant::minimise(evaluate, l1, start, resume, (max_iter, self.tol), after),
                }
            }
        };
        if outcome.ended == Ended::Stopped
            && let Some((done, state)) = kept
        {
            keeper.keep(true, done, || state);
        }
        let unpenalised = l1 == 0.0 && objective.l2 == 0.0;
        let ended_early = self.judge(objective, &outcome, unpenalised, (algorithm, cx), pool)?;
        let (coefficients, mut intercepts) = objective.raw(&outcome.x);
        if intercepts.len() > 1 {
            // The same number added to all of them changes nothing; they sum to 0.
            let mean = intercepts.iter().sum::<f64>() / intercepts.len() as f64;
            intercepts.iter_mut().for_each(|b| *b -= mean);
        }
        Ok((coefficients, intercepts, ended_early))
    }

    fn judge(
        self,
        objective: &Objective<'_>,
        outcome: &Outcome,
        unpenalised: bool,
        (algorithm, cx): (&str, &FitContext<'_>),
        pool: &Pool,
    ) -> Result<Option<Early>, FitError> {
        let max_iter = self.max_iter;
        match outcome.ended {
            Ended::Stopped if (cx.cancelled)() => return Err(FitError::cancelled()),
            Ended::Stopped => {
                return Ok(Some(Early { done: outcome.iterations as u64, total: max_iter as u64, unit: "iterations" }));
            }
            Ended::Receding => return Err(no_finite_coefficients(objective, &outcome.x, algorithm)),
            Ended::Converged | Ended::Exhausted if unpenalised && recedes(objective, &outcome.x, pool) => {
                return Err(no_finite_coefficients(objective, &outcome.x, algorithm));
            }
            Ended::Converged => {}
            Ended::Exhausted => (cx.warn)(format!(
                "{algorithm} stopped after max_iter = {max_iter} iterations with a gradient of {:.1e}: raise max_iter",
                outcome.gradient
            )),
        }
        Ok(None)
    }
}
