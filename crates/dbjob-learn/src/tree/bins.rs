use super::exact::Fine;
use crate::{Matrix, Pool};

/// How the values of a feature fall into bins, in order of values; each row's bin is a byte.
///
/// A feature with at most `max_bins` distinct values has one bin a value, so that every split between two values can be
/// found; another one has bins of about equally many rows. A category has one bin a level, the most frequent ones first
/// served. After the bins of values there is one for rows without a value (and of rare levels), if there are such rows.
#[derive(Clone)]
pub(super) struct Cuts {
    /// The greatest value of every bin but the last, ascending, filled up with infinity to a power of two.
    uppers: Vec<f64>,
    /// By level of a category: its bin.
    levels: Option<Vec<u8>>,
    /// Without that of missing values.
    values: usize,
    missing: bool,
    /// The least and greatest value of each bin; a bin without rows has (+inf, -inf).
    bounds: Vec<(f64, f64)>,
}

/// Bins at most.
const MOST: usize = 255;
/// Quantiles of more rows than this are those of every k-th row.
const SAMPLE: usize = 300_000;

impl Cuts {
    /// `max_bins` in 2..=255; `levels`: the number of categories.
    pub fn of(column: &[f64], levels: Option<usize>, max_bins: usize) -> Self {
        let mut missing = column.iter().any(|v| v.is_nan());
        let (uppers, levels, values) = match levels {
            None => {
                let mut uppers = uppers(column, max_bins);
                let values = uppers.len() + 1;
                uppers.resize(values.next_power_of_two(), f64::INFINITY);
                (uppers, None, values)
            }
            Some(count) => {
                let (levels, values, rare) = bins_of_levels(column, count, max_bins);
                missing |= rare;
                (Vec::new(), Some(levels), values)
            }
        };
        let bounds = vec![(f64::INFINITY, f64::NEG_INFINITY); values];
        Self { uppers, levels, values, missing, bounds }
    }

    /// The bins, with that of missing values.
    pub fn bins(&self) -> usize {
        self.values + usize::from(self.missing)
    }

    /// The bins of values.
    pub fn values(&self) -> usize {
        self.values
    }

    /// Whether values of a number share bins.
    fn is_coarse(&self) -> bool {
        self.bounds.iter().any(|(low, high)| low < high)
    }

    pub fn is_category(&self) -> bool {
        self.levels.is_some()
    }

    /// [`Cuts::bounds`] of no rows.
    fn no_bounds(&self) -> Vec<(f64, f64)> {
        vec![(f64::INFINITY, f64::NEG_INFINITY); self.values]
    }

    /// Takes rows into account that [`Cuts::code`] has seen.
    pub fn widen(&mut self, bounds: &[(f64, f64)]) {
        for ((low, high), (l, h)) in self.bounds.iter_mut().zip(bounds) {
            (*low, *high) = (low.min(*l), high.max(*h));
        }
    }

    /// Tells the bin of each value to `put`, in order; gives the least and greatest value of each bin.
    pub fn code(&self, values: &[f64], mut put: impl FnMut(u8)) -> Vec<(f64, f64)> {
        let mut bounds = self.no_bounds();
        if let Some(levels) = &self.levels {
            let missing = self.values as u8;
            values.iter().for_each(|v| put(if v.is_nan() { missing } else { levels[*v as usize] }));
            return bounds;
        }
        let half = self.uppers.len() / 2;
        for v in values {
            // A binary search without jumps: as many steps for any value.
            let (mut at, mut step) = (0, half);
            while step > 0 {
                at += if self.uppers[at + step - 1] < *v { step } else { 0 };
                step /= 2;
            }
            if v.is_nan() {
                put(self.values as u8);
                continue;
            }
            let (low, high) = &mut bounds[at];
            *low = if *v < *low { *v } else { *low };
            *high = if *v > *high { *v } else { *high };
            put(at as u8);
        }
        bounds
    }

    /// The next bin of values that has rows.
    pub fn after(&self, bin: u8) -> Option<u8> {
        (bin as usize + 1..self.values).find(|b| self.bounds[*b].0 <= self.bounds[*b].1).map(|b| b as u8)
    }

    /// The threshold halfway between the greatest value of bin `left` and the least of bin `right`, which has rows;
    /// without `right` it is above all values.
    pub fn threshold(&self, left: u8, right: Option<u8>) -> f64 {
        let Some(right) = right else { return f64::MAX };
        between(self.bounds[left as usize].1, self.bounds[right as usize].0)
    }

    /// The least value of the first bin and the greatest of the last; both have rows.
    pub fn range(&self, first: u8, last: u8) -> Option<(f64, f64)> {
        Some((self.bounds.get(first as usize)?.0, self.bounds.get(last as usize)?.1))
    }

    /// The least value of a bin.
    pub fn least(&self, bin: u8) -> f64 {
        self.bounds[bin as usize].0
    }

    /// The levels whose bin is in `bins`, as a set of bits.
    pub fn set(&self, bins: &[u64; 4]) -> Vec<u64> {
        let levels = self.levels.as_deref().unwrap_or_default();
        let mut set = vec![0; levels.len().div_ceil(64)];
        for (level, bin) in levels.iter().enumerate() {
            if bins[*bin as usize / 64] >> (bin % 64) & 1 == 1 {
                set[level / 64] |= 1 << (level % 64);
            }
        }
        set
    }
}

/// A threshold halfway between two values: at least `low`, below `high`.
pub(super) fn between(low: f64, high: f64) -> f64 {
    // Halved before the sum: no overflow. Of neighbouring floats the half may round up to `high`.
    let middle = low / 2.0 + high / 2.0;
    if middle >= low && middle < high { middle } else { low }
}

/// (By level its bin, the number of bins, whether there are rows of levels without a bin of their own.)
fn bins_of_levels(column: &[f64], count: usize, max_bins: usize) -> (Vec<u8>, usize, bool) {
    let mut rows = vec![0_u32; count];
    column.iter().filter(|v| !v.is_nan()).for_each(|v| rows[*v as usize] += 1);
    let mut order: Vec<usize> = (0..count).filter(|level| rows[*level] > 0).collect();
    order.sort_by_key(|level| std::cmp::Reverse(rows[*level]));
    let rare = order.len() > max_bins;
    order.truncate(max_bins);
    // In order of levels, so that bins do not depend on ties of counts.
    order.sort_unstable();
    let values = order.len().max(1);
    let mut levels = vec![values as u8; count];
    order.iter().enumerate().for_each(|(bin, level)| levels[*level] = bin as u8);
    (levels, values, rare)
}

/// The greatest value of every bin but the last, ascending.
fn uppers(column: &[f64], max_bins: usize) -> Vec<f64> {
    let step = column.len().div_ceil(SAMPLE).max(1);
    let mut sorted: Vec<f64> = column.iter().copied().step_by(step).filter(|v| !v.is_nan()).collect();
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

/// Every feature as bytes, feature by feature.
pub(super) struct Binned {
    pub cuts: Vec<Cuts>,
    /// By feature: the bin of each row.
    pub codes: Vec<Vec<u8>>,
    /// Of numbers with more values than bins.
    pub fine: Vec<Option<Fine>>,
}

impl Binned {
    /// With as many bins as there may be, nodes with few rows look at every value.
    pub fn new(x: &Matrix, max_bins: usize, pool: &Pool) -> Self {
        let features = pool.run(x.width(), |j| {
            let mut cuts = Cuts::of(x.column(j), x.levels(j).map(<[_]>::len), max_bins);
            let mut codes = Vec::with_capacity(x.rows());
            let bounds = cuts.code(x.column(j), |code| codes.push(code));
            cuts.widen(&bounds);
            let is_coarse = max_bins == MOST && cuts.is_coarse();
            (cuts, (codes, is_coarse.then(|| Fine::of(x.column(j))).flatten()))
        });
        let (cuts, (codes, fine)) = features.into_iter().unzip();
        Self { cuts, codes, fine }
    }

    pub fn features(&self) -> usize {
        self.codes.len()
    }

    pub fn bins(&self, feature: usize) -> usize {
        self.cuts[feature].bins()
    }
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
        assert_eq!(b.cuts[0].threshold(0, Some(1)), 0.5);
        assert_eq!(b.cuts[0].threshold(1, Some(3)), 5.5);
        assert_eq!((b.bins(0), b.cuts[0].values()), (4, 4));
    }

    #[test]
    fn missing_values_have_the_last_bin() {
        let b = binned(vec![3.0, f64::NAN, -1.0, f64::NAN], 2);
        assert_eq!(b.codes[0], [1, 2, 0, 2]);
        assert_eq!((b.bins(0), b.cuts[0].values()), (3, 2));
        let b = binned(vec![f64::NAN; 3], 2);
        assert_eq!((&b.codes[0][..], b.bins(0)), (&[1, 1, 1][..], 2));
    }

    #[test]
    fn the_most_frequent_levels_have_a_bin_each() {
        let column = vec![4.0, 0.0, 4.0, 2.0, f64::NAN, 0.0, 1.0];
        let cuts = Cuts::of(&column, Some(6), 2);
        let mut codes = Vec::new();
        cuts.code(&column, |c| codes.push(c));
        // Levels 1 and 2 are rare, 3 and 5 have no row.
        assert_eq!(codes, [1, 0, 1, 2, 2, 0, 2]);
        assert_eq!((cuts.set(&[0b010, 0, 0, 0]), cuts.set(&[0b101, 0, 0, 0])), (vec![0b010000], vec![0b101111]));
    }

    #[test]
    fn neighbouring_floats_and_huge_values_are_separated() {
        let next = f64::from_bits(1.0_f64.to_bits() + 1);
        let b = binned(vec![1.0, next], 255);
        let threshold = b.cuts[0].threshold(0, Some(1));
        assert!(threshold >= 1.0 && threshold < next);
        let b = binned(vec![-f64::MAX, f64::MAX, 0.9 * f64::MAX], 255);
        assert_eq!(b.cuts[0].threshold(0, Some(1)), -f64::MAX / 2.0 + 0.45 * f64::MAX);
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
