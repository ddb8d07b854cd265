use super::design::mean_of;
use crate::classes::{are_sound, outputs, probabilities};
use crate::numeric::{exp, sum};
use crate::store::{LoadError, Stored};
use crate::{Contribution, Contributions, Matrix, Model, Pool, Scale, Scores, Tensor, Tensors};

/// score = intercept + Σ coefficient · feature, for each row of coefficients.
///
/// Numbers: one row, the score or (with a log link) its exponential is the prediction. Two learned classes: one row, the sigmoid of the score is the
/// probability of the second. More: one row a learned class, the softmax of the scores. A class that had no row to
/// learn from has probability 0.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearModel {
    features: Vec<String>,
    classes: usize,
    /// The classes that were learned, ascending; empty for numbers.
    learned: Vec<u32>,
    /// Row-major, `intercepts.len()` x features.
    coefficients: Vec<f64>,
    intercepts: Vec<f64>,
    link: Link,
    /// Of each feature, over the rows that it was learned from.
    means: Vec<f64>,
}

/// What a number's score is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    Identity,
    /// The logarithm of the prediction.
    Log,
}

/// Rows whose scores stay in a core's own memory.
const BLOCK: usize = 2048;

impl LinearModel {
    pub(crate) const KIND: &'static str = "linear";

    /// A model of numbers, learned from these rows.
    pub(crate) fn numbers(
        (x, weights): (&Matrix, &[f64]),
        coefficients: Vec<f64>,
        intercept: f64,
        link: Link,
        pool: &Pool,
    ) -> Self {
        let means = means(x, weights, pool);
        let (features, intercepts) = (x.names().to_vec(), vec![intercept]);
        Self { features, classes: 0, learned: vec![], coefficients, intercepts, link, means }
    }

    /// A classifier, learned from these rows.
    pub(crate) fn classifier(
        (x, weights): (&Matrix, &[f64]),
        (classes, learned): (usize, Vec<u32>),
        coefficients: Vec<f64>,
        intercepts: Vec<f64>,
        pool: &Pool,
    ) -> Self {
        let (features, means) = (x.names().to_vec(), means(x, weights, pool));
        Self { features, classes, learned, coefficients, intercepts, link: Link::Identity, means }
    }

    pub(crate) fn restore(stored: Stored<'_>) -> Result<Self, LoadError> {
        let (coefficients, shape) = stored.f64("coefficients")?;
        let (intercepts, _) = stored.f64("intercepts")?;
        let learned = stored.u32("learned")?;
        let link = match (stored.u8("link")?.as_slice(), stored.classes) {
            ([0], _) => Some(Link::Identity),
            ([1], 0) => Some(Link::Log),
            _ => None,
        };
        let (means, _) = stored.f64("means")?;
        let sound = means.len() == stored.features.len()
            && intercepts.len() == outputs(&learned)
            && shape == [intercepts.len(), stored.features.len()]
            && are_sound(&learned, stored.classes);
        let Some(link) = link.filter(|_| sound) else {
            return Err(LoadError("the tensors of the linear model do not fit together".to_owned()));
        };
        Ok(Self { features: stored.features, classes: stored.classes, learned, coefficients, intercepts, link, means })
    }

    /// Row-major, one row an output.
    pub fn coefficients(&self) -> &[f64] {
        &self.coefficients
    }

    pub fn intercepts(&self) -> &[f64] {
        &self.intercepts
    }

    /// The classes that were learned, ascending; empty for numbers.
    pub fn learned(&self) -> &[u32] {
        &self.learned
    }

    pub fn link(&self) -> Link {
        self.link
    }

    /// The columns of scores for a range of rows. Each row is summed alone, feature by feature, so that its score is
    /// the same wherever it stands.
    fn block(&self, x: &Matrix, rows: std::ops::Range<usize>) -> Vec<Vec<f64>> {
        let p = self.features.len();
        let mut z: Vec<Vec<f64>> = self.intercepts.iter().map(|b| vec![*b; rows.len()]).collect();
        for (k, z) in z.iter_mut().enumerate() {
            for j in 0..p {
                let c = self.coefficients[k * p + j];
                match x.flags(j) {
                    Some(flags) => flags.add(rows.start, c, z),
                    None => z.iter_mut().zip(&x.column(j)[rows.clone()]).for_each(|(z, v)| *z += c * v),
                }
            }
        }
        match self.learned.len() {
            0 => {
                if self.link == Link::Log {
                    z.iter_mut().flatten().for_each(|z| *z = exp(*z));
                }
                z
            }
            _ => probabilities(z, &self.learned, self.classes),
        }
    }
}

fn means(x: &Matrix, weights: &[f64], pool: &Pool) -> Vec<f64> {
    let total = sum(weights);
    pool.run(x.width(), |j| mean_of(x, j, weights, total))
}

impl Model for LinearModel {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn features(&self) -> &[String] {
        &self.features
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn scores(&self, x: &Matrix, pool: &Pool) -> Scores {
        Scores::in_blocks((x.rows(), self.classes.max(1), BLOCK), pool, |rows| self.block(x, rows))
    }

    /// Coefficient · (value - mean): the exact Shapley values of features that do not depend on each other.
    fn contributions(&self, x: &Matrix, pool: &Pool) -> Option<Contributions> {
        let p = self.features.len();
        let output = |k: usize, class: Option<u32>| {
            let of = &self.coefficients[k * p..(k + 1) * p];
            let base = self.intercepts[k] + of.iter().zip(&self.means).map(|(c, m)| c * m).sum::<f64>();
            let feature = |j: usize| x.column(j).iter().map(|v| of[j] * (v - self.means[j])).collect();
            Contribution { class, base, features: pool.run(p, feature) }
        };
        let scale = match (self.learned.len(), self.link) {
            (0, Link::Identity) => Scale::Number,
            (0, Link::Log) => Scale::Log,
            (2, _) => Scale::LogOdds,
            _ => Scale::Softmax,
        };
        // One a class even where some were not learned: nothing lifts or lowers these.
        let outputs = match scale {
            Scale::Softmax => (0..self.classes as u32)
                .map(|class| match self.learned.binary_search(&class) {
                    Ok(k) => output(k, Some(class)),
                    Err(_) => Contribution::impossible(class, x.rows(), p),
                })
                .collect(),
            _ => vec![output(0, self.learned.last().copied())],
        };
        Some(Contributions { scale, outputs })
    }

    fn tensors(&self) -> Tensors {
        let shape = vec![self.intercepts.len(), self.features.len()];
        vec![
            ("coefficients", Tensor::f64(shape, &self.coefficients)),
            ("intercepts", Tensor::f64(vec![self.intercepts.len()], &self.intercepts)),
            ("learned", Tensor::u32(&self.learned)),
            ("means", Tensor::f64(vec![self.means.len()], &self.means)),
            ("link", Tensor::u8(vec![u8::from(self.link == Link::Log)])),
        ]
    }
}
