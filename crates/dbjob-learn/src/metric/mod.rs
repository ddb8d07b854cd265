//! Metrics, equal to scikit-learn's, with its sample weights. A group of the same kind a file.

mod calibration_error;
mod counts;
mod interval;
mod probability;
mod ranking;
mod regression;
mod silhouette;

use std::fmt;

use crate::Task;

pub use interval::{REPLICATES, interval};
pub use silhouette::{MOST_SILHOUETTE_ROWS, silhouette};

/// Truth beside prediction, row by row.
#[derive(Debug, Clone, Copy)]
pub enum Judged<'a> {
    Classes(Classes<'a>),
    Numbers(Numbers<'a>),
}

#[derive(Debug, Clone, Copy)]
pub struct Classes<'a> {
    /// A code of `probabilities.len()` or more is a class that the model does not know: never predicted right.
    pub truth: &'a [u32],
    pub predicted: &'a [u32],
    /// One column a class.
    pub probabilities: &'a [Vec<f64>],
    /// How much each row counts, finite and not negative; all alike without.
    pub weights: Option<&'a [f64]>,
}

#[derive(Debug, Clone, Copy)]
pub struct Numbers<'a> {
    pub truth: &'a [f64],
    pub predicted: &'a [f64],
    /// As of [`Classes`].
    pub weights: Option<&'a [f64]>,
}

impl Judged<'_> {
    pub fn rows(&self) -> usize {
        match self {
            Self::Classes(classes) => classes.truth.len(),
            Self::Numbers(numbers) => numbers.truth.len(),
        }
    }

    fn weights(&self) -> Option<&[f64]> {
        match self {
            Self::Classes(classes) => classes.weights,
            Self::Numbers(numbers) => numbers.weights,
        }
    }
}

impl Classes<'_> {
    fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[row])
    }

    /// The probability given to a class; 0 for one that the model does not know.
    fn probability(&self, class: u32, row: usize) -> f64 {
        self.probabilities.get(class as usize).map_or(0.0, |column| column[row])
    }

    /// The number of classes that occur in truth or model.
    fn count(&self) -> usize {
        self.truth.iter().map(|c| *c as usize + 1).max().unwrap_or(0).max(self.probabilities.len())
    }
}

/// Why a metric has no value on some rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undefined(pub &'static str);

impl fmt::Display for Undefined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

type Value = Result<f64, Undefined>;

/// A number that says how good predictions are.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    entry: &'static Entry,
    argument: f64,
}

#[derive(Debug)]
struct Entry {
    name: &'static str,
    higher_is_better: bool,
    compute: Compute,
}

#[derive(Debug, Clone, Copy)]
enum Compute {
    Classes(fn(&Classes<'_>) -> Value),
    Numbers(fn(&Numbers<'_>) -> Value),
    /// With the number in brackets behind the name.
    With(fn(&Numbers<'_>, f64) -> Value),
}

impl Metric {
    pub fn task(&self) -> Task {
        match self.entry.compute {
            Compute::Classes(_) => Task::Classification,
            Compute::Numbers(_) | Compute::With(_) => Task::Regression,
        }
    }

    pub fn higher_is_better(&self) -> bool {
        self.entry.higher_is_better
    }

    /// Errors: where it is not defined.
    pub fn compute(&self, judged: &Judged<'_>) -> Value {
        if judged.rows() == 0 {
            return Err(Undefined("there are no rows"));
        }
        if judged.weights().is_some_and(|weights| !weights.iter().any(|w| *w > 0.0)) {
            return Err(Undefined("no row has a weight"));
        }
        let value = match (self.entry.compute, judged) {
            (Compute::Classes(of), Judged::Classes(classes)) => of(classes)?,
            (Compute::Numbers(of), Judged::Numbers(numbers)) => of(numbers)?,
            (Compute::With(of), Judged::Numbers(numbers)) => of(numbers, self.argument)?,
            _ => return Err(Undefined("it judges the other task")),
        };
        if value.is_finite() { Ok(value) } else { Err(Undefined("a prediction is not a finite number")) }
    }
}

const fn better(name: &'static str, higher_is_better: bool, compute: Compute) -> Entry {
    Entry { name, higher_is_better, compute }
}

const fn gain(name: &'static str, of: fn(&Classes<'_>) -> Value) -> Entry {
    better(name, true, Compute::Classes(of))
}

const fn loss(name: &'static str, of: fn(&Classes<'_>) -> Value) -> Entry {
    better(name, false, Compute::Classes(of))
}

const fn error(name: &'static str, of: fn(&Numbers<'_>) -> Value) -> Entry {
    better(name, false, Compute::Numbers(of))
}

static ALL: &[Entry] = &[
    gain("accuracy", counts::accuracy),
    gain("balanced_accuracy", counts::balanced_accuracy),
    gain("precision", counts::precision),
    gain("precision_macro", counts::precision_macro),
    gain("precision_micro", counts::precision_micro),
    gain("precision_weighted", counts::precision_weighted),
    gain("recall", counts::recall),
    gain("recall_macro", counts::recall_macro),
    gain("recall_micro", counts::recall_micro),
    gain("recall_weighted", counts::recall_weighted),
    gain("f1", counts::f1),
    gain("f1_macro", counts::f1_macro),
    gain("f1_micro", counts::f1_micro),
    gain("f1_weighted", counts::f1_weighted),
    gain("mcc", counts::mcc),
    gain("auc", ranking::auc),
    gain("average_precision", ranking::average_precision),
    loss("log_loss", probability::log_loss),
    loss("brier", probability::brier),
    loss("calibration_error", calibration_error::calibration_error),
    error("rmse", regression::rmse),
    error("mae", regression::mae),
    error("mape", regression::mape),
    better("r2", true, Compute::Numbers(regression::r2)),
    better("quantile_loss", false, Compute::With(regression::quantile_loss)),
    error("poisson_deviance", regression::poisson_deviance),
    error("gamma_deviance", regression::gamma_deviance),
];

/// The names of all metrics.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|entry| entry.name)
}

/// The metric of this name: `auc`, `quantile_loss(0.9)`.
pub fn metric(name: &str) -> Option<Metric> {
    let (plain, argument) = match name.split_once('(') {
        Some((plain, rest)) => (plain, Some(rest.strip_suffix(')')?.trim().parse::<f64>().ok()?)),
        None => (name, None),
    };
    let entry = ALL.iter().find(|entry| entry.name == plain)?;
    match (entry.compute, argument) {
        (Compute::With(_), Some(argument)) => Some(Metric { entry, argument }),
        (Compute::With(_), None) | (_, Some(_)) => None,
        (_, None) => Some(Metric { entry, argument: f64::NAN }),
    }
}

/// Σ w · of(row) / Σ w.
fn mean(rows: usize, weights: Option<&[f64]>, of: impl Fn(usize) -> f64) -> f64 {
    match weights {
        None => (0..rows).map(of).sum::<f64>() / rows as f64,
        Some(weights) => {
            let (mut total, mut all) = (0.0, 0.0);
            // A row without weight is as one that is not there, whatever it holds.
            for (row, w) in weights.iter().enumerate().filter(|(_, w)| **w > 0.0) {
                total += w * of(row);
                all += w;
            }
            total / all
        }
    }
}

#[cfg(test)]
mod tests;
