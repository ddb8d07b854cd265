//! Metrics, equal to scikit-learn's. One file a metric or a small group.

mod accuracy;
mod auc;
mod f1;
mod log_loss;
mod regression;

use crate::Task;

/// Truth beside prediction, row by row.
#[derive(Debug, Clone, Copy)]
pub enum Judged<'a> {
    Classes {
        /// A code of `probabilities.len()` or more is a class that the model does not know: never predicted right.
        truth: &'a [u32],
        predicted: &'a [u32],
        /// One column a class.
        probabilities: &'a [Vec<f64>],
    },
    Numbers {
        truth: &'a [f64],
        predicted: &'a [f64],
    },
}

impl Judged<'_> {
    pub fn rows(&self) -> usize {
        match self {
            Self::Classes { truth, .. } => truth.len(),
            Self::Numbers { truth, .. } => truth.len(),
        }
    }
}

/// A number that says how good predictions are.
pub trait Metric: Sync {
    /// Its name in the language.
    fn name(&self) -> &'static str;

    fn task(&self) -> Task;

    fn higher_is_better(&self) -> bool;

    /// `None` where it is not defined: no rows, one class only where two are needed, predictions that are not finite,
    /// or rows of the other task.
    fn compute(&self, judged: &Judged<'_>) -> Option<f64>;
}

static ALL: &[&dyn Metric] = &[
    &accuracy::Accuracy,
    &auc::Auc,
    &accuracy::BalancedAccuracy,
    &f1::F1,
    &log_loss::LogLoss,
    &regression::Mae,
    &regression::R2,
    &regression::Rmse,
];

/// The names of all metrics.
pub const METRICS: &[&str] = &["accuracy", "auc", "balanced_accuracy", "f1", "log_loss", "mae", "r2", "rmse"];

/// The metric of this name.
pub fn metric(name: &str) -> Option<&'static dyn Metric> {
    ALL.iter().find(|m| m.name() == name).copied()
}

/// The number of classes that occur in truth or model.
fn classes(truth: &[u32], known: usize) -> usize {
    truth.iter().map(|c| *c as usize + 1).max().unwrap_or(0).max(known)
}

#[cfg(test)]
mod tests;
