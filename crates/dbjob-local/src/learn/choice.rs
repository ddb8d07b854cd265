//! What the rows that choose say: the best threshold, how probabilities are put right, how wide
//! intervals are.

use dbjob_learn::Target;
use dbjob_learn::calibration::{Platt, conformal_radius, isotonic, platt};
use dbjob_learn::metric::{Classes, Judged};
use dbjob_plan::{Calibration, CalibrationMethod, ClassCurve, Curve, FitSpec, RunError, Value};

use super::calibrated::along;
use super::evaluate::metric;
use super::fit::Fresh;
use super::held_out::HeldOut;

/// Thresholds that are tried at most.
const MOST_THRESHOLDS: usize = 400;

/// What models say of rows that they have not learned from, beside the truth.
#[derive(Debug, Default)]
pub struct Unseen {
    classes: Vec<OfClass>,
    /// Truth and prediction, in the caller's units.
    numbers: Vec<(f64, f64)>,
}

/// The probability of one class.
#[derive(Debug)]
struct OfClass {
    class: Value,
    said: Vec<f64>,
    happened: Vec<bool>,
    /// Of every row or of none.
    weights: Vec<f64>,
}

impl OfClass {
    fn weights(&self) -> Option<&[f64]> {
        (!self.weights.is_empty()).then_some(&self.weights[..])
    }
}

impl Unseen {
    /// Adds the rows that a fold or the valid part holds out. `fresh`: the model that says it.
    pub fn add(&mut self, held: &HeldOut, fresh: &Fresh) {
        let found = held.judged();
        let truth = match &found.truth {
            Target::Numbers(truth) => {
                self.numbers.extend(truth.iter().copied().zip(found.numbers.iter().copied()));
                return;
            }
            Target::Unlabelled(_) => return,
            Target::Classes { codes, .. } => codes,
        };
        for ((class, column), code) in fresh.learned.classes.iter().zip(&found.scores.columns).zip(0..) {
            let known = self.classes.iter().position(|of| of.class == *class);
            let at = known.unwrap_or_else(|| {
                let class = class.clone();
                self.classes.push(OfClass { class, said: Vec::new(), happened: Vec::new(), weights: Vec::new() });
                self.classes.len() - 1
            });
            let of = &mut self.classes[at];
            of.said.extend(column);
            of.happened.extend(truth.iter().map(|t| *t == code));
            of.weights.extend(found.weights.iter().flatten());
        }
    }

    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty() && self.classes.iter().all(|of| of.said.is_empty())
    }

    /// Learns how probabilities are put right, and does so with those of these rows.
    ///
    /// Errors: E0715 for a class without a row of weight among them, or with no other.
    pub fn calibrate(&mut self, spec: &FitSpec, method: CalibrationMethod) -> Result<Calibration, RunError> {
        let from = usize::from(self.classes.len() == 2);
        let mut curves = Vec::new();
        for of in self.classes.iter_mut().skip(from) {
            let counts = |row: usize| of.weights.get(row).is_none_or(|w| *w > 0.0);
            let occurs = |what: bool| of.happened.iter().enumerate().any(|(row, h)| *h == what && counts(row));
            if !occurs(true) || !occurs(false) {
                let (model, class, rows) = (&spec.model, &of.class, of.said.len());
                let how = if occurs(true) { "no other class than" } else { "no row of the class" };
                let message = format!("cannot calibrate `{model}`: {how} {class} among the {rows} rows that choose");
                return Err(RunError::new("E0715", message).help("give the rows that choose every class: see `split`"));
            }
            let curve = match method {
                CalibrationMethod::Sigmoid => {
                    let Platt { of_log_odds, slope, intercept } = platt(&of.said, &of.happened, of.weights());
                    Curve::Sigmoid { of_log_odds, slope, intercept }
                }
                CalibrationMethod::Isotonic => {
                    let (from, to) = isotonic(&of.said, &of.happened, of.weights());
                    Curve::Points { from, to }
                }
            };
            of.said.iter_mut().for_each(|p| *p = along(&curve, *p));
            curves.push(ClassCurve { class: of.class.clone(), curve });
        }
        Ok(Calibration { method, curves })
    }

    /// How far from a prediction the truth lies at most in so large a share of rows.
    ///
    /// Errors: E0715 when there are too few rows, or a prediction is none.
    pub fn radius(&self, spec: &FitSpec, coverage: f64) -> Result<f64, RunError> {
        let distances: Vec<f64> = self.numbers.iter().map(|(truth, predicted)| (truth - predicted).abs()).collect();
        conformal_radius(&distances, coverage).filter(|radius| radius.is_finite()).ok_or_else(|| {
            let (rows, model) = (distances.len(), &spec.model);
            let lost = distances.iter().any(|d| !d.is_finite());
            let why = if lost { "a prediction is not a finite number" } else { "they are too few" };
            let message =
                format!("the {rows} rows that choose give `{model}` no intervals of {}: {why}", share(coverage));
            // With n rows the least share that is missed is 1 / (n + 1).
            let wanted = (coverage / (1.0 - coverage) - 1e-9).ceil();
            let help = if lost {
                "keep the output where its maps can be undone".to_owned()
            } else {
                format!("it takes {wanted} of them")
            };
            RunError::new("E0715", message).help(help)
        })
    }

    /// The threshold with the best value of the metric; of equally good ones the one nearest to a half. Thresholds lie
    /// halfway between probabilities that follow each other, thinned out where they are many.
    ///
    /// Errors: E0715 when the metric is not defined on these rows.
    pub fn threshold(&self, spec: &FitSpec, name: &str) -> Result<f64, RunError> {
        let metric = metric(name)?;
        let none = OfClass { class: Value::Null, said: Vec::new(), happened: Vec::new(), weights: Vec::new() };
        let of = self.classes.iter().find(|of| of.class == Value::Bool(true)).unwrap_or(&none);
        let truth: Vec<u32> = of.happened.iter().map(|h| u32::from(*h)).collect();
        let probabilities = [of.said.iter().map(|p| 1.0 - p).collect(), of.said.clone()];
        let value = |threshold: f64| {
            let predicted: Vec<u32> = of.said.iter().map(|p| u32::from(*p >= threshold)).collect();
            let (truth, predicted, probabilities) = (&truth[..], &predicted[..], &probabilities[..]);
            metric.compute(&Judged::Classes(Classes { truth, predicted, probabilities, weights: of.weights() }))
        };
        let better = |a: f64, b: f64| if metric.higher_is_better() { a > b } else { a < b };
        let mut best: Option<(f64, f64)> = None;
        for threshold in thresholds(&of.said) {
            let Ok(found) = value(threshold) else { continue };
            if best.is_none_or(|(_, value)| better(found, value)) {
                best = Some((threshold, found));
            }
        }
        best.map(|(threshold, _)| threshold).ok_or_else(|| {
            let rows = truth.len();
            let message =
                format!("no threshold of `{}` can be chosen: {name} is not defined on its {rows} rows", spec.model);
            RunError::new("E0715", message).help("give the rows that choose both classes, or say a threshold")
        })
    }
}

/// Nearest to a half first.
fn thresholds(said: &[f64]) -> Vec<f64> {
    let mut all = said.to_vec();
    all.sort_by(f64::total_cmp);
    all.dedup();
    let between: Vec<f64> = all.windows(2).map(|pair| f64::midpoint(pair[0], pair[1])).collect();
    let step = between.len().div_ceil(MOST_THRESHOLDS).max(1);
    let mut chosen: Vec<f64> = between.into_iter().step_by(step).chain([0.5]).collect();
    chosen.sort_by(|a, b| (a - 0.5).abs().total_cmp(&(b - 0.5).abs()).then(a.total_cmp(b)));
    chosen
}

/// `90 %`.
fn share(share: f64) -> String {
    format!("{} %", (share * 1e4).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::tests::support::spec;

    fn bool_spec() -> FitSpec {
        spec("logistic_regression", dbjob_plan::Task::Classification, "y", dbjob_plan::DataType::Bool, &[])
    }

    fn of_true(said: &[f64], happened: &[bool]) -> Unseen {
        let of = |class: bool, said: Vec<f64>| OfClass {
            class: Value::Bool(class),
            said,
            happened: happened.iter().map(|h| *h == class).collect(),
            weights: Vec::new(),
        };
        let first = said.iter().map(|p| 1.0 - p).collect();
        Unseen { classes: vec![of(false, first), of(true, said.to_vec())], numbers: Vec::new() }
    }

    #[test]
    fn the_best_threshold_lies_between_probabilities() {
        let shares = of_true(&[0.05, 0.1, 0.15, 0.25, 0.3, 0.7], &[false, false, false, true, true, true]);
        assert_eq!(shares.threshold(&bool_spec(), "accuracy").unwrap(), 0.2);
        assert_eq!(shares.threshold(&bool_spec(), "f1").unwrap(), 0.2);
        // A half is as good as any.
        let shares = of_true(&[0.1, 0.9], &[false, true]);
        assert_eq!(shares.threshold(&bool_spec(), "f1").unwrap(), 0.5);
        let error = Unseen::default().threshold(&bool_spec(), "f1").unwrap_err();
        assert_eq!(error.code, "E0715");
    }

    #[test]
    fn a_threshold_is_of_calibrated_probabilities() {
        let mut unseen = of_true(&[0.05, 0.1, 0.15, 0.25, 0.3, 0.7], &[false, false, false, true, true, true]);
        let found = unseen.calibrate(&bool_spec(), CalibrationMethod::Isotonic).unwrap();
        assert_eq!(found.curves.len(), 1);
        assert_eq!(found.curves[0].class, Value::Bool(true));
        assert_eq!(unseen.classes[1].said, [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
        assert_eq!(unseen.threshold(&bool_spec(), "f1").unwrap(), 0.5);
        let mut one = of_true(&[0.1, 0.2], &[true, true]);
        let error = one.calibrate(&bool_spec(), CalibrationMethod::Sigmoid).unwrap_err();
        assert_eq!(error.message, "cannot calibrate `m`: no other class than true among the 2 rows that choose");
    }

    #[test]
    fn intervals_need_rows() {
        let unseen = Unseen { classes: Vec::new(), numbers: (0..8).map(|i| (f64::from(i), 0.0)).collect() };
        assert_eq!(unseen.radius(&bool_spec(), 0.5).unwrap(), 4.0);
        let error = unseen.radius(&bool_spec(), 0.9).unwrap_err();
        assert_eq!(error.message, "the 8 rows that choose give `m` no intervals of 90 %: they are too few");
        assert_eq!(error.help.as_deref(), Some("it takes 9 of them"));
    }
}
