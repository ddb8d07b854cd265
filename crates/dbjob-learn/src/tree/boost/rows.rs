use super::grow::Ended;
use super::loss::{Loss, softmax};
use super::sums::{Gradient, Units};
use crate::Pool;

/// What is learned: the truth of each row.
pub(super) enum Truth {
    /// One sum a row. Classes are 0 and 1.
    One { loss: Loss, y: Vec<f64> },
    /// A sum for each of the classes, which the codes count from 0.
    Many(Vec<u32>),
}

/// The sums of all rows, and their gradients: by sum, then by row.
pub(super) struct Rows {
    pub truth: Truth,
    /// `None`: all are 1.
    pub weights: Option<Vec<f64>>,
    pub sums: Vec<Vec<f64>>,
    pub gradients: Vec<Vec<Gradient>>,
    pub units: Vec<Units>,
    /// The mean loss of the rows by now.
    pub loss: f64,
}

/// The unit of work.
const BLOCK: usize = 8192;

impl Rows {
    pub fn new(truth: Truth, weights: Option<Vec<f64>>, base: &[f64], rows: usize) -> Self {
        Self {
            truth,
            weights,
            sums: base.iter().map(|b| vec![*b; rows]).collect(),
            gradients: vec![vec![[0.0; 2]; rows]; base.len()],
            units: Vec::new(),
            loss: f64::NAN,
        }
    }

    /// Computes the gradients, their units and the loss of the sums as they are.
    pub fn slope(&mut self, pool: &Pool) {
        let rows = self.sums[0].len();
        let mut gradients: Vec<_> = self.gradients.iter_mut().map(|g| g.chunks_mut(BLOCK)).collect();
        let blocks = (0..rows).step_by(BLOCK).map(|start| {
            let gradients: Vec<&mut [Gradient]> =
                gradients.iter_mut().map(|g| g.next().expect("as many blocks")).collect();
            std::sync::Mutex::new((start..(start + BLOCK).min(rows), gradients))
        });
        let blocks: Vec<_> = blocks.collect();
        let (truth, sums, weights) = (&self.truth, &self.sums, self.weights.as_deref());
        let found = pool.run(blocks.len(), |b| {
            let mut block = blocks[b].lock().expect("nobody else has it");
            let (range, gradients) = &mut *block;
            let weights = weights.map(|w| &w[range.clone()]);
            let loss = match truth {
                Truth::One { loss, y } => {
                    loss.gradients(&sums[0][range.clone()], &y[range.clone()], weights, gradients[0])
                }
                Truth::Many(codes) => {
                    let sums: Vec<&[f64]> = sums.iter().map(|s| &s[range.clone()]).collect();
                    softmax(&sums, &codes[range.clone()], weights, gradients)
                }
            };
            let totals: Vec<[f64; 2]> = gradients
                .iter()
                .map(|all| all.iter().fold([0.0; 2], |[g, h], r| [g + f64::from(r[0].abs()), h + f64::from(r[1])]))
                .collect();
            (loss, totals)
        });
        let weight = weights.map_or(rows as f64, crate::numeric::sum);
        self.loss = found.iter().map(|f| f.0).sum::<f64>() / weight;
        self.units = (0..sums.len())
            .map(|k| {
                let total = |at: usize| found.iter().map(|f| f.1[k][at]).sum::<f64>();
                Units::new(total(0), total(1), rows)
            })
            .collect();
    }
}

/// Adds each leaf's value to the sums of its rows.
pub(super) fn add(leaves: &[Ended<'_>], sums: &mut [f64], pool: &Pool) {
    let blocks: Vec<_> = sums.chunks_mut(BLOCK).map(std::sync::Mutex::new).collect();
    pool.run(blocks.len(), |b| {
        let mut block = blocks[b].lock().expect("nobody else has it");
        let (start, end) = (b * BLOCK, b * BLOCK + block.len());
        for leaf in leaves {
            for rows in leaf.rows {
                let from = rows.partition_point(|i| (*i as usize) < start);
                let to = from + rows[from..].partition_point(|i| (*i as usize) < end);
                rows[from..to].iter().for_each(|i| block[*i as usize - start] += leaf.value);
            }
        }
    });
}
