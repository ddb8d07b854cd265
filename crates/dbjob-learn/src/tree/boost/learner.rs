use super::loss::Loss;
use super::rounds::Fit;
use super::rows::{Rows, Truth};
use super::watch::Watch;
use crate::checkpoint::Keeper;
use crate::matrix::check_with_gaps;
use crate::numeric::{dot, sum};
use crate::options::Reader;
use crate::rng::Rng;
use crate::tree::ensemble::{Ensemble, Link, Output};
use crate::weights::{ClassWeight, class_totals, present_classes};
use crate::{FitContext, FitError, Fitted, Learner, Matrix, Target, Task};

/// Gradient boosting: each tree is grown, by second-order gains, to what the trees before it left to learn.
/// Sources: J. Friedman, "Greedy Function Approximation" (2001); T. Chen, C. Guestrin, "XGBoost" (2016); leaves grow best
/// first as in G. Ke et al., "LightGBM" (2017).
#[derive(Debug)]
pub struct BoostLearner {
    pub(super) trees: usize,
    pub(super) learning_rate: f64,
    pub(super) max_leaves: usize,
    pub(super) depth: Option<usize>,
    pub(super) min_samples_leaf: usize,
    pub(super) lambda: f64,
    pub(super) min_gain: f64,
    pub(super) subsample: f64,
    pub(super) colsample: f64,
    pub(super) max_bins: usize,
    loss: Loss,
    class_weight: ClassWeight,
    pub(super) stop_early: Option<usize>,
    increasing: Vec<String>,
    decreasing: Vec<String>,
    pub(super) seed: i64,
}

impl BoostLearner {
    pub(crate) fn read(options: &mut Reader<'_>, task: Task, seed: i64) -> Result<Self, FitError> {
        let losses = [("squared", Loss::Squared), ("poisson", Loss::Poisson), ("gamma", Loss::Gamma)];
        let loss = options.word("loss", &losses)?;
        Ok(Self {
            trees: options.int("trees", 1, 100_000)?,
            learning_rate: options.float("learning_rate", 0.0, false)?,
            max_leaves: options.int("max_leaves", 2, 1 << 20)?,
            depth: options.optional_int("depth", 1)?,
            min_samples_leaf: options.int("min_samples_leaf", 1, i64::MAX / 2)?,
            lambda: options.float("lambda", 0.0, true)?,
            min_gain: options.float("min_gain", 0.0, true)?,
            subsample: options.part("subsample")?,
            colsample: options.part("colsample")?,
            max_bins: options.int("max_bins", 2, 255)?,
            loss: if task == Task::Classification { Loss::Logistic } else { loss },
            class_weight: ClassWeight::read(options)?,
            stop_early: options.optional_int("stop_early", 1)?,
            increasing: options.names("increasing")?,
            decreasing: options.names("decreasing")?,
            seed,
        })
    }

    fn numbers(&self, y: &[f64], weights: Option<&[f64]>) -> Result<f64, FitError> {
        if self.class_weight != ClassWeight::None {
            return Err(FitError::option("class_weight has no meaning where numbers are learned")
                .help("leave class_weight out"));
        }
        let (name, positive) = match self.loss {
            Loss::Poisson => ("poisson", false),
            Loss::Gamma => ("gamma", true),
            _ => ("", false),
        };
        if !name.is_empty()
            && let Some(row) = y.iter().position(|y| *y < 0.0 || positive && *y == 0.0)
        {
            let wanted = if positive { "positive numbers" } else { "numbers of at least 0" };
            return Err(FitError::in_row(format!("the output is {}", y[row]), row, "")
                .help(format!("loss {name} is for {wanted}")));
        }
        let mean = match weights {
            Some(w) => dot(y, w) / sum(w),
            None => sum(y) / y.len() as f64,
        };
        if name.is_empty() || mean > 0.0 {
            return Ok(mean);
        }
        Err(FitError::data("every output is 0").help(format!("loss {name} wants some that are more")))
    }
}

/// What sums are of what target.
struct Told {
    link: Link,
    base: Vec<f64>,
    present: Vec<u32>,
}

impl BoostLearner {
    /// `weights`: of the rows that are learned from; 0 for others.
    fn told(&self, y: &Target, weights: Option<&[f64]>) -> Result<Told, FitError> {
        match y {
            Target::Unlabelled(_) => Err(FitError::data("gradient_boosting learns classes or numbers")),
            Target::Numbers(numbers) => {
                let mean = self.numbers(numbers, weights)?;
                Ok(Told { link: self.loss.link(), base: vec![self.loss.base(mean)], present: Vec::new() })
            }
            Target::Classes { codes, count } => {
                let ones;
                let weights = match weights {
                    Some(weights) => weights,
                    None => {
                        ones = vec![1.0; codes.len()];
                        &ones
                    }
                };
                let present = present_classes(codes, *count, weights)?;
                let totals = class_totals(codes, *count, weights);
                let total: f64 = totals.iter().sum();
                let share = |class: u32| totals[class as usize] / total;
                let (link, base) = match present[..] {
                    [_, second] => (Link::Logistic, vec![Loss::Logistic.base(share(second))]),
                    _ => (Link::Softmax, present.iter().map(|c| share(*c).ln()).collect()),
                };
                Ok(Told { link, base, present })
            }
        }
    }

    /// By feature: whether predictions may only rise (1) or fall (-1) with it; empty: no feature is bound.
    pub(super) fn directions(&self, x: &Matrix, sums: usize) -> Result<Vec<i8>, FitError> {
        let bound: Vec<(&String, i8)> =
            self.increasing.iter().map(|n| (n, 1)).chain(self.decreasing.iter().map(|n| (n, -1))).collect();
        if bound.is_empty() {
            return Ok(Vec::new());
        }
        if sums > 1 {
            return Err(FitError::option("increasing and decreasing are for numbers and two classes")
                .help("leave them out: of more classes the probabilities depend on each other"));
        }
        let mut directions = vec![0; x.width()];
        for (name, direction) in bound {
            match x.names().iter().position(|n| n == name) {
                Some(j) if x.levels(j).is_none() && directions[j] != -direction => directions[j] = direction,
                Some(j) if x.levels(j).is_some() => {
                    return Err(FitError::option(format!("`{name}` is a category, which has no order")));
                }
                Some(_) => return Err(FitError::option(format!("`{name}` is both increasing and decreasing"))),
                None => return Err(FitError::option(format!("there is no feature `{name}` to rise or fall with"))),
            }
        }
        Ok(directions)
    }

    /// Rows to learn from and rows to stop by: the valid ones, or some of the train rows, which then have no weight.
    fn held_out(
        &self,
        x: &Matrix,
        y: &Target,
        weights: &mut Option<Vec<f64>>,
    ) -> Option<(Matrix, Target, Option<Vec<f64>>)> {
        let counts: Vec<usize> = (0..x.rows()).filter(|i| weights.as_ref().is_none_or(|w| w[*i] > 0.0)).collect();
        if counts.len() < 2 {
            return None;
        }
        let mut rng = Rng::new(self.seed, u64::MAX);
        let mut rows = counts;
        rng.shuffle(&mut rows);
        rows.truncate((rows.len() / HELD_OUT).max(1));
        rows.sort_unstable();
        let held = weights.as_ref().map(|w| rows.iter().map(|i| w[*i]).collect());
        let learned = weights.get_or_insert_with(|| vec![1.0; x.rows()]);
        rows.iter().for_each(|i| learned[*i] = 0.0);
        Some((x.take(&rows), y.take(&rows), held))
    }
}

/// Without a valid part one in so many train rows tells when to stop.
const HELD_OUT: usize = 10;

impl Told {
    /// The truth as boosting sees it. Rows of classes that are not present have a weight of 0 or are left out before.
    fn truth(&self, loss: Loss, y: &Target) -> Truth {
        match (y, &self.present[..]) {
            (Target::Numbers(numbers), _) => Truth::One { loss, y: numbers.clone() },
            (Target::Classes { codes, .. }, [_, second]) => {
                let y = codes.iter().map(|c| f64::from(u8::from(c == second))).collect();
                Truth::One { loss: Loss::Logistic, y }
            }
            (Target::Classes { codes, .. }, present) => {
                let place = |c: &u32| present.binary_search(c).unwrap_or(0) as u32;
                Truth::Many(codes.iter().map(place).collect())
            }
            (Target::Unlabelled(_), _) => unreachable!("refused before"),
        }
    }

    /// Of rows to stop by those whose class is present.
    fn watch(&self, loss: Loss, x: &Matrix, y: &Target, weights: Option<&[f64]>) -> Option<Watch> {
        let rows: Vec<usize> = match y {
            Target::Classes { codes, .. } => {
                (0..codes.len()).filter(|i| self.present.binary_search(&codes[*i]).is_ok()).collect()
            }
            _ => (0..y.rows()).collect(),
        };
        let weights: Option<Vec<f64>> = weights.map(|w| rows.iter().map(|i| w[*i]).collect());
        if rows.is_empty() || weights.as_ref().is_some_and(|w| w.iter().all(|w| *w == 0.0)) {
            return None;
        }
        let truth = self.truth(loss, &y.take(&rows));
        Some(Watch::new(&x.take(&rows), Rows::new(truth, weights, &self.base, rows.len())))
    }
}

impl Learner for BoostLearner {
    fn fit(&self, x: &Matrix, y: &Target, weights: Option<&[f64]>, cx: &FitContext<'_>) -> Result<Fitted, FitError> {
        check_with_gaps(x, y, weights)?;
        if x.rows() > 1 << 30 {
            return Err(FitError::data(format!("{} rows are more than boosting takes ({})", x.rows(), 1 << 30)));
        }
        let keeper = Keeper::new(cx, self, x, y, weights);
        let mut rows = weights.map(<[f64]>::to_vec);
        let judge = self.stop_early.filter(|_| cx.rounds.is_none());
        let held = match (judge, cx.valid) {
            (Some(_), None) => self.held_out(x, y, &mut rows),
            (Some(_), Some(valid)) => {
                check_with_gaps(valid.x, valid.y, valid.weights)?;
                if valid.x.names() != x.names() || valid.x.all_levels() != x.all_levels() {
                    return Err(FitError::data("the valid rows have other features than the train rows"));
                }
                None
            }
            _ => None,
        };
        if let (Target::Classes { codes, count }, ClassWeight::Balanced) = (y, self.class_weight) {
            rows = Some(self.class_weight.rows(codes, *count, rows.as_deref()));
        }
        let told = self.told(y, rows.as_deref())?;
        let watch = match (&held, cx.valid) {
            (Some((x, y, weights)), _) => told.watch(self.loss, x, y, weights.as_deref()),
            (None, Some(valid)) if judge.is_some() => told.watch(self.loss, valid.x, valid.y, valid.weights),
            _ => None,
        };
        if watch.is_none() && judge.is_some() {
            return Err(FitError::data("there are no rows to stop by: the valid part, or a tenth of the train rows")
                .help("leave stop_early out"));
        }
        drop(held);
        let classes = if let Target::Classes { count, .. } = y { *count } else { 0 };
        let fit = Fit { learner: self, x, cx, keeper: &keeper };
        let watched = watch.is_some();
        let (trees, ended_early) = fit.run(told.truth(self.loss, y), rows, &told.base, watch)?;
        let best_round = watched.then_some((trees.len() / told.base.len()) as u64);
        let Told { link, base, present } = told;
        let output = Output::Sum { link, base, present };
        Ok(Fitted { model: Box::new(Ensemble::new(x, classes, output, trees)), ended_early, best_round })
    }

    fn prediction_share(&self) -> f64 {
        0.2
    }
}
