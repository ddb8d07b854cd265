use std::collections::VecDeque;
use std::rc::Rc;

use crate::Pool;
use crate::pool::blocks;

/// How alike two rows are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Kernel {
    pub kind: Kind,
    pub gamma: f64,
    pub coef0: f64,
    pub degree: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// x · y
    Linear,
    /// e^(-gamma · |x - y|²)
    Rbf,
    /// (gamma · x · y + coef0)^degree
    Poly,
    /// tanh(gamma · x · y + coef0)
    Sigmoid,
}

impl Kind {
    pub const WORDS: [(&'static str, Self); 4] =
        [("linear", Self::Linear), ("rbf", Self::Rbf), ("poly", Self::Poly), ("sigmoid", Self::Sigmoid)];
}

/// Rows whose kernels are computed at a time.
const BLOCK: usize = 512;

impl Kernel {
    /// The kernel of a row with those of `range`, each summed feature by feature.
    pub fn row(&self, columns: &[Vec<f64>], row: &[f64], range: std::ops::Range<usize>, out: &mut [f64]) {
        out.fill(0.0);
        for (column, v) in columns.iter().zip(row) {
            let values = &column[range.clone()];
            if self.kind == Kind::Rbf {
                out.iter_mut().zip(values).for_each(|(sum, x)| *sum += (x - v) * (x - v));
            } else {
                out.iter_mut().zip(values).for_each(|(sum, x)| *sum += x * v);
            }
        }
        let Self { kind, gamma, coef0, degree } = *self;
        match kind {
            Kind::Linear => {}
            Kind::Rbf => out.iter_mut().for_each(|d| *d = (-gamma * *d).exp()),
            Kind::Poly => out.iter_mut().for_each(|d| *d = (gamma * *d + coef0).powi(degree)),
            Kind::Sigmoid => out.iter_mut().for_each(|d| *d = (gamma * *d + coef0).tanh()),
        }
    }
}

/// The kernels of the rows of one problem, of which as many are kept as fit into memory.
pub(super) struct Rows<'a> {
    kernel: Kernel,
    columns: Vec<Vec<f64>>,
    pool: &'a Pool,
    kept: Vec<Option<Rc<[f32]>>>,
    /// Those that are kept, the first one asked for first.
    order: VecDeque<u32>,
    most: usize,
}

impl<'a> Rows<'a> {
    /// `bytes`: the memory for rows that are kept; two fit at least.
    pub fn new(kernel: Kernel, columns: Vec<Vec<f64>>, bytes: usize, pool: &'a Pool) -> Self {
        let rows = columns.first().map_or(0, Vec::len);
        let most = (bytes / (4 * rows.max(1))).max(2);
        Self { kernel, columns, pool, kept: vec![None; rows], order: VecDeque::new(), most }
    }

    /// The kernel of each row with itself.
    pub fn diagonal(&self) -> Vec<f64> {
        let mut own = [0.0];
        (0..self.kept.len())
            .map(|i| {
                let row: Vec<f64> = self.columns.iter().map(|c| c[i]).collect();
                self.kernel.row(&self.columns, &row, i..i + 1, &mut own);
                own[0]
            })
            .collect()
    }

    /// The kernels of row `i` with all rows; the same whether it was kept or not.
    pub fn of(&mut self, i: usize) -> Rc<[f32]> {
        if let Some(row) = &self.kept[i] {
            return row.clone();
        }
        let row: Vec<f64> = self.columns.iter().map(|c| c[i]).collect();
        let ranges = blocks(self.kept.len(), BLOCK);
        let parts = {
            let (kernel, columns) = (&self.kernel, &self.columns);
            let part = |b: usize| {
                let mut out = vec![0.0; ranges[b].len()];
                kernel.row(columns, &row, ranges[b].clone(), &mut out);
                out.iter().map(|v| *v as f32).collect::<Vec<f32>>()
            };
            // Threads cost more than a few rows.
            if self.kept.len() * self.columns.len() < 50_000 {
                (0..ranges.len()).map(part).collect::<Vec<_>>()
            } else {
                self.pool.run(ranges.len(), part)
            }
        };
        let made: Rc<[f32]> = parts.concat().into();
        if self.order.len() >= self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.kept[oldest as usize] = None;
        }
        self.order.push_back(i as u32);
        self.kept[i] = Some(made.clone());
        made
    }
}
