use std::ops::Range;

use super::points::{Distance, Points};
use super::search::{Neighbor, nearest};
use crate::options::place;
use crate::store::{LoadError, Stored};
use crate::{Matrix, Model, Pool, Scores, Tensor, Tensors};

/// Rows that one thread answers at a time.
const BLOCK: usize = 64;

/// What a neighbour's vote weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Votes {
    Uniform,
    /// The inverse of its distance; where some are at the very place, only those vote.
    Distance,
}

impl Votes {
    pub const WORDS: [(&'static str, Self); 2] = [("uniform", Self::Uniform), ("distance", Self::Distance)];
}

/// What the kept rows answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answers {
    Classes(Vec<u32>),
    Numbers(Vec<f64>),
}

/// The rows that were learned from, and how they vote.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbors {
    pub(super) features: Vec<String>,
    pub(super) classes: usize,
    /// At least 1, at most the rows.
    pub(super) k: usize,
    pub(super) votes: Votes,
    pub(super) points: Points,
    pub(super) answers: Answers,
    /// Of each row; empty: all the same.
    pub(super) weights: Vec<f64>,
}

impl Neighbors {
    pub(crate) const KIND: &'static str = "neighbors";

    pub(crate) fn restore(stored: Stored<'_>) -> Result<Self, LoadError> {
        let broken = || LoadError("the tensors of the nearest neighbours do not fit together".to_owned());
        let (values, shape) = stored.f64("rows")?;
        let (weights, _) = stored.f64("weights")?;
        let [width, rows] = *shape.as_slice() else { return Err(broken()) };
        let [k, votes, distance] = *stored.u32("settings")?.as_slice() else { return Err(broken()) };
        let votes = Votes::WORDS.get(votes as usize).ok_or_else(broken)?.1;
        let distance = Distance::WORDS.get(distance as usize).ok_or_else(broken)?.1;
        let (answers, count) = if stored.classes > 0 {
            let codes = stored.u32("classes")?;
            let known = codes.iter().all(|c| (*c as usize) < stored.classes);
            let count = codes.len();
            (Answers::Classes(codes), if known { count } else { usize::MAX })
        } else {
            let numbers = stored.f64("numbers")?.0;
            let count = numbers.len();
            (Answers::Numbers(numbers), count)
        };
        let sound = width == stored.features.len()
            && width > 0
            && count == rows
            && (1..=rows).contains(&(k as usize))
            && u32::try_from(rows).is_ok()
            && (weights.is_empty() || weights.len() == rows && weights.iter().all(|w| w.is_finite() && *w > 0.0))
            && values.iter().all(|v| v.is_finite());
        if !sound {
            return Err(broken());
        }
        let columns: Vec<&[f64]> = values.chunks_exact(rows).collect();
        let points = Points::new(&columns, rows, distance);
        Ok(Self { features: stored.features, classes: stored.classes, k: k as usize, votes, points, answers, weights })
    }

    /// The answers to a range of rows, one column a class, or one of numbers.
    fn block(&self, x: &Matrix, rows: Range<usize>) -> Vec<Vec<f64>> {
        let mut all = vec![vec![0.0; rows.len()]; self.classes.max(1)];
        let mut query = vec![0.0; x.width()];
        for (at, row) in rows.enumerate() {
            for (j, q) in query.iter_mut().enumerate() {
                *q = x.column(j)[row];
            }
            let near = nearest(&self.points, &query, self.k);
            let weights = self.weigh(&near);
            let total: f64 = weights.iter().sum();
            for (neighbor, weight) in near.iter().zip(&weights) {
                let row = neighbor.row as usize;
                match &self.answers {
                    Answers::Classes(codes) => all[codes[row] as usize][at] += weight,
                    Answers::Numbers(numbers) => all[0][at] += weight * numbers[row],
                }
            }
            all.iter_mut().for_each(|column| column[at] /= total);
        }
        all
    }

    /// The weight of each vote; some are above 0.
    fn weigh(&self, near: &[Neighbor]) -> Vec<f64> {
        let own = |n: &Neighbor| self.weights.get(n.row as usize).copied().unwrap_or(1.0);
        if self.votes == Votes::Distance {
            let here = near.first().is_some_and(|n| n.distance == 0.0);
            let nearness = |n: &Neighbor| match n.distance {
                d if here => f64::from(u8::from(d == 0.0)),
                d => 1.0 / self.points.distance.plain(d),
            };
            let weights: Vec<f64> = near.iter().map(|n| own(n) * nearness(n)).collect();
            let total: f64 = weights.iter().sum();
            // Not so if all are infinitely far.
            if total > 0.0 && total.is_finite() {
                return weights;
            }
        }
        near.iter().map(own).collect()
    }
}

impl Model for Neighbors {
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

    fn tensors(&self) -> Tensors {
        let (width, rows) = (self.features.len(), self.points.rows());
        let values: Vec<f64> = (0..width).flat_map(|j| self.points.column(j)).collect();
        let votes = place(&Votes::WORDS, &self.votes);
        let distance = place(&Distance::WORDS, &self.points.distance);
        vec![
            ("rows", Tensor::f64(vec![width, rows], &values)),
            match &self.answers {
                Answers::Classes(codes) => ("classes", Tensor::u32(codes)),
                Answers::Numbers(numbers) => ("numbers", Tensor::f64(vec![rows], numbers)),
            },
            ("weights", Tensor::f64(vec![self.weights.len()], &self.weights)),
            ("settings", Tensor::u32(&[self.k as u32, votes as u32, distance as u32])),
        ]
    }
}
