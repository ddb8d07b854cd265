//! What is told by the predicted classes alone.

use super::{Classes, Value, mean};

/// Weights by class.
struct Counts {
    right: Vec<f64>,
    predicted: Vec<f64>,
    truth: Vec<f64>,
    /// Whether it is in truth or prediction.
    occurs: Vec<bool>,
}

/// Of one class: right, predicted, true.
type Of = (f64, f64, f64);

impl Counts {
    fn of(classes: &Classes<'_>) -> Self {
        let count = classes.count();
        let zeros = || vec![0.0; count];
        let mut counts = Self { right: zeros(), predicted: zeros(), truth: zeros(), occurs: vec![false; count] };
        for (row, (t, p)) in classes.truth.iter().zip(classes.predicted).enumerate() {
            let (t, p, weight) = (*t as usize, *p as usize, classes.weight(row));
            counts.truth[t] += weight;
            counts.predicted[p] += weight;
            if t == p {
                counts.right[t] += weight;
            }
            (counts.occurs[t], counts.occurs[p]) = (true, true);
        }
        counts
    }

    fn class(&self, class: usize) -> Of {
        (self.right[class], self.predicted[class], self.truth[class])
    }

    fn occurring(&self) -> impl Iterator<Item = Of> {
        (0..self.occurs.len()).filter(|class| self.occurs[*class]).map(|class| self.class(class))
    }

    /// Of the second of two classes, else the mean.
    fn plain(&self, of: fn(Of) -> f64) -> f64 {
        if self.occurs.len() == 2 { of(self.class(1)) } else { self.macro_mean(of) }
    }

    fn macro_mean(&self, of: fn(Of) -> f64) -> f64 {
        let (mut total, mut count) = (0.0, 0.0);
        for class in self.occurring() {
            total += of(class);
            count += 1.0;
        }
        total / count
    }

    fn micro(&self, of: fn(Of) -> f64) -> f64 {
        of((self.right.iter().sum(), self.predicted.iter().sum(), self.truth.iter().sum()))
    }

    fn weighted(&self, of: fn(Of) -> f64) -> f64 {
        let total: f64 = self.truth.iter().sum();
        self.occurring().map(|class| class.2 * of(class)).sum::<f64>() / total
    }
}

/// 0 where there is nothing to divide by.
fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

fn precision_of((right, predicted, _): Of) -> f64 {
    share(right, predicted)
}

fn recall_of((right, _, truth): Of) -> f64 {
    share(right, truth)
}

fn f1_of((right, predicted, truth): Of) -> f64 {
    share(2.0 * right, predicted + truth)
}

macro_rules! averages {
    ($of:ident: $plain:ident, $macro_mean:ident, $micro:ident, $weighted:ident) => {
        /// Of the second class where there are two, else the mean over the classes in truth or prediction.
        pub(super) fn $plain(classes: &Classes<'_>) -> Value {
            Ok(Counts::of(classes).plain($of))
        }

        /// The mean over the classes in truth or prediction.
        pub(super) fn $macro_mean(classes: &Classes<'_>) -> Value {
            Ok(Counts::of(classes).macro_mean($of))
        }

        /// Of all classes together.
        pub(super) fn $micro(classes: &Classes<'_>) -> Value {
            Ok(Counts::of(classes).micro($of))
        }

        /// The mean over the classes, each by its share of the truth.
        pub(super) fn $weighted(classes: &Classes<'_>) -> Value {
            Ok(Counts::of(classes).weighted($of))
        }
    };
}

averages!(precision_of: precision, precision_macro, precision_micro, precision_weighted);
averages!(recall_of: recall, recall_macro, recall_micro, recall_weighted);
averages!(f1_of: f1, f1_macro, f1_micro, f1_weighted);

/// The share of rows whose class was predicted.
pub(super) fn accuracy(classes: &Classes<'_>) -> Value {
    let right = |row: usize| f64::from(u8::from(classes.truth[row] == classes.predicted[row]));
    Ok(mean(classes.truth.len(), classes.weights, right))
}

/// The mean over the classes that occur of the share of their rows that were predicted.
pub(super) fn balanced_accuracy(classes: &Classes<'_>) -> Value {
    let counts = Counts::of(classes);
    let recalls: Vec<f64> = counts.occurring().filter(|(.., truth)| *truth > 0.0).map(recall_of).collect();
    Ok(recalls.iter().sum::<f64>() / recalls.len() as f64)
}

/// Matthews' correlation of truth and prediction; 0 where one of them does not vary.
pub(super) fn mcc(classes: &Classes<'_>) -> Value {
    let counts = Counts::of(classes);
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (right, all) = (counts.right.iter().sum::<f64>(), counts.predicted.iter().sum::<f64>());
    let both = right * all - dot(&counts.truth, &counts.predicted);
    let spread =
        (all * all - dot(&counts.predicted, &counts.predicted)) * (all * all - dot(&counts.truth, &counts.truth));
    Ok(if spread > 0.0 { both / spread.sqrt() } else { 0.0 })
}
