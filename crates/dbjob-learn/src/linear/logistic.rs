use super::lbfgs::{self, Ended, State};
use super::minibatch::{self, Optimizer, Schedule};
use super::model::LinearModel;
use super::objective::Objective;
use crate::checkpoint::Keeper;
use crate::matrix::check;
use crate::options::Reader;
use crate::weights::{ClassWeight, present_classes};
use crate::{Early, FitContext, FitError, Fitted, Learner, Matrix, Pool, Progress, Target};

/// Logistic regression with an L2 penalty of scikit-learn's strength `c`, for two or more classes.
#[derive(Debug)]
pub struct LogisticLearner {
    c: f64,
    class_weight: ClassWeight,
    solver: Solver,
}

#[derive(Debug)]
enum Solver {
    /// Until the gradient is at most `tol`, or `max_iter` iterations.
    Lbfgs {
        max_iter: usize,
        tol: f64,
    },
    MiniBatch(Schedule),
}

impl LogisticLearner {
    pub(crate) fn read(options: &mut Reader<'_>, seed: i64) -> Result<Self, FitError> {
        let c = options.float("c", 0.0, false)?;
        let max_iter = options.int("max_iter", 1, i64::MAX)?;
        let tol = options.float("tol", 0.0, false)?;
        let optimizer = options
            .word("optimizer", &[("lbfgs", None), ("sgd", Some(Optimizer::Sgd)), ("adam", Some(Optimizer::Adam))])?;
        let epochs = options.int("epochs", 1, i64::MAX)?;
        let learning_rate = options.float("learning_rate", 0.0, false)?;
        let batch_size = options.int("batch_size", 1, i64::MAX)?;
        let class_weight = ClassWeight::read(options)?;
        let solver = match optimizer {
            None => Solver::Lbfgs { max_iter, tol },
            Some(optimizer) => Solver::MiniBatch(Schedule { optimizer, epochs, learning_rate, batch_size, seed }),
        };
        Ok(Self { c, class_weight, solver })
    }
}

impl Learner for LogisticLearner {
    fn fit(&self, x: &Matrix, y: &Target, weights: Option<&[f64]>, cx: &FitContext<'_>) -> Result<Fitted, FitError> {
        check(x, y, weights)?;
        let Target::Classes { codes, count } = y else {
            return Err(FitError::data("logistic_regression learns classes, not numbers"));
        };
        let rows = self.class_weight.rows(codes, *count, weights);
        let learned = present_classes(codes, *count, &rows)?;
        // Rows without weight may be of a class that is not learned; any code serves them.
        let codes: Vec<u32> = codes.iter().map(|c| learned.binary_search(c).unwrap_or(0) as u32).collect();
        let outputs = if learned.len() == 2 { 1 } else { learned.len() };
        let pool = Pool::new(cx.threads)?;
        let keeper = Keeper::new(cx, self, x, y, weights);
        let (coefficients, intercepts, ended_early) = match &self.solver {
            Solver::Lbfgs { max_iter, tol } => {
                let objective = Objective::new(x, &codes, &rows, outputs, self.c, &pool);
                solve(&objective, (*max_iter, *tol), cx, &keeper, &pool)?
            }
            Solver::MiniBatch(schedule) => minibatch::fit(x, &codes, &rows, (outputs, self.c), schedule, cx, &keeper)?,
        };
        let model = LinearModel::classifier(x.names(), *count, learned, coefficients, intercepts);
        Ok(Fitted { model: Box::new(model), ended_early })
    }
}

/// Coefficients (row-major) and intercepts, and whether the time was over before their last round.
pub(super) type Solution = (Vec<f64>, Vec<f64>, Option<Early>);

fn solve(
    objective: &Objective<'_>,
    (max_iter, tol): (usize, f64),
    cx: &FitContext<'_>,
    keeper: &Keeper<'_>,
    pool: &Pool,
) -> Result<Solution, FitError> {
    let start = vec![0.0; objective.parameters()];
    let resume = keeper.resume().and_then(|(done, state)| State::restore(done, &state, start.len()));
    let mut kept = None;
    let outcome = lbfgs::minimise(
        |u, gradient| objective.evaluate(u, gradient, pool, &|| cx.stops()),
        start,
        resume,
        (max_iter, tol),
        |state| {
            let done = state.iteration as u64;
            (cx.progress)(Progress { done, total: max_iter as u64, loss: Some(state.value) });
            keeper.keep(false, done, || state.tensors());
            if cx.checkpoints.is_some() {
                kept = Some((done, state.tensors()));
            }
        },
    );
    let mut ended_early = None;
    match outcome.ended {
        Ended::Converged => {}
        Ended::Stopped => {
            if let Some((done, state)) = kept {
                keeper.keep(true, done, || state);
            }
            if (cx.cancelled)() {
                return Err(FitError::cancelled());
            }
            ended_early = Some(Early { done: outcome.iterations as u64, total: max_iter as u64, unit: "iterations" });
        }
        Ended::Exhausted => (cx.warn)(format!(
            "logistic_regression stopped after max_iter = {max_iter} iterations with a gradient of {:.1e} (tol = {tol:.0e}): \
             raise max_iter",
            outcome.gradient
        )),
    }
    let (coefficients, intercepts) = objective.raw(&outcome.x);
    Ok((coefficients, intercepts, ended_early))
}
