use super::{Judged, Metric};
use crate::Task;

/// The mean of -ln of the probability of the true class, probabilities clipped to [2^-52, 1 - 2^-52].
pub(super) struct LogLoss;

impl Metric for LogLoss {
    fn name(&self) -> &'static str {
        "log_loss"
    }

    fn task(&self) -> Task {
        Task::Classification
    }

    fn higher_is_better(&self) -> bool {
        false
    }

    fn compute(&self, judged: &Judged<'_>) -> Option<f64> {
        let Judged::Classes { truth, probabilities, .. } = judged else { return None };
        if truth.is_empty() {
            return None;
        }
        let mut total = 0.0;
        for (i, t) in truth.iter().enumerate() {
            let clip = |p: f64| p.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
            let p = probabilities.get(*t as usize).map_or(0.0, |column| column[i]);
            total -= clip(p).ln();
        }
        let mean = total / truth.len() as f64;
        mean.is_finite().then_some(mean)
    }
}
