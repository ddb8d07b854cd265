use super::{Judged, Metric};
use crate::Task;

/// The area under the ROC curve: the share of pairs of a row of the class and one not of it that the probability puts
/// in order, ties counting half. Two classes: of the second. More: the mean of each class against the rest; not defined
/// unless every class of the model occurs.
pub(super) struct Auc;

impl Metric for Auc {
    fn name(&self) -> &'static str {
        "auc"
    }

    fn task(&self) -> Task {
        Task::Classification
    }

    fn higher_is_better(&self) -> bool {
        true
    }

    fn compute(&self, judged: &Judged<'_>) -> Option<f64> {
        let Judged::Classes { truth, probabilities, .. } = judged else { return None };
        let mut order: Vec<u32> = (0..truth.len() as u32).collect();
        let mut one = |class: usize| area(truth, class as u32, &probabilities[class], &mut order);
        if probabilities.len() == 2 {
            return one(1);
        }
        let areas = (0..probabilities.len()).map(&mut one).collect::<Option<Vec<f64>>>()?;
        (!areas.is_empty()).then(|| areas.iter().sum::<f64>() / areas.len() as f64)
    }
}

/// By the sum of the ranks of the class (Mann and Whitney).
fn area(truth: &[u32], class: u32, scores: &[f64], order: &mut [u32]) -> Option<f64> {
    if scores.iter().any(|s| s.is_nan()) {
        return None;
    }
    order.sort_unstable_by(|a, b| scores[*a as usize].total_cmp(&scores[*b as usize]));
    let positives = truth.iter().filter(|t| **t == class).count() as f64;
    let negatives = truth.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 {
        return None;
    }
    // Twice the number of pairs in order, so that ties stay whole.
    let mut pairs = 0.0;
    let mut below = 0.0;
    for tied in order.chunk_by(|a, b| scores[*a as usize] == scores[*b as usize]) {
        let of_class = tied.iter().filter(|i| truth[**i as usize] == class).count() as f64;
        let others = tied.len() as f64 - of_class;
        pairs += of_class * (2.0 * below + others);
        below += others;
    }
    Some(pairs / (2.0 * positives * negatives))
}
