use crate::classes::{are_sound, outputs, probabilities};
use crate::numeric::exp;
use crate::pool::blocks;
use crate::store::{LoadError, Stored};
use crate::{Matrix, Model, Pool, Scores, Tensor, Tensors};

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
}

/// What a number's score is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    Identity,
    /// The logarithm of the prediction.
    Log,
}

impl LinearModel {
    pub(crate) const KIND: &'static str = "linear";

    /// A model of numbers.
    pub(crate) fn numbers(features: &[String], coefficients: Vec<f64>, intercept: f64, link: Link) -> Self {
        Self {
            features: features.to_vec(),
            classes: 0,
            learned: vec![],
            coefficients,
            intercepts: vec![intercept],
            link,
        }
    }

    /// A classifier.
    pub(crate) fn classifier(
        features: &[String],
        classes: usize,
        learned: Vec<u32>,
        coefficients: Vec<f64>,
        intercepts: Vec<f64>,
    ) -> Self {
        Self { features: features.to_vec(), classes, learned, coefficients, intercepts, link: Link::Identity }
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
        let sound = intercepts.len() == outputs(&learned)
            && shape == [intercepts.len(), stored.features.len()]
            && are_sound(&learned, stored.classes);
        let Some(link) = link.filter(|_| sound) else {
            return Err(LoadError("the tensors of the linear model do not fit together".to_owned()));
        };
        Ok(Self { features: stored.features, classes: stored.classes, learned, coefficients, intercepts, link })
    }

    /// Row-major, one row an output.
    pub fn coefficients(&self) -> &[f64] {
        &self.coefficients
    }

    pub fn intercepts(&self) -> &[f64] {
        &self.intercepts
    }

    /// The columns of scores for a range of rows. Each row is summed alone, feature by feature, so that its score is
    /// the same wherever it stands.
    fn block(&self, x: &Matrix, rows: std::ops::Range<usize>) -> Vec<Vec<f64>> {
        let p = self.features.len();
        let mut z: Vec<Vec<f64>> = self.intercepts.iter().map(|b| vec![*b; rows.len()]).collect();
        for (k, z) in z.iter_mut().enumerate() {
            for j in 0..p {
                let c = self.coefficients[k * p + j];
                for (z, v) in z.iter_mut().zip(&x.column(j)[rows.clone()]) {
                    *z += c * v;
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
        let ranges = blocks(x.rows(), 4096);
        let parts = pool.run(ranges.len(), |b| self.block(x, ranges[b].clone()));
        Scores::concat(parts, self.classes.max(1), x.rows())
    }

    fn tensors(&self) -> Tensors {
        let shape = vec![self.intercepts.len(), self.features.len()];
        vec![
            ("coefficients", Tensor::f64(shape, &self.coefficients)),
            ("intercepts", Tensor::f64(vec![self.intercepts.len()], &self.intercepts)),
            ("learned", Tensor::u32(&self.learned)),
            ("link", Tensor::u8(vec![u8::from(self.link == Link::Log)])),
        ]
    }
}
