//! What the rows that choose say: the value of a trial, and the best threshold.

use dbjob_learn::Target;
use dbjob_learn::metric::{Classes, Judged};
use dbjob_plan::{FitSpec, RunError};
use polars::prelude::DataFrame;

use super::evaluate::{decided, judged, metric};
use super::fit::Fresh;
use super::held_out::HeldOut;
use crate::map::MapStates;

/// Thresholds that are tried at most.
const MOST_THRESHOLDS: usize = 400;

/// Probabilities of `true` beside the truth.
#[derive(Debug, Default)]
pub struct Shares {
    truth: Vec<u32>,
    of_true: Vec<f64>,
    /// Of every row or of none.
    weights: Vec<f64>,
}

impl Fresh {
    /// What the metric says of the model on the rows that `table` has as its test part; `None` where it is not defined.
    pub fn value(&self, name: &str, table: &DataFrame, maps: &MapStates) -> Result<Option<f64>, RunError> {
        let held = self.held_out(table, maps, self)?;
        let metric = metric(name)?;
        let found = held.judged();
        let predicted = decided(&found.scores, self.spec().fixed_threshold());
        let weights = found.weights.as_deref();
        Ok(metric.compute(&judged(&found.truth, &found.scores, &predicted, &found.numbers, weights)).ok())
    }
}

impl Shares {
    /// Adds the rows that a fold or the valid part holds out, of a bool output.
    pub fn add(&mut self, held: &HeldOut) {
        let found = held.judged();
        if let (Target::Classes { codes, .. }, [_, of_true]) = (&found.truth, found.scores.columns.as_slice()) {
            self.truth.extend(codes);
            self.of_true.extend(of_true);
            self.weights.extend(found.weights.iter().flatten());
        }
    }

    pub fn is_empty(&self) -> bool {
        self.truth.is_empty()
    }

    /// The threshold with the best value of the metric; of equally good ones the one nearest to a half. Thresholds lie
    /// halfway between probabilities that follow each other, thinned out where they are many.
    ///
    /// Errors: E0715 when the metric is not defined on these rows.
    pub fn best(&self, spec: &FitSpec, name: &str) -> Result<f64, RunError> {
        let metric = metric(name)?;
        let probabilities = [self.of_true.iter().map(|p| 1.0 - p).collect(), self.of_true.clone()];
        let value = |threshold: f64| {
            let predicted: Vec<u32> = self.of_true.iter().map(|p| u32::from(*p >= threshold)).collect();
            let weights = (!self.weights.is_empty()).then_some(&self.weights[..]);
            let (truth, predicted, probabilities) = (&self.truth[..], &predicted[..], &probabilities[..]);
            metric.compute(&Judged::Classes(Classes { truth, predicted, probabilities, weights }))
        };
        let better = |a: f64, b: f64| if metric.higher_is_better() { a > b } else { a < b };
        let mut best: Option<(f64, f64)> = None;
        for threshold in self.thresholds() {
            let Ok(found) = value(threshold) else { continue };
            if best.is_none_or(|(_, value)| better(found, value)) {
                best = Some((threshold, found));
            }
        }
        best.map(|(threshold, _)| threshold).ok_or_else(|| {
            let rows = self.truth.len();
            let message =
                format!("no threshold of `{}` can be chosen: {name} is not defined on its {rows} rows", spec.model);
            RunError::new("E0715", message).help("give the rows that choose both classes, or say a threshold")
        })
    }

    /// Nearest to a half first.
    fn thresholds(&self) -> Vec<f64> {
        let mut all = self.of_true.clone();
        all.sort_by(f64::total_cmp);
        all.dedup();
        let between: Vec<f64> = all.windows(2).map(|pair| f64::midpoint(pair[0], pair[1])).collect();
        let step = between.len().div_ceil(MOST_THRESHOLDS).max(1);
        let mut chosen: Vec<f64> = between.into_iter().step_by(step).chain([0.5]).collect();
        chosen.sort_by(|a, b| (a - 0.5).abs().total_cmp(&(b - 0.5).abs()).then(a.total_cmp(b)));
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::tests::support::spec;

    fn bool_spec() -> FitSpec {
        spec("logistic_regression", dbjob_plan::Task::Classification, "y", dbjob_plan::DataType::Bool, &[])
    }

    #[test]
    fn the_best_threshold_lies_between_probabilities() {
        let shares = Shares {
            truth: vec![0, 0, 0, 1, 1, 1],
            of_true: vec![0.05, 0.1, 0.15, 0.25, 0.3, 0.7],
            weights: Vec::new(),
        };
        assert_eq!(shares.best(&bool_spec(), "accuracy").unwrap(), 0.2);
        assert_eq!(shares.best(&bool_spec(), "f1").unwrap(), 0.2);
        // A half is as good as any.
        let shares = Shares { truth: vec![0, 1], of_true: vec![0.1, 0.9], weights: Vec::new() };
        assert_eq!(shares.best(&bool_spec(), "f1").unwrap(), 0.5);
        let error = Shares::default().best(&bool_spec(), "f1").unwrap_err();
        assert_eq!(error.code, "E0715");
    }
}
