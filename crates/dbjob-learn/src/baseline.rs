use crate::metric::{Classes, Judged, Metric, Numbers, Undefined};
use crate::weights::class_totals;
use crate::{Scores, Target};

/// The guess that a model has to beat: the share of each class in the train rows (so the largest one wins), or the mean.
#[derive(Debug, Clone, PartialEq)]
pub enum Baseline {
    Shares(Vec<f64>),
    Mean(f64),
}

impl Baseline {
    /// `None` without rows of positive weight, and where there is nothing to guess.
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
            Target::Unlabelled(_) => return None,
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

    /// What `metric` gives this guess on `truth`.
    ///
    /// Errors: where it is not defined.
    pub fn evaluate(&self, metric: Metric, truth: &Target, weights: Option<&[f64]>) -> Result<f64, Undefined> {
        let scores = self.scores(truth.rows());
        let (predicted, probabilities) = (&scores.argmax()[..], &scores.columns[..]);
        metric.compute(&match truth {
            Target::Classes { codes: truth, .. } => {
                Judged::Classes(Classes { truth, predicted, probabilities, weights })
            }
            Target::Numbers(truth) => Judged::Numbers(Numbers { truth, predicted: &probabilities[0], weights }),
            Target::Unlabelled(_) => return Err(Undefined("there is nothing to guess")),
        })
    }
}
