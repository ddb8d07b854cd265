use std::f64::consts::TAU;
use std::ops::Range;

use crate::numeric::softmax;
use crate::options::place;
use crate::store::{LoadError, Stored};
use crate::{Matrix, Model, Pool, Scores, Tensor, Tensors};

/// How a feature is distributed within a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `first`: means, `second`: variances.
    Gaussian,
    /// `first`: logarithms of shares of the class's total; no `second`.
    Multinomial,
    /// `first`, `second`: logarithms of the probability that a value is above 0, and that it is not.
    Bernoulli,
}

impl Kind {
    pub const WORDS: [(&'static str, Self); 3] =
        [("gaussian", Self::Gaussian), ("multinomial", Self::Multinomial), ("bernoulli", Self::Bernoulli)];
}

/// For each learned class the logarithm of its share and of the density of each feature.
#[derive(Debug, Clone, PartialEq)]
pub struct NaiveBayes {
    pub(super) features: Vec<String>,
    pub(super) classes: usize,
    pub(super) kind: Kind,
    /// The classes that had rows, ascending.
    pub(super) learned: Vec<u32>,
    /// Logarithms.
    pub(super) priors: Vec<f64>,
    /// Row-major, learned x features; see [`Kind`].
    pub(super) first: Vec<f64>,
    pub(super) second: Vec<f64>,
}

impl NaiveBayes {
    pub(crate) const KIND: &'static str = "naive_bayes";

    pub(crate) fn restore(stored: Stored<'_>) -> Result<Self, LoadError> {
        let broken = || LoadError("the tensors of the naive Bayes model do not fit together".to_owned());
        let (first, shape) = stored.f64("first")?;
        let (second, _) = stored.f64("second")?;
        let (priors, _) = stored.f64("priors")?;
        let learned = stored.u32("learned")?;
        let kind = match *stored.u8("type")?.as_slice() {
            [code] => Kind::WORDS.get(usize::from(code)).ok_or_else(broken)?.1,
            _ => return Err(broken()),
        };
        let pairs = if kind == Kind::Multinomial { 0 } else { first.len() };
        let sound = shape == [learned.len(), stored.features.len()]
            && priors.len() == learned.len()
            && second.len() == pairs
            && !learned.is_empty()
            && learned.is_sorted_by(|a, b| a < b)
            && learned.iter().all(|c| (*c as usize) < stored.classes)
            && (kind != Kind::Gaussian || second.iter().all(|v| *v > 0.0));
        if !sound {
            return Err(broken());
        }
        Ok(Self { features: stored.features, classes: stored.classes, kind, learned, priors, first, second })
    }

    pub fn distribution(&self) -> Kind {
        self.kind
    }

    /// The classes that had rows, ascending.
    pub fn learned(&self) -> &[u32] {
        &self.learned
    }

    /// Logarithms of the shares of the learned classes.
    pub fn priors(&self) -> &[f64] {
        &self.priors
    }

    /// Row-major, learned x features; see [`Kind`].
    pub fn first(&self) -> &[f64] {
        &self.first
    }

    /// As [`Self::first`].
    pub fn second(&self) -> &[f64] {
        &self.second
    }

    /// The probabilities of a range of rows, one column a class. Each row is summed alone, feature by feature.
    fn block(&self, x: &Matrix, rows: Range<usize>) -> Vec<Vec<f64>> {
        let p = self.features.len();
        let mut z: Vec<Vec<f64>> = self.priors.iter().map(|prior| vec![*prior; rows.len()]).collect();
        for (k, z) in z.iter_mut().enumerate() {
            for j in 0..p {
                let at = k * p + j;
                let values = &x.column(j)[rows.clone()];
                let first = self.first[at];
                match self.kind {
                    Kind::Gaussian => {
                        let (scale, variance) = (-0.5 * (TAU * self.second[at]).ln(), self.second[at]);
                        for (z, v) in z.iter_mut().zip(values) {
                            *z += scale - (v - first) * (v - first) / variance / 2.0;
                        }
                    }
                    Kind::Multinomial => z.iter_mut().zip(values).for_each(|(z, v)| *z += v * first),
                    Kind::Bernoulli => {
                        let second = self.second[at];
                        z.iter_mut().zip(values).for_each(|(z, v)| *z += if *v > 0.0 { first } else { second });
                    }
                }
            }
        }
        // So far from every class that all densities are 0: what is left are the shares.
        for i in 0..rows.len() {
            if !z.iter().fold(f64::NEG_INFINITY, |m, z| m.max(z[i])).is_finite() {
                z.iter_mut().zip(&self.priors).for_each(|(z, prior)| z[i] = *prior);
            }
        }
        softmax(&mut z);
        let mut all = vec![vec![0.0; rows.len()]; self.classes];
        for (class, column) in self.learned.iter().zip(z) {
            all[*class as usize] = column;
        }
        all
    }
}

impl Model for NaiveBayes {
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
        Scores::in_blocks((x.rows(), self.classes, 1024), pool, |rows| self.block(x, rows))
    }

    fn tensors(&self) -> Tensors {
        let shape = vec![self.learned.len(), self.features.len()];
        let second = if self.second.is_empty() { vec![0] } else { shape.clone() };
        let code = place(&Kind::WORDS, &self.kind);
        vec![
            ("type", Tensor::u8(vec![code as u8])),
            ("learned", Tensor::u32(&self.learned)),
            ("priors", Tensor::f64(vec![self.priors.len()], &self.priors)),
            ("first", Tensor::f64(shape, &self.first)),
            ("second", Tensor::f64(second, &self.second)),
        ]
    }
}
