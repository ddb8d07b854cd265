use super::kernel::{Kernel, Rows};
use super::smo::{Dual, Ended, Point};
use crate::{Matrix, Pool};

/// Memory for kernels that are kept, of all problems that are solved at a time.
const CACHE: usize = 200 << 20;

/// One optimisation: two classes, or numbers.
pub(super) struct Problem {
    /// The rows of the matrix that it is about.
    pub rows: Vec<u32>,
    /// Rows that are judged by it, of a fold.
    pub held: Vec<u32>,
    pub dual: Dual,
}

/// A decision: Σ coefficient · kernel - offset.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Decision {
    /// (row of the matrix, coefficient), by row.
    pub vectors: Vec<(u32, f64)>,
    pub offset: f64,
}

/// Where a problem is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Progress {
    Begun(Point),
    Done(Point),
}

impl Progress {
    pub fn point(&self) -> &Point {
        match self {
            Self::Begun(point) | Self::Done(point) => point,
        }
    }
}

impl Problem {
    /// `cost(row)`: the most that a row may count.
    pub fn classes(rows: Vec<u32>, held: Vec<u32>, y: Vec<f64>, cost: impl Fn(u32) -> f64, tol: f64) -> Self {
        let c = rows.iter().map(|row| cost(*row)).collect();
        let (p, at) = (vec![-1.0; rows.len()], (0..rows.len() as u32).collect());
        Self { rows, held, dual: Dual { y, p, c, at, tol } }
    }

    /// Each row has two variables: how much it pulls up, and how much down.
    pub fn numbers(rows: Vec<u32>, numbers: &[f64], epsilon: f64, cost: impl Fn(u32) -> f64, tol: f64) -> Self {
        let n = rows.len();
        let value = |row: &u32| numbers[*row as usize];
        let costs: Vec<f64> = rows.iter().map(|row| cost(*row)).collect();
        let dual = Dual {
            y: (0..2 * n).map(|v| if v < n { 1.0 } else { -1.0 }).collect(),
            p: rows.iter().map(|row| epsilon - value(row)).chain(rows.iter().map(|row| epsilon + value(row))).collect(),
            c: [costs.clone(), costs].concat(),
            at: (0..n as u32).chain(0..n as u32).collect(),
            tol,
        };
        Self { rows, held: vec![], dual }
    }

    /// Goes on from `point`. `share`: how many problems are solved at the same time.
    pub fn solve(
        &self,
        x: &Matrix,
        kernel: Kernel,
        (share, pool): (usize, &Pool),
        point: &mut Point,
        pause: &mut dyn FnMut(&Point) -> bool,
    ) -> Ended {
        let columns = (0..x.width()).map(|j| self.rows.iter().map(|row| x.column(j)[*row as usize]).collect());
        let mut rows = Rows::new(kernel, columns.collect(), CACHE / share.max(1), pool);
        self.dual.minimise(&mut rows, point, pause)
    }

    pub fn decision(&self, point: &Point) -> Decision {
        let mut coefficients = vec![0.0; self.rows.len()];
        for (v, at) in self.dual.at.iter().enumerate() {
            coefficients[*at as usize] += self.dual.y[v] * point.alpha[v];
        }
        let vectors = self.rows.iter().copied().zip(coefficients).filter(|(_, c)| *c != 0.0).collect();
        Decision { vectors, offset: self.dual.offset(point) }
    }

    /// The decisions of the rows that are held out.
    pub fn of_held(&self, x: &Matrix, kernel: Kernel, decision: &Decision) -> Vec<f64> {
        let columns: Vec<Vec<f64>> = (0..x.width())
            .map(|j| decision.vectors.iter().map(|(row, _)| x.column(j)[*row as usize]).collect())
            .collect();
        let mut kernels = vec![0.0; decision.vectors.len()];
        let mut row = vec![0.0; x.width()];
        let decide = |held: &u32| {
            row.iter_mut().enumerate().for_each(|(j, v)| *v = x.column(j)[*held as usize]);
            kernel.row(&columns, &row, 0..decision.vectors.len(), &mut kernels);
            kernels.iter().zip(&decision.vectors).map(|(k, (_, c))| k * c).sum::<f64>() - decision.offset
        };
        self.held.iter().map(decide).collect()
    }
}
