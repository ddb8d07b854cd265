use super::rows::Rows;
use crate::pool::blocks;
use crate::tree::node::Tree;
use crate::tree::rows::RowMajor;
use crate::{Matrix, Pool};

/// Rows that are not learned from, whose loss tells when to stop.
pub(super) struct Watch {
    /// Of each block of rows.
    features: Vec<RowMajor>,
    rows: Rows,
    /// Rounds so far, those of the lowest loss, and that.
    rounds: usize,
    best: (usize, f64),
}

/// The unit of work.
const BLOCK: usize = 1024;

impl Watch {
    pub fn new(x: &Matrix, rows: Rows) -> Self {
        let features = blocks(x.rows(), BLOCK).into_iter().map(|block| RowMajor::of(x, block)).collect();
        Self { features, rows, rounds: 0, best: (0, f64::INFINITY) }
    }

    /// Adds the trees of a round; gives the loss.
    pub fn add(&mut self, trees: &[Tree], pool: &Pool) -> f64 {
        let features = &self.features;
        for (tree, sums) in trees.iter().zip(&mut self.rows.sums) {
            let blocks: Vec<_> = sums.chunks_mut(BLOCK).map(std::sync::Mutex::new).collect();
            pool.run(blocks.len(), |b| {
                let mut sums = blocks[b].lock().expect("nobody else has it");
                tree.each_leaf(&features[b], |i, leaf| sums[i] += tree.values(leaf)[0]);
            });
        }
        self.rows.slope(pool);
        self.rounds += 1;
        if self.rows.loss < self.best.1 {
            self.best = (self.rounds, self.rows.loss);
        }
        self.rows.loss
    }

    /// Whether the loss has not become lower for so many rounds.
    pub fn is_over(&self, patience: usize) -> bool {
        self.rounds - self.best.0 >= patience
    }

    /// The rounds with the lowest loss, at least 1.
    pub fn best(&self) -> usize {
        self.best.0.max(1)
    }
}
