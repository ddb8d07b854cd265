use super::design::{Design, mean};
use super::loss::Loss;
use super::model::{LinearModel, Link};
use super::objective::Objective;
use super::solve::{Method, Solver};
use crate::checkpoint::Keeper;
use crate::matrix::check;
use crate::options::Reader;
use crate::{FitContext, FitError, Fitted, Learner, Matrix, Pool, Target};

/// A generalised linear model with a log link: half the mean deviance plus alpha/2 · Σ coefficients².
#[derive(Debug)]
pub struct GlmLearner {
    family: Family,
    alpha: f64,
    fit_intercept: bool,
    solver: Solver,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Poisson,
    Gamma,
}

impl GlmLearner {
    pub(crate) fn read(family: Family, options: &mut Reader<'_>) -> Result<Self, FitError> {
        let method = [("auto", Method::Auto), ("newton", Method::Newton), ("lbfgs", Method::Lbfgs)];
        Ok(Self {
            family,
            alpha: options.float("alpha", 0.0, true)?,
            fit_intercept: options.bool("fit_intercept")?,
            solver: Solver {
                method: options.word("optimizer", &method)?,
                max_iter: options.int("max_iter", 1, i64::MAX)?,
                tol: options.float("tol", 0.0, false)?,
            },
        })
    }

    fn name(&self) -> &'static str {
        match self.family {
            Family::Poisson => "poisson_regression",
            Family::Gamma => "gamma_regression",
        }
    }
}

impl Learner for GlmLearner {
    fn fit(&self, x: &Matrix, y: &Target, weights: Option<&[f64]>, cx: &FitContext<'_>) -> Result<Fitted, FitError> {
        check(x, y, weights)?;
        let Target::Numbers(numbers) = y else {
            return Err(FitError::data(format!("{} learns numbers, not classes", self.name())));
        };
        let (loss, wanted) = match self.family {
            Family::Poisson => (Loss::Poisson(numbers), "of at least 0"),
            Family::Gamma => (Loss::Gamma(numbers), "above 0"),
        };
        let wrong = |y: &f64| *y < 0.0 || *y == 0.0 && self.family == Family::Gamma;
        if let Some(row) = numbers.iter().position(wrong) {
            let (before, behind) =
                (format!("the output is {}", numbers[row]), format!("; {} takes numbers {wanted}", self.name()));
            return Err(FitError::in_row(before, row, behind).help("filter such rows, or learn with another algorithm"));
        }
        let rows = weights.map_or_else(|| vec![1.0; x.rows()], <[f64]>::to_vec);
        let pool = Pool::new(cx.threads)?;
        let keeper = Keeper::new(cx, self, x, y, weights);
        let design = Design::new(x, &rows, self.fit_intercept, &pool)?;
        let middle = mean(numbers, &rows, design.total);
        if middle <= 0.0 {
            return Err(FitError::data("the output is 0 in every row to learn from"));
        }
        let objective = Objective { design, loss, l2: self.alpha };
        let mut start = vec![0.0; objective.parameters()];
        if self.fit_intercept {
            start[x.width()] = middle.ln();
        }
        let (coefficients, intercepts, ended_early) =
            self.solver.solve(&objective, 0.0, start, (self.name(), cx), &keeper, &pool)?;
        let model = LinearModel::numbers((x, &rows), coefficients, intercepts[0], Link::Log, &pool);
        Ok(Fitted::ended(model, ended_early))
    }
}
