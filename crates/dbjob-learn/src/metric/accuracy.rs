use super::{Judged, Metric, classes};
use crate::Task;

/// The share of rows whose class was predicted.
pub(super) struct Accuracy;

impl Metric for Accuracy {
    fn name(&self) -> &'static str {
        "accuracy"
    }

    fn task(&self) -> Task {
        Task::Classification
    }

    fn higher_is_better(&self) -> bool {
        true
    }

    fn compute(&self, judged: &Judged<'_>) -> Option<f64> {
        let Judged::Classes { truth, predicted, .. } = judged else { return None };
        let right = truth.iter().zip(*predicted).filter(|(t, p)| t == p).count();
        (!truth.is_empty()).then(|| right as f64 / truth.len() as f64)
    }
}

/// The mean over the classes that occur of the share of their rows that were predicted.
pub(super) struct BalancedAccuracy;

impl Metric for BalancedAccuracy {
    fn name(&self) -> &'static str {
        "balanced_accuracy"
    }

    fn task(&self) -> Task {
        Task::Classification
    }

    fn higher_is_better(&self) -> bool {
        true
    }

    fn compute(&self, judged: &Judged<'_>) -> Option<f64> {
        let Judged::Classes { truth, predicted, probabilities } = judged else { return None };
        let mut rows = vec![(0_usize, 0_usize); classes(truth, probabilities.len())];
        for (t, p) in truth.iter().zip(*predicted) {
            let (right, all) = &mut rows[*t as usize];
            *right += usize::from(t == p);
            *all += 1;
        }
        let recalls: Vec<f64> = rows.iter().filter(|(_, n)| *n > 0).map(|(r, n)| *r as f64 / *n as f64).collect();
        (!recalls.is_empty()).then(|| recalls.iter().sum::<f64>() / recalls.len() as f64)
    }
}
