use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::points::Points;

/// A row and how far it is, in the form that [`super::points::Distance`] keeps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Neighbor {
    pub distance: f64,
    pub row: u32,
}

impl Eq for Neighbor {}

impl Ord for Neighbor {
    /// The nearer first; of equally far ones the earlier row.
    fn cmp(&self, other: &Self) -> Ordering {
        self.distance.total_cmp(&other.distance).then(self.row.cmp(&other.row))
    }
}

impl PartialOrd for Neighbor {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Points {
    /// The nearest row, the first of equally near ones, if it is no farther than `farthest`.
    pub fn nearest(&self, query: &[f64], farthest: f64) -> Option<Neighbor> {
        let mut best: Option<Neighbor> = None;
        self.visit(query, farthest, &mut |distance, row| {
            let found = Neighbor { distance, row };
            let nearer = best.map_or(found, |best| best.min(found));
            best = Some(nearer);
            nearer.distance
        });
        best
    }
}

/// The `k` nearest rows, the nearest first.
pub(super) fn nearest(points: &Points, query: &[f64], k: usize) -> Vec<Neighbor> {
    let mut best: BinaryHeap<Neighbor> = BinaryHeap::with_capacity(k + 1);
    points.visit(query, f64::INFINITY, &mut |distance, row| {
        best.push(Neighbor { distance, row });
        if best.len() > k {
            best.pop();
        }
        if best.len() < k { f64::INFINITY } else { best.peek().map_or(f64::INFINITY, |n| n.distance) }
    });
    best.into_sorted_vec()
}

#[cfg(test)]
mod tests {
    use super::super::points::Distance;
    use super::*;
    use crate::rng::Rng;

    /// Every search, by boxes and by scan, against all distances sorted; with many equal ones among them.
    #[test]
    fn nothing_near_is_missed() {
        for distance in [Distance::Euclidean, Distance::Manhattan] {
            for width in [1, 2, 5, 15, 16, 33] {
                for rows in [1, 7, 32, 33, 300, 1001] {
                    let mut rng = Rng::new(rows as i64, width as u64);
                    let mut draw = |n: usize| -> Vec<f64> { (0..n).map(|_| rng.below(9) as f64 / 4.0).collect() };
                    let columns: Vec<Vec<f64>> = (0..width).map(|_| draw(rows)).collect();
                    let views: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
                    let points = Points::new(&views, rows, distance);
                    assert!((0..width).all(|j| points.column(j) == columns[j]));
                    for _ in 0..20 {
                        let query = draw(width);
                        let mut all: Vec<Neighbor> = (0..rows)
                            .map(|i| {
                                let d = columns.iter().zip(&query).map(|(c, q)| c[i] - q);
                                let distance: f64 = match distance {
                                    Distance::Euclidean => d.map(|d| d * d).sum(),
                                    Distance::Manhattan => d.map(f64::abs).sum(),
                                };
                                Neighbor { distance, row: i as u32 }
                            })
                            .collect();
                        all.sort();
                        for k in [1, 3, 40] {
                            assert_eq!(nearest(&points, &query, k), all[..k.min(rows)], "{width} x {rows}");
                        }
                    }
                }
            }
        }
    }
}
