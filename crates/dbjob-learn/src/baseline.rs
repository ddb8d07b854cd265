use crate::metric::{Judged, Metric};
use crate::weights::class_totals;
use crate::{Scores, Target};

/// The guess that a model has to beat: the share of each class in the train rows (so the largest one wins), or the mean.
#[derive(Debug, Clone, PartialEq)]
pub enum Baseline {
    Shares(Vec<f64>),
    Mean(f64),
}

impl Baseline {
    /// `None` without rows of positive weight.
    pub fn fit(train: &Target, weights: Option<&[f64]>) -> Option<Self> {
        let ones;
        let weights = match weights {
            Some(w) => w,
            None => {
                ones = vec![1.0; train.rows()];
                &ones
            }
        };
        let total = crate::numeric::sum(weights);
        if total <= 0.0 {
            return None;
        }
        Some(match train {
            Target::Classes { codes, count } => {
                Self::Shares(class_totals(codes, *count, weights).iter().map(|t| t / total).collect())
            }
            Target::Numbers(values) => Self::Mean(crate::numeric::dot(values, weights) / total),
        })
    }

    /// The same guess for every row.
    pub fn scores(&self, rows: usize) -> Scores {
        Scores {
            columns: match self {
                Self::Shares(shares) => shares.iter().map(|s| vec![*s; rows]).collect(),
                Self::Mean(mean) => vec![vec![*mean; rows]],
            },
        }
    }

    /// What `metric` gives this guess on `truth` (in the sense of [`Metric::compute`]).
    pub fn evaluate(&self, metric: &dyn Metric, truth: &Target) -> Option<f64> {
        let scores = self.scores(truth.rows());
        let codes = scores.argmax();
        match (self, truth) {
            (Self::Shares(_), Target::Classes { codes: truth, .. }) => {
                metric.compute(&Judged::Classes { truth, predicted: &codes, probabilities: &scores.columns })
            }
            (Self::Mean(_), Target::Numbers(truth)) => {
                metric.compute(&Judged::Numbers { truth, predicted: &scores.columns[0] })
            }
            _ => None,
        }
    }
}
