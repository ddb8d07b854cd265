use super::{Judged, Metric};
use crate::Task;

/// The root of the mean squared error.
pub(super) struct Rmse;

impl Metric for Rmse {
    fn name(&self) -> &'static str {
        "rmse"
    }

    fn task(&self) -> Task {
        Task::Regression
    }

    fn higher_is_better(&self) -> bool {
        false
    }

    fn compute(&self, judged: &Judged<'_>) -> Option<f64> {
        mean_error(judged, |e| e * e).map(f64::sqrt)
    }
}

/// The mean absolute error.
pub(super) struct Mae;

impl Metric for Mae {
    fn name(&self) -> &'static str {
        "mae"
    }

    fn task(&self) -> Task {
        Task::Regression
    }

    fn higher_is_better(&self) -> bool {
        false
    }

    fn compute(&self, judged: &Judged<'_>) -> Option<f64> {
        mean_error(judged, f64::abs)
    }
}

/// 1 - squared error / squared deviation from the mean. With a constant truth: 1 if it was predicted exactly, else 0.
/// Not defined for less than two rows.
pub(super) struct R2;

impl Metric for R2 {
    fn name(&self) -> &'static str {
        "r2"
    }

    fn task(&self) -> Task {
        Task::Regression
    }

    fn higher_is_better(&self) -> bool {
        true
    }

    fn compute(&self, judged: &Judged<'_>) -> Option<f64> {
        let Judged::Numbers { truth, .. } = judged else { return None };
        if truth.len() < 2 {
            return None;
        }
        let error = mean_error(judged, |e| e * e)?;
        let mean = truth.iter().sum::<f64>() / truth.len() as f64;
        let spread = truth.iter().map(|t| (t - mean) * (t - mean)).sum::<f64>() / truth.len() as f64;
        if spread == 0.0 {
            return Some(if error == 0.0 { 1.0 } else { 0.0 });
        }
        Some(1.0 - error / spread).filter(|r| r.is_finite())
    }
}

/// The mean of `of(truth - prediction)`; `None` without rows or where it is not finite.
fn mean_error(judged: &Judged<'_>, of: impl Fn(f64) -> f64) -> Option<f64> {
    let Judged::Numbers { truth, predicted } = judged else { return None };
    if truth.is_empty() {
        return None;
    }
    let mean = truth.iter().zip(*predicted).map(|(t, p)| of(t - p)).sum::<f64>() / truth.len() as f64;
    mean.is_finite().then_some(mean)
}
