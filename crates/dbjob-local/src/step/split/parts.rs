//! Which part and which fold a row is of, as plain functions of numbers.

use std::collections::HashMap;

use dbjob_plan::{NO_FOLD, PART_TEST, PART_TRAIN, PART_VALID, Shares};

/// The part at `u` in [0, 1).
pub(super) fn at(shares: Shares, u: f64) -> i64 {
    let Shares { train, valid, test } = shares;
    // Shares that sum to 1 up to rounding leave no hole at the end.
    let last = if test > 0.0 {
        PART_TEST
    } else if valid > 0.0 {
        PART_VALID
    } else {
        PART_TRAIN
    };
    match u {
        u if u < train => PART_TRAIN,
        u if u < train + valid => PART_VALID,
        _ => last,
    }
}

/// The number of rows of `n` that lie below a share.
fn rows_below(share: f64, n: usize) -> usize {
    ((share * n as f64).round() as usize).min(n)
}

/// The place of every row among the rows of its stratum by their hash, ties in row order, and the size of the stratum.
pub(super) fn ranks(strata: &[String], hashes: &[f64]) -> Vec<(usize, usize)> {
    let mut members: HashMap<&str, Vec<usize>> = HashMap::new();
    for (row, stratum) in strata.iter().enumerate() {
        members.entry(stratum).or_default().push(row);
    }
    let mut ranks = vec![(0, 0); strata.len()];
    for rows in members.values_mut() {
        rows.sort_by(|a, b| hashes[*a].total_cmp(&hashes[*b]));
        for (rank, row) in rows.iter().enumerate() {
            ranks[*row] = (rank, rows.len());
        }
    }
    ranks
}

/// The part of the row of that rank among `n`.
pub(super) fn at_rank(shares: Shares, rank: usize, n: usize) -> i64 {
    match rank {
        rank if rank < rows_below(shares.train, n) => PART_TRAIN,
        rank if rank < rows_below(shares.train + shares.valid, n) => PART_VALID,
        _ if shares.test > 0.0 => PART_TEST,
        _ if shares.valid > 0.0 => PART_VALID,
        _ => PART_TRAIN,
    }
}

/// When valid and test begin, for parts that end where the next begins or `gap` before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bounds {
    pub valid_from: Option<i64>,
    pub test_from: Option<i64>,
    pub gap: i64,
}

impl Bounds {
    /// A part begins with the time of the row at its share of all.
    pub fn of_shares(times: &[i64], shares: Shares, gap: i64) -> Self {
        let mut sorted = times.to_vec();
        sorted.sort_unstable();
        let begin = |share: f64| sorted.get(rows_below(share, sorted.len())).copied();
        Self {
            valid_from: begin(shares.train).filter(|_| shares.valid > 0.0),
            test_from: begin(shares.train + shares.valid).filter(|_| shares.test > 0.0),
            gap,
        }
    }

    /// The part of a time; `None` in a gap.
    pub fn part(&self, t: i64) -> Option<i64> {
        let before = |bound: i64| bound.saturating_sub(self.gap);
        match (self.valid_from, self.test_from) {
            (_, Some(test)) if t >= test => Some(PART_TEST),
            (_, Some(test)) if t >= before(test) => None,
            (Some(valid), _) if t >= valid => Some(PART_VALID),
            (Some(valid), _) if t >= before(valid) => None,
            _ => Some(PART_TRAIN),
        }
    }
}

/// When each fold in time begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rolling {
    starts: Vec<i64>,
    gap: i64,
}

impl Rolling {
    /// `count` + 1 blocks of equally many of these times; a block begins with the time of its first row.
    pub fn of(times: impl Iterator<Item = i64>, count: u32, gap: i64) -> Self {
        let mut sorted: Vec<i64> = times.collect();
        sorted.sort_unstable();
        let blocks = f64::from(count) + 1.0;
        let starts = (1..=count)
            .filter_map(|block| sorted.get(rows_below(f64::from(block) / blocks, sorted.len())).copied())
            .collect();
        Self { starts, gap }
    }

    /// The fold that holds the time out, and the first fold that learns from it.
    pub fn fold(&self, t: i64) -> (i64, i64) {
        let fold = self.starts.partition_point(|start| *start <= t) as i64 - 1;
        let from = self.starts.partition_point(|start| start.saturating_sub(self.gap) <= t) as i64;
        (if fold < 0 { NO_FOLD } else { fold }, from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000;

    #[test]
    fn shares_in_time_keep_rows_of_one_time_together_and_leave_the_gap_out() {
        let shares = Shares { train: 0.6, valid: 0.0, test: 0.4 };
        let times: Vec<i64> = [1, 2, 3, 4, 5, 5, 5, 8, 9, 10].map(|d| d * DAY).into();
        let bounds = Bounds::of_shares(&times, shares, 0);
        // The sixth row's time begins the test part; the fifth has the same.
        assert_eq!(bounds.test_from, Some(5 * DAY));
        let parts: Vec<_> = times.iter().map(|t| bounds.part(*t)).collect();
        assert_eq!(parts.iter().filter(|p| **p == Some(PART_TEST)).count(), 6);
        let bounds = Bounds::of_shares(&times, shares, 2 * DAY);
        let parts: Vec<_> = times.iter().map(|t| bounds.part(*t)).collect();
        assert_eq!(parts[..4], [Some(PART_TRAIN), Some(PART_TRAIN), None, None]);
    }

    #[test]
    fn three_parts_in_time_have_a_gap_before_each_of_the_later_ones() {
        let bounds = Bounds { valid_from: Some(10), test_from: Some(20), gap: 3 };
        let parts: Vec<_> = [6, 7, 9, 10, 16, 17, 19, 20].map(|t| bounds.part(t)).into();
        let (train, valid, test) = (Some(PART_TRAIN), Some(PART_VALID), Some(PART_TEST));
        assert_eq!(parts, [train, None, None, valid, valid, None, None, test]);
    }

    #[test]
    fn a_fold_in_time_learns_from_the_blocks_before_it_up_to_the_gap() {
        let rolling = Rolling::of(0..12, 3, 0);
        let folds: Vec<i64> = (0..12).map(|t| rolling.fold(t).0).collect();
        assert_eq!(folds, [-1, -1, -1, 0, 0, 0, 1, 1, 1, 2, 2, 2]);
        assert_eq!((0..12).map(|t| rolling.fold(t).1).collect::<Vec<_>>(), [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]);
        // With a gap of 2 the last two rows of a block are not learned from by the next fold.
        let rolling = Rolling::of(0..12, 3, 2);
        assert_eq!((0..12).map(|t| rolling.fold(t).1).collect::<Vec<_>>(), [0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]);
        assert_eq!(Rolling::of(std::iter::empty(), 3, 0).fold(5), (NO_FOLD, 0));
    }

    #[test]
    fn strata_are_cut_exactly() {
        let strata: Vec<String> = (0..40).map(|i| if i % 4 == 0 { "a" } else { "b" }.to_owned()).collect();
        let hashes: Vec<f64> = (0..40).map(|i| f64::from((i * 17) % 40) / 40.0).collect();
        let ranks = ranks(&strata, &hashes);
        let shares = Shares { train: 0.7, valid: 0.1, test: 0.2 };
        for (stratum, wanted) in [("a", [7, 1, 2]), ("b", [21, 3, 6])] {
            let mut found = [0; 3];
            for (row, (rank, n)) in ranks.iter().enumerate().filter(|(row, _)| strata[*row] == stratum) {
                found[at_rank(shares, *rank, *n) as usize] += 1;
                // No row of a later part has a lower hash.
                let _ = row;
            }
            assert_eq!(found, wanted, "{stratum}");
        }
        let all_train = |rank| at_rank(Shares::ALL_TRAIN, rank, 3);
        assert_eq!([all_train(0), all_train(2)], [PART_TRAIN, PART_TRAIN]);
    }
}
