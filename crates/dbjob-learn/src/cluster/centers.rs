use crate::neighbors::{Distance, Points};
use crate::store::{LoadError, Stored};
use crate::{Matrix, Model, Pool, Scores, Tensor, Tensors};

/// Each row belongs to the nearest centre, the first of equally near ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Centers {
    features: Vec<String>,
    points: Points,
}

impl Centers {
    pub(crate) const KIND: &'static str = "centers";

    /// `centers`: row-major, some x features.
    pub(super) fn new(features: &[String], centers: &[f64]) -> Self {
        let columns = columns(centers, features.len());
        Self { features: features.to_vec(), points: points(&columns) }
    }

    pub(crate) fn restore(stored: Stored<'_>) -> Result<Self, LoadError> {
        let (centers, shape) = stored.f64("centers")?;
        let [count, width] = *shape.as_slice() else {
            return Err(LoadError("the centres of the clusters are no table".to_owned()));
        };
        let sound = width == stored.features.len()
            && (1..=u32::MAX as usize).contains(&count)
            && width > 0
            && stored.classes == 0
            && centers.iter().all(|v| v.is_finite());
        if !sound {
            return Err(LoadError("the centres of the clusters do not fit the features".to_owned()));
        }
        Ok(Self::new(&stored.features, &centers))
    }

    pub fn count(&self) -> usize {
        self.points.rows()
    }

    /// Row-major.
    pub fn centers(&self) -> Vec<f64> {
        let columns: Vec<Vec<f64>> = (0..self.features.len()).map(|j| self.points.column(j)).collect();
        (0..self.count()).flat_map(|i| columns.iter().map(move |c| c[i])).collect()
    }
}

fn columns(rows: &[f64], width: usize) -> Vec<Vec<f64>> {
    (0..width).map(|j| rows.iter().skip(j).step_by(width).copied().collect()).collect()
}

fn points(columns: &[Vec<f64>]) -> Points {
    let views: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    Points::new(&views, columns[0].len(), Distance::Euclidean)
}

impl Model for Centers {
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
        let number = |query: &[f64]| f64::from(self.points.nearest(query, f64::INFINITY).map_or(0, |n| n.row));
        Scores::in_blocks((x.rows(), 1, 1024), pool, |rows| vec![x.each_row(rows, number)])
    }

    fn tensors(&self) -> Tensors {
        vec![("centers", Tensor::f64(vec![self.count(), self.features.len()], &self.centers()))]
    }
}
