use super::{Judged, Metric, classes};
use crate::Task;

/// 2·tp / (2·tp + fp + fn): of the second class where there are two, else the mean over the classes that occur in truth
/// or prediction. 0 for a class without any.
pub(super) struct F1;

impl Metric for F1 {
    fn name(&self) -> &'static str {
        "f1"
    }

    fn task(&self) -> Task {
        Task::Classification
    }

    fn higher_is_better(&self) -> bool {
        true
    }

    fn compute(&self, judged: &Judged<'_>) -> Option<f64> {
        let Judged::Classes { truth, predicted, probabilities } = judged else { return None };
        if truth.is_empty() {
            return None;
        }
        // By class: right, predicted, true.
        let mut counts = vec![(0_usize, 0_usize, 0_usize); classes(truth, probabilities.len())];
        for (t, p) in truth.iter().zip(*predicted) {
            counts[*t as usize].2 += 1;
            counts[*p as usize].1 += 1;
            counts[*t as usize].0 += usize::from(t == p);
        }
        let of = |(right, predicted, truth): (usize, usize, usize)| {
            if predicted + truth == 0 { 0.0 } else { 2.0 * right as f64 / (predicted + truth) as f64 }
        };
        if counts.len() == 2 {
            return Some(of(counts[1]));
        }
        let scores: Vec<f64> = counts.into_iter().filter(|(_, p, t)| p + t > 0).map(of).collect();
        Some(scores.iter().sum::<f64>() / scores.len() as f64)
    }
}
