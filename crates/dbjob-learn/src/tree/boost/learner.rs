use super::loss::Loss;
use super::rounds::Fit;
use super::rows::Truth;
use crate::checkpoint::Keeper;
use crate::matrix::check_with_gaps;
use crate::numeric::{dot, sum};
use crate::options::Reader;
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
            return Err(FitError::data(format!("the output is {} in row {}", y[row], row + 1))
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

impl Learner for BoostLearner {
    fn fit(&self, x: &Matrix, y: &Target, weights: Option<&[f64]>, cx: &FitContext<'_>) -> Result<Fitted, FitError> {
        check_with_gaps(x, y, weights)?;
        if x.rows() > 1 << 30 {
            return Err(FitError::data(format!("{} rows are more than boosting takes ({})", x.rows(), 1 << 30)));
        }
        let keeper = Keeper::new(cx, self, x, y, weights);
        let codes: Vec<u32>;
        let (truth, row_weights, base, link, present) = match y {
            Target::Numbers(numbers) => {
                let mean = self.numbers(numbers, weights)?;
                let truth = Truth::One { loss: self.loss, y: numbers.clone() };
                (truth, weights.map(<[f64]>::to_vec), vec![self.loss.base(mean)], self.loss.link(), Vec::new())
            }
            Target::Unlabelled(_) => return Err(FitError::data("gradient_boosting learns classes or numbers")),
            Target::Classes { codes: all, count } => {
                let rows = self.class_weight.rows(all, *count, weights);
                let present = present_classes(all, *count, &rows)?;
                let totals = class_totals(all, *count, &rows);
                let total: f64 = totals.iter().sum();
                let share = |class: u32| totals[class as usize] / total;
                let weighted = rows.iter().any(|w| *w != 1.0);
                let (truth, base, link) = if let [_, second] = present[..] {
                    let y = all.iter().map(|c| f64::from(u8::from(*c == second))).collect();
                    (Truth::One { loss: Loss::Logistic, y }, vec![Loss::Logistic.base(share(second))], Link::Logistic)
                } else {
                    // A class without weight: whatever its rows are taken for, they count nothing.
                    let mut place = vec![0; *count];
                    present.iter().zip(0..).for_each(|(class, at)| place[*class as usize] = at);
                    codes = all.iter().map(|c| place[*c as usize]).collect();
                    let base = present.iter().map(|c| share(*c).ln()).collect();
                    (Truth::Many(&codes), base, Link::Softmax)
                };
                (truth, weighted.then_some(rows), base, link, present)
            }
        };
        let classes = if let Target::Classes { count, .. } = y { *count } else { 0 };
        let (trees, ended_early) = Fit { learner: self, x, cx, keeper: &keeper }.run(truth, row_weights, &base)?;
        let output = Output::Sum { link, base, present };
        Ok(Fitted { model: Box::new(Ensemble::new(x, classes, output, trees)), ended_early })
    }

    fn prediction_share(&self) -> f64 {
        0.2
    }
}
