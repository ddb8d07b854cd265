use crate::{Matrix, Pool};

/// Every feature as a byte: the number of the bin that its value falls into, in order of values.
///
/// A feature with at most `max_bins` distinct values has one bin a value, so that every split between two values can be
/// found; another one has bins of about equally many rows.
pub(super) struct Binned {
    /// By feature: the bin of each row.
    pub codes: Vec<Vec<u8>>,
    /// By feature: the least and greatest value of each bin; a bin without rows has (+inf, -inf).
    bounds: Vec<Vec<(f64, f64)>>,
}

/// Quantiles of more rows than this are those of every k-th row.
const SAMPLE: usize = 200_000;

impl Binned {
    /// `max_bins` in 2..=255. All values finite.
    pub fn new(x: &Matrix, max_bins: usize, pool: &Pool) -> Self {
        let features = pool.run(x.width(), |j| bin(x.column(j), max_bins));
        let (codes, bounds) = features.into_iter().unzip();
        Self { codes, bounds }
    }

    pub fn features(&self) -> usize {
        self.codes.len()
    }

    pub fn bins(&self, feature: usize) -> usize {
        self.bounds[feature].len()
    }

    /// The threshold halfway between the greatest value of bin `left` and the least of bin `right`, which has rows.
    pub fn threshold(&self, feature: usize, left: u8, right: u8) -> f64 {
        let low = self.bounds[feature][left as usize].1;
        let high = self.bounds[feature][right as usize].0;
        // Halved before the sum: no overflow. Of neighbouring floats the half may round up to `high`.
        let middle = low / 2.0 + high / 2.0;
        if middle >= low && middle < high { middle } else { low }
    }
}

/// (The bin of each row, the bounds of each bin.)
fn bin(column: &[f64], max_bins: usize) -> (Vec<u8>, Vec<(f64, f64)>) {
    let uppers = uppers(column, max_bins);
    let mut bounds = vec![(f64::INFINITY, f64::NEG_INFINITY); uppers.len() + 1];
    let codes = column
        .iter()
        .map(|v| {
            let code = uppers.partition_point(|u| u < v);
            let (low, high) = &mut bounds[code];
            *low = low.min(*v);
            *high = high.max(*v);
            code as u8
        })
        .collect();
    (codes, bounds)
}

/// The greatest value of every bin but the last, ascending.
fn uppers(column: &[f64], max_bins: usize) -> Vec<f64> {
    let step = column.len().div_ceil(SAMPLE).max(1);
    let mut sorted: Vec<f64> = column.iter().copied().step_by(step).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut distinct: Vec<(f64, usize)> = Vec::new();
    for v in &sorted {
        match distinct.last_mut() {
            // `==`, not the bits: -0 and 0 are one value.
            Some((last, count)) if *last == *v => *count += 1,
            _ => distinct.push((*v, 1)),
        }
    }
    if distinct.len() <= max_bins {
        distinct.pop();
        return distinct.into_iter().map(|(v, _)| v).collect();
    }
    // A value with more rows than a bin's share gets a bin of its own, and the rest is shared by the others.
    let mut uppers = Vec::with_capacity(max_bins - 1);
    let mut rest: usize = sorted.len();
    let mut filled = 0;
    for (i, (v, count)) in distinct.iter().enumerate() {
        let bins_left = max_bins - uppers.len();
        if bins_left == 1 {
            break;
        }
        filled += count;
        let share = (rest as f64 / bins_left as f64).ceil() as usize;
        let next_is_large = distinct.get(i + 1).is_some_and(|(_, n)| *n >= share);
        if (filled >= share || next_is_large) && i + 1 < distinct.len() {
            uppers.push(*v);
            rest -= filled;
            filled = 0;
        }
    }
    uppers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binned(column: Vec<f64>, max_bins: usize) -> Binned {
        let rows = column.len();
        Binned::new(&Matrix::new(vec!["x".to_owned()], vec![column], rows).unwrap(), max_bins, &Pool::single())
    }

    #[test]
    fn few_values_have_a_bin_each_and_exact_midpoints() {
        let b = binned(vec![3.0, 1.0, 10.0, 3.0, -0.0, 0.0], 255);
        assert_eq!(b.codes[0], [2, 1, 3, 2, 0, 0]);
        assert_eq!(b.threshold(0, 0, 1), 0.5);
        assert_eq!(b.threshold(0, 1, 3), 5.5);
    }

    #[test]
    fn neighbouring_floats_and_huge_values_are_separated() {
        let next = f64::from_bits(1.0_f64.to_bits() + 1);
        let b = binned(vec![1.0, next], 255);
        assert!(b.threshold(0, 0, 1) >= 1.0 && b.threshold(0, 0, 1) < next);
        let b = binned(vec![-f64::MAX, f64::MAX, 0.9 * f64::MAX], 255);
        assert_eq!(b.threshold(0, 0, 1), -f64::MAX / 2.0 + 0.45 * f64::MAX);
    }

    #[test]
    fn many_values_share_bins_of_about_equal_rows() {
        let b = binned((0..10_000).map(|i| f64::from(i * 7 % 10_000)).collect(), 10);
        let mut counts = [0; 10];
        b.codes[0].iter().for_each(|c| counts[*c as usize] += 1);
        assert_eq!(b.bins(0), 10);
        assert!(counts.iter().all(|c| (900..1100).contains(c)), "{counts:?}");
    }

    #[test]
    fn a_value_of_most_rows_leaves_bins_for_the_others() {
        let column: Vec<f64> = (0..1000).map(|i| if i < 900 { 0.0 } else { f64::from(i) }).collect();
        let b = binned(column, 11);
        assert_eq!(b.bins(0), 11);
        let mut counts = [0; 11];
        b.codes[0].iter().for_each(|c| counts[*c as usize] += 1);
        assert_eq!(counts[0], 900);
        assert!(counts[1..].iter().all(|c| *c == 10), "{counts:?}");
    }
}
