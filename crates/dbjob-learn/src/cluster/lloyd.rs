use std::sync::Mutex;

use crate::pool::blocks;
use crate::{Matrix, Pool};

/// Rows of a unit of work, the same for any number of threads.
const BLOCK: usize = 2048;
/// Centres that are compared at a time.
pub(super) const LANES: usize = 8;

/// Rows side by side, with their weights.
pub(super) struct Rows {
    pub width: usize,
    pub weights: Vec<f64>,
    values: Vec<f64>,
    blocks: Vec<std::ops::Range<usize>>,
    /// The mean variance of a feature.
    pub spread: f64,
}

impl Rows {
    pub fn new(x: &Matrix, weights: Option<&[f64]>) -> Self {
        let (n, width) = (x.rows(), x.width());
        let mut values = vec![0.0; n * width];
        for j in 0..width {
            for (row, v) in values.chunks_exact_mut(width).zip(x.column(j)) {
                row[j] = *v;
            }
        }
        let weights = weights.map_or_else(|| vec![1.0; n], <[f64]>::to_vec);
        let total: f64 = weights.iter().sum();
        let variance = |j: usize| {
            let column = x.column(j);
            let mean = column.iter().zip(&weights).map(|(v, w)| v * w).sum::<f64>() / total;
            column.iter().zip(&weights).map(|(v, w)| w * (v - mean) * (v - mean)).sum::<f64>() / total
        };
        let spread = (0..width).map(variance).sum::<f64>() / width as f64;
        Self { width, weights, values, blocks: blocks(n, BLOCK), spread }
    }

    pub fn count(&self) -> usize {
        self.weights.len()
    }

    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.width..(i + 1) * self.width]
    }

    /// `work` of each block of rows, in their order; `None` once there is a reason to stop.
    pub fn each_block<T: Send>(
        &self,
        pool: &Pool,
        stops: &(dyn Fn() -> bool + Sync),
        work: impl Fn(usize, std::ops::Range<usize>) -> T + Sync + Send,
    ) -> Option<Vec<T>> {
        let parts = pool.run(self.blocks.len(), |b| if stops() { None } else { Some(work(b, self.blocks[b].clone())) });
        parts.into_iter().collect()
    }
}

/// Squared distance, summed feature by feature.
pub(super) fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// Centres in panels of [`LANES`]: feature by feature, each a small vector of them; the last filled up with infinity.
pub(super) fn panels(centers: &[f64], width: usize) -> Vec<f64> {
    let count = centers.len() / width;
    let mut panels = vec![f64::INFINITY; count.div_ceil(LANES) * LANES * width];
    for (c, center) in centers.chunks_exact(width).enumerate() {
        for (j, v) in center.iter().enumerate() {
            panels[(c / LANES * width + j) * LANES + c % LANES] = *v;
        }
    }
    panels
}

/// The squared distances of a row to the centres of a panel.
#[inline]
pub(super) fn lanes(panel: &[f64], row: &[f64]) -> [f64; LANES] {
    let mut lanes = [0.0; LANES];
    for (vector, v) in panel.as_chunks::<LANES>().0.iter().zip(row) {
        for l in 0..LANES {
            let d = v - vector[l];
            lanes[l] += d * d;
        }
    }
    lanes
}

/// The assignment of rows to centres, and how far each row is from all other centres at least. A bound only saves work: a
/// row is left where it is only if every other centre is farther by more than rounding could hide, so that fresh bounds
/// give the same assignment.
pub(super) struct Assignment {
    blocks: Vec<Mutex<Block>>,
    slack: f64,
}

struct Block {
    labels: Vec<u32>,
    lower: Vec<f64>,
}

/// What one pass over the rows found.
pub(super) struct Pass {
    /// Σ weight · row of each centre, row-major.
    pub sums: Vec<f64>,
    /// Σ weight of each centre.
    pub weights: Vec<f64>,
    /// Σ weight · squared distance to the own centre.
    pub inertia: f64,
    /// Whether a row has another centre than before.
    pub changed: bool,
}

impl Assignment {
    /// `labels`: those of an earlier pass.
    pub fn new(rows: &Rows, labels: Option<&[u32]>) -> Self {
        let block = |range: &std::ops::Range<usize>| {
            let labels = labels.map_or_else(|| vec![u32::MAX; range.len()], |l| l[range.clone()].to_vec());
            Mutex::new(Block { labels, lower: vec![0.0; range.len()] })
        };
        let slack = 1e-9 * (rows.spread * rows.width as f64).sqrt();
        Self { blocks: rows.blocks.iter().map(block).collect(), slack }
    }

    pub fn labels(&self) -> Vec<u32> {
        self.blocks.iter().flat_map(|b| b.lock().expect("no pass panics").labels.clone()).collect()
    }

    /// Gives every row its nearest centre, the first of equally near ones. `moved`: how far each centre has moved since
    /// the pass before; empty in the first.
    pub fn pass(
        &self,
        rows: &Rows,
        centers: &[f64],
        moved: &[f64],
        pool: &Pool,
        stops: &(dyn Fn() -> bool + Sync),
    ) -> Option<Pass> {
        let (p, k) = (rows.width, centers.len() / rows.width);
        let panels = panels(centers, p);
        let half_gaps = half_gaps(centers, p);
        let (farthest, second) = two_largest(moved);
        let parts = rows.each_block(pool, stops, |b, range| {
            let mut block = self.blocks[b].lock().expect("no pass panics");
            let Block { labels, lower } = &mut *block;
            let mut part = Pass { sums: vec![0.0; k * p], weights: vec![0.0; k], inertia: 0.0, changed: false };
            for (at, i) in range.enumerate() {
                let row = rows.row(i);
                let label = labels[at] as usize;
                let mut own = f64::INFINITY;
                let mut stays = false;
                if label < k && !moved.is_empty() {
                    own = distance(row, &centers[label * p..(label + 1) * p]);
                    lower[at] -=
                        if Some(label) == farthest.map(|f| f.0) { second } else { farthest.map_or(0.0, |f| f.1) };
                    stays = own.sqrt() + self.slack < lower[at].max(half_gaps[label]);
                }
                if !stays {
                    let (nearest, d, next) = nearest(&panels, row);
                    part.changed |= nearest as u32 != labels[at];
                    (labels[at], lower[at], own) = (nearest as u32, next.sqrt(), d);
                }
                let (label, weight) = (labels[at] as usize, rows.weights[i]);
                part.inertia += weight * own;
                part.weights[label] += weight;
                part.sums[label * p..(label + 1) * p].iter_mut().zip(row).for_each(|(s, v)| *s += weight * v);
            }
            part
        })?;
        let mut parts = parts.into_iter();
        let mut whole = parts.next()?;
        for part in parts {
            whole.sums.iter_mut().zip(&part.sums).for_each(|(s, v)| *s += v);
            whole.weights.iter_mut().zip(&part.weights).for_each(|(s, v)| *s += v);
            whole.inertia += part.inertia;
            whole.changed |= part.changed;
        }
        Some(whole)
    }
}

/// The nearest centre, its squared distance, and that of the next.
fn nearest(panels: &[f64], row: &[f64]) -> (usize, f64, f64) {
    let (mut at, mut best, mut next) = (0, f64::INFINITY, f64::INFINITY);
    for (number, panel) in panels.chunks_exact(LANES * row.len()).enumerate() {
        for (l, d) in lanes(panel, row).into_iter().enumerate() {
            if d < best {
                (at, next, best) = (number * LANES + l, best, d);
            } else if d < next {
                next = d;
            }
        }
    }
    (at, best, next)
}

/// Half of the way from each centre to its nearest other one: a row that is nearer belongs to it.
fn half_gaps(centers: &[f64], width: usize) -> Vec<f64> {
    let k = centers.len() / width;
    let center = |c: usize| &centers[c * width..(c + 1) * width];
    let gap = |c: usize| {
        let others = (0..k).filter(|o| *o != c).map(|o| distance(center(c), center(o)));
        others.fold(f64::INFINITY, f64::min).sqrt() / 2.0
    };
    (0..k).map(gap).collect()
}

/// The largest with its place, and the second largest.
fn two_largest(values: &[f64]) -> (Option<(usize, f64)>, f64) {
    let mut largest: Option<(usize, f64)> = None;
    let mut second = 0.0;
    for (i, v) in values.iter().enumerate() {
        match largest {
            Some((_, most)) if *v <= most => second = f64::max(second, *v),
            before => {
                second = before.map_or(second, |(_, most)| most);
                largest = Some((i, *v));
            }
        }
    }
    (largest, second)
}
