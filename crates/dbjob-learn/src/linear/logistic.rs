use std::borrow::Cow;

use super::design::Design;
use super::loss::Loss;
use super::minibatch;
use super::model::LinearModel;
use super::objective::Objective;
use super::solve::{Method, Solver};
use crate::checkpoint::Keeper;
use crate::matrix::check;
use crate::mlp::{Optimizer, Output, Penalty, Recipe, Schedule};
use crate::options::Reader;
use crate::weights::{ClassWeight, present_classes};
use crate::{FitContext, FitError, Fitted, Learner, Matrix, Pool, Target};

/// Logistic regression for two or more classes.
#[derive(Debug)]
pub struct LogisticLearner {
    /// The share of L1 in the penalty, and scikit-learn's strength; no strength: no penalty.
    l1_ratio: f64,
    c: Option<f64>,
    fit_intercept: bool,
    class_weight: ClassWeight,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Whole(Solver),
    MiniBatch(Recipe),
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    None,
    L2,
    L1,
    ElasticNet,
}

impl LogisticLearner {
    pub(crate) fn read(options: &mut Reader<'_>, seed: i64) -> Result<Self, FitError> {
        use Kind::{ElasticNet, L1, L2};
        let penalty =
            options.word("penalty", &[("none", Kind::None), ("l2", L2), ("l1", L1), ("elastic_net", ElasticNet)])?;
        let (c, ratio) = (options.float("c", 0.0, false)?, options.share("l1_ratio")?);
        let max_iter = options.int("max_iter", 1, i64::MAX)?;
        let tol = options.float("tol", 0.0, false)?;
        let adam = Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decoupled: false };
        let whole = |method| Ok(Solver { method, max_iter, tol });
        let optimizer = options.word(
            "optimizer",
            &[
                ("auto", whole(Method::Auto)),
                ("newton", whole(Method::Newton)),
                ("lbfgs", whole(Method::Lbfgs)),
                ("adam", Err(adam)),
                ("sgd", Err(Optimizer::Sgd { momentum: 0.0 })),
            ],
        )?;
        let epochs = options.int("epochs", 1, i64::from(u32::MAX))?;
        let learning_rate = options.float("learning_rate", 0.0, false)?;
        let batch_size = options.int("batch_size", 1, i64::MAX)?;
        Ok(Self {
            l1_ratio: match penalty {
                Kind::None | L2 => 0.0,
                L1 => 1.0,
                ElasticNet => ratio,
            },
            c: (!matches!(penalty, Kind::None)).then_some(c),
            fit_intercept: options.bool("fit_intercept")?,
            class_weight: ClassWeight::read(options)?,
            way: match optimizer {
                Ok(solver) => Way::Whole(solver),
                Err(optimizer) => Way::MiniBatch(Recipe {
                    optimizer,
                    epochs,
                    learning_rate,
                    schedule: Schedule::Constant,
                    batch_size,
                    dropout: 0.0,
                    stop_early: None,
                    seed,
                }),
            },
        })
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
        let codes: Cow<'_, [u32]> = if learned.len() == *count {
            codes.into()
        } else {
            codes.iter().map(|c| learned.binary_search(c).unwrap_or(0) as u32).collect()
        };
        let loss = if learned.len() == 2 { Loss::Binary(&codes) } else { Loss::Classes(&codes, learned.len()) };
        let pool = Pool::new(cx.threads)?;
        let keeper = Keeper::new(cx, self, x, y, weights);
        // Per unit of weight; scikit-learn's objective is divided by c and all the weight.
        let strength = self.c.map_or(0.0, |c| 1.0 / (c * crate::numeric::sum(&rows)));
        let (l1, l2) = (strength * self.l1_ratio, strength * (1.0 - self.l1_ratio));
        let (coefficients, intercepts, ended_early) = match &self.way {
            Way::Whole(solver) => {
                let design = Design::new(x, &rows, self.fit_intercept, &pool)?;
                let objective = Objective { design, loss, l2 };
                let start = vec![0.0; objective.parameters()];
                solver.solve(&objective, l1, start, ("logistic_regression", cx), &keeper, &pool)?
            }
            Way::MiniBatch(recipe) => {
                let outputs = loss.outputs();
                let output = if outputs == 1 { Output::Binary } else { Output::Classes(outputs) };
                let penalty = Penalty { l1, l2, no_bias: !self.fit_intercept };
                let told = ("logistic_regression", cx);
                minibatch::fit(x, (&codes, &rows), (output, penalty), recipe, told, &keeper, &pool)?
            }
        };
        let model = LinearModel::classifier((x, &rows), (*count, learned), coefficients, intercepts, &pool);
        Ok(Fitted::ended(model, ended_early))
    }
}
