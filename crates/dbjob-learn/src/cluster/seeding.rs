use super::lloyd::{LANES, Rows, distance, lanes, panels};
use crate::Pool;
use crate::rng::Rng;

/// Centres to begin with, row-major: rows far from each other. Fewer than `k` where there are fewer distinct rows.
///
/// Each centre is the best of some rows that are drawn by their squared distance from the centres before, as scikit-learn
/// does. Source: D. Arthur, S. Vassilvitskii, "k-means++: The Advantages of Careful Seeding" (2007).
///
/// `None`: there was a reason to stop. The centres so far are in `centers`.
pub(super) fn seed(
    rows: &Rows,
    k: usize,
    rng: &mut Rng,
    pool: &Pool,
    stops: &(dyn Fn() -> bool + Sync),
    centers: &mut Vec<f64>,
) -> Option<()> {
    let trials = (2 + (k as f64).ln() as usize).min(LANES);
    let first = draw(std::slice::from_ref(&rows.weights), rng)?;
    centers.extend(rows.row(first));
    let mut closest = rows.each_block(pool, stops, |_, range| {
        range.map(|i| rows.weights[i] * distance(rows.row(i), rows.row(first))).collect::<Vec<f64>>()
    })?;
    while centers.len() < k * rows.width {
        let mut drawn = Vec::with_capacity(trials);
        for _ in 0..trials {
            drawn.extend(draw(&closest, rng));
        }
        if drawn.is_empty() {
            // Every row is a centre.
            break;
        }
        let candidates: Vec<f64> = drawn.iter().flat_map(|i| rows.row(*i)).copied().collect();
        let panel = panels(&candidates, rows.width);
        let nearer = |b: usize, at: usize, i: usize| -> [f64; LANES] {
            lanes(&panel, rows.row(i)).map(|d| (rows.weights[i] * d).min(closest[b][at]))
        };
        let parts = rows.each_block(pool, stops, |b, range| {
            let mut left = [0.0; LANES];
            for (at, i) in range.enumerate() {
                left.iter_mut().zip(nearer(b, at, i)).for_each(|(sum, d)| *sum += d);
            }
            left
        })?;
        let left = |t: usize| parts.iter().map(|part| part[t]).sum::<f64>();
        let best = (0..drawn.len()).min_by(|a, b| left(*a).total_cmp(&left(*b)))?;
        let updated = rows.each_block(pool, stops, |b, range| {
            range.enumerate().map(|(at, i)| nearer(b, at, i)[best]).collect::<Vec<f64>>()
        })?;
        closest = updated;
        centers.extend(rows.row(drawn[best]));
    }
    Some(())
}

/// A place, with a chance of its share; `None` if all are 0.
fn draw(shares: &[Vec<f64>], rng: &mut Rng) -> Option<usize> {
    let sums: Vec<f64> = shares.iter().map(|block| block.iter().sum()).collect();
    let total: f64 = sums.iter().sum();
    let mut left = rng.unit() * total;
    let mut last = None;
    let mut start = 0;
    for (block, sum) in shares.iter().zip(&sums) {
        if left < *sum || last.is_none() {
            for (at, share) in block.iter().enumerate().filter(|(_, share)| **share > 0.0) {
                last = Some(start + at);
                if left < *share {
                    return last;
                }
                left -= share;
            }
        } else {
            left -= sum;
        }
        start += block.len();
    }
    // Rounding may leave a little at the end.
    last
}
