use crate::neighbors::{Distance, Points};
use crate::options::place;
use crate::store::{LoadError, Stored};
use crate::{Matrix, Model, Pool, Scores, Tensor, Tensors};

/// The number of a row that belongs to no cluster.
const NOISE: f64 = -1.0;

/// Rows in whose neighbourhood there are many others. A row belongs to the cluster of the nearest of them, the first of
/// equally near ones, if that one is no farther than `eps`.
#[derive(Debug, Clone, PartialEq)]
pub struct Dense {
    pub(super) features: Vec<String>,
    pub(super) eps: f64,
    /// There may be none: then all rows are noise.
    pub(super) core: Points,
    pub(super) clusters: Vec<u32>,
}

impl Dense {
    pub(crate) const KIND: &'static str = "dense";

    pub(crate) fn restore(stored: Stored<'_>) -> Result<Self, LoadError> {
        let broken = || LoadError("the tensors of the dense rows do not fit together".to_owned());
        let (values, shape) = stored.f64("rows")?;
        let (eps, _) = stored.f64("eps")?;
        let clusters = stored.u32("clusters")?;
        let [width, rows] = *shape.as_slice() else { return Err(broken()) };
        let [distance] = *stored.u32("settings")?.as_slice() else { return Err(broken()) };
        let distance = Distance::WORDS.get(distance as usize).ok_or_else(broken)?.1;
        let sound = width == stored.features.len()
            && width > 0
            && clusters.len() == rows
            && u32::try_from(rows).is_ok()
            && stored.classes == 0
            && matches!(eps.as_slice(), [eps] if eps.is_finite() && *eps > 0.0)
            && values.iter().all(|v| v.is_finite());
        if !sound {
            return Err(broken());
        }
        let columns: Vec<&[f64]> = (0..width).map(|j| &values[j * rows..(j + 1) * rows]).collect();
        let core = Points::new(&columns, rows, distance);
        Ok(Self { features: stored.features, eps: eps[0], core, clusters })
    }
}

impl Model for Dense {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn features(&self) -> &[String] {
        &self.features
    }

    fn classes(&self) -> usize {
        0
    }

    fn scores(&self, x: &Matrix, pool: &Pool) -> Scores {
        let farthest = self.core.distance.kept(self.eps);
        let number = |query: &[f64]| {
            self.core.nearest(query, farthest).map_or(NOISE, |n| f64::from(self.clusters[n.row as usize]))
        };
        Scores::in_blocks((x.rows(), 1, 256), pool, |rows| vec![x.each_row(rows, number)])
    }

    fn tensors(&self) -> Tensors {
        let (width, rows) = (self.features.len(), self.core.rows());
        let values: Vec<f64> = (0..width).flat_map(|j| self.core.column(j)).collect();
        let distance = place(&Distance::WORDS, &self.core.distance);
        vec![
            ("rows", Tensor::f64(vec![width, rows], &values)),
            ("clusters", Tensor::u32(&self.clusters)),
            ("eps", Tensor::f64(vec![1], &[self.eps])),
            ("settings", Tensor::u32(&[distance as u32])),
        ]
    }
}
