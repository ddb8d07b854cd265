use super::{Undefined, Value};
use crate::pool::{Pool, blocks};
use crate::rng::Rng;

/// Of more rows so many are drawn by the seed.
pub const MOST_SILHOUETTE_ROWS: usize = 10_000;

/// Rows whose distances are summed at a time.
const BLOCK: usize = 64;

/// How much nearer rows are to their own cluster than to the next one, from -1 to 1: the mean of (b - a) / max(a, b), with
/// a and b the mean Euclidean distances to the rows of the own and of the nearest other cluster; 0 for a row alone in its
/// own. `columns`: the features, finite. `labels`: a cluster a row.
///
/// The same on any number of threads. Errors: fewer than two clusters, or one for every row.
pub fn silhouette(columns: &[&[f64]], labels: &[u32], seed: i64, pool: &Pool) -> Value {
    let drawn = drawn(labels.len(), seed);
    let labels: Vec<u32> = drawn.iter().map(|row| labels[*row]).collect();
    let rows = labels.len();
    // Row by row: a distance runs along memory.
    let width = columns.len();
    let points: Vec<f64> = drawn.iter().flat_map(|row| columns.iter().map(|column| column[*row])).collect();
    let mut distinct = labels.clone();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < 2 {
        return Err(Undefined("there is one cluster only"));
    }
    if distinct.len() >= rows {
        return Err(Undefined("every row is a cluster of its own"));
    }
    let of: Vec<usize> = labels.iter().map(|l| distinct.binary_search(l).expect("it is one of them")).collect();
    let mut sizes = vec![0.0; distinct.len()];
    of.iter().for_each(|cluster| sizes[*cluster] += 1.0);
    let point = |row: usize| &points[row * width..(row + 1) * width];
    let one = |row: usize, sums: &mut [f64]| {
        sums.fill(0.0);
        for other in 0..rows {
            let square: f64 = point(row).iter().zip(point(other)).map(|(a, b)| (a - b) * (a - b)).sum();
            sums[of[other]] += square.sqrt();
        }
        let own = of[row];
        if sizes[own] == 1.0 {
            return 0.0;
        }
        let inside = sums[own] / (sizes[own] - 1.0);
        let others = (0..sizes.len()).filter(|cluster| *cluster != own).map(|cluster| sums[cluster] / sizes[cluster]);
        let outside = others.fold(f64::INFINITY, f64::min);
        let largest = inside.max(outside);
        if largest > 0.0 { (outside - inside) / largest } else { 0.0 }
    };
    let blocks = blocks(rows, BLOCK);
    let totals = pool.run(blocks.len(), |block| {
        let mut sums = vec![0.0; sizes.len()];
        blocks[block].clone().map(|row| one(row, &mut sums)).sum::<f64>()
    });
    let value = totals.iter().sum::<f64>() / rows as f64;
    if value.is_finite() { Ok(value) } else { Err(Undefined("a value is not a finite number")) }
}

/// All rows, or as many of them as are looked at, in their order.
fn drawn(rows: usize, seed: i64) -> Vec<usize> {
    let mut all: Vec<usize> = (0..rows).collect();
    if rows > MOST_SILHOUETTE_ROWS {
        let mut rng = Rng::new(seed, 0x5117);
        for i in 0..MOST_SILHOUETTE_ROWS {
            let other = i + rng.below(rows - i);
            all.swap(i, other);
        }
        all.truncate(MOST_SILHOUETTE_ROWS);
        all.sort_unstable();
    }
    all
}
