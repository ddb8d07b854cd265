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
            (loss, gradients.iter().map(|all| extent(all)).collect::<Vec<_>>())
        });
        let weight = weights.map_or(rows as f64, crate::numeric::sum);
        self.loss = found.iter().map(|f| f.0).sum::<f64>() / weight;
        self.units = (0..sums.len())
            .map(|k| {
                let all = found.iter().fold([(0.0, 0.0); 2], |all: [(f64, f64); 2], f| {
                    [0, 1].map(|at| (all[at].0 + f.1[k][at].0, all[at].1.max(f.1[k][at].1)))
                });
                Units::new(all[0], all[1], rows)
            })
            .collect();
    }
}

/// (The sum, the maximum) of the absolute values of gradients and of hessians.
fn extent(all: &[Gradient]) -> [(f64, f64); 2] {
    // Several sums at once: none waits for the addition before it.
    const LANES: usize = 4;
    let mut sums = [[0.0; 2]; LANES];
    let mut most = [[0.0_f32; 2]; LANES];
    let mut add = |lane: usize, row: &Gradient| {
        for at in 0..2 {
            let value = row[at].abs();
            sums[lane][at] += f64::from(value);
            most[lane][at] = if value > most[lane][at] { value } else { most[lane][at] };
        }
    };
    let (chunks, rest) = all.as_chunks::<LANES>();
    chunks.iter().for_each(|rows| (0..LANES).for_each(|lane| add(lane, &rows[lane])));
    rest.iter().for_each(|row| add(0, row));
    [0, 1].map(|at| {
        let sum: f64 = sums.iter().map(|lane| lane[at]).sum();
        (sum, f64::from(most.iter().fold(0.0, |top: f32, lane| top.max(lane[at]))))
    })
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
