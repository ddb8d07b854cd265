use super::rows::Rows;
use crate::tree::ensemble::{each_leaf, row_major};
use crate::tree::node::Tree;
use crate::{Matrix, Pool};

/// Rows that are not learned from, whose loss tells when to stop.
pub(super) struct Watch {
    /// Row by row.
    features: Vec<f64>,
    width: usize,
    rows: Rows,
    /// Rounds so far, those of the lowest loss, and that.
    rounds: usize,
    best: (usize, f64),
}

/// The unit of work.
const BLOCK: usize = 1024;

impl Watch {
    pub fn new(x: &Matrix, rows: Rows) -> Self {
        let features = row_major(x, 0..x.rows());
        Self { features, width: x.width(), rows, rounds: 0, best: (0, f64::INFINITY) }
    }

    /// Adds the trees of a round; gives the loss.
    pub fn add(&mut self, trees: &[Tree], pool: &Pool) -> f64 {
        let (width, features) = (self.width, &self.features);
        for (tree, sums) in trees.iter().zip(&mut self.rows.sums) {
            let blocks: Vec<_> = sums.chunks_mut(BLOCK).map(std::sync::Mutex::new).collect();
            let features: Vec<_> = features.chunks(BLOCK * width).collect();
            pool.run(blocks.len(), |b| {
                let mut sums = blocks[b].lock().expect("nobody else has it");
                each_leaf(tree, features[b], width, |i, leaf| sums[i] += tree.values(leaf)[0]);
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
