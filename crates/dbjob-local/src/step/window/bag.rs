//! What is asked of the values of a frame: of whole numbers their sum, else given as ranks, which are numbers from 0 in the
//! order of the values, equal for equal ones.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::slide::Bag;

/// How many values there are, and their sum, exact: 128 bits hold that of any number of rows.
#[derive(Default)]
pub(super) struct Total {
    count: i64,
    sum: i128,
}

impl Bag for Total {
    type Item = i64;
    type Answer = (i64, i128);

    fn add(&mut self, item: i64) {
        self.count += 1;
        self.sum += i128::from(item);
    }

    fn remove(&mut self, item: i64) {
        self.count -= 1;
        self.sum -= i128::from(item);
    }

    fn answer(&self) -> (i64, i128) {
        (self.count, self.sum)
    }
}

/// How many different values there are.
pub(super) struct Distinct {
    counts: Vec<u32>,
    different: i64,
}

impl Distinct {
    pub fn new(ranks: usize) -> Self {
        Self { counts: vec![0; ranks], different: 0 }
    }
}

impl Bag for Distinct {
    type Item = usize;
    type Answer = i64;

    fn add(&mut self, rank: usize) {
        self.different += i64::from(self.counts[rank] == 0);
        self.counts[rank] += 1;
    }

    fn remove(&mut self, rank: usize) {
        self.counts[rank] -= 1;
        self.different -= i64::from(self.counts[rank] == 0);
    }

    fn answer(&self) -> i64 {
        self.different
    }
}

/// The most frequent value, of several the least.
pub(super) struct Mode {
    counts: Vec<u32>,
    by_count: BTreeSet<(Reverse<u32>, usize)>,
}

impl Mode {
    pub fn new(ranks: usize) -> Self {
        Self { counts: vec![0; ranks], by_count: BTreeSet::new() }
    }

    fn set(&mut self, rank: usize, count: u32) {
        self.by_count.remove(&(Reverse(self.counts[rank]), rank));
        self.counts[rank] = count;
        if count > 0 {
            self.by_count.insert((Reverse(count), rank));
        }
    }
}

impl Bag for Mode {
    type Item = usize;
    type Answer = Option<usize>;

    fn add(&mut self, rank: usize) {
        self.set(rank, self.counts[rank] + 1);
    }

    fn remove(&mut self, rank: usize) {
        self.set(rank, self.counts[rank] - 1);
    }

    fn answer(&self) -> Option<usize> {
        self.by_count.first().map(|(_, rank)| *rank)
    }
}

/// The value below which a share of the values lies, interpolated linearly: a Fenwick tree of counts.
pub(super) struct Quantile<'a> {
    share: f64,
    /// The value of each rank.
    values: &'a [f64],
    /// `tree[i]` counts the values of the ranks that a Fenwick tree keeps under the 1-based index i.
    tree: Vec<u32>,
    count: usize,
}

impl<'a> Quantile<'a> {
    pub fn new(share: f64, values: &'a [f64]) -> Self {
        Self { share, values, tree: vec![0; values.len() + 1], count: 0 }
    }

    fn change(&mut self, rank: usize, by: impl Fn(u32) -> u32) {
        let mut at = rank + 1;
        while at < self.tree.len() {
            self.tree[at] = by(self.tree[at]);
            at += at & at.wrapping_neg();
        }
    }

    /// The value number `k`, counted from 0 in their order.
    fn value(&self, k: usize) -> f64 {
        let (mut at, mut left) = (0, k);
        let mut step = self.tree.len().next_power_of_two();
        while step > 0 {
            let next = at + step;
            if next < self.tree.len() && self.tree[next] as usize <= left {
                left -= self.tree[next] as usize;
                at = next;
            }
            step /= 2;
        }
        self.values[at]
    }
}

impl Bag for Quantile<'_> {
    type Item = usize;
    type Answer = Option<f64>;

    fn add(&mut self, rank: usize) {
        self.count += 1;
        self.change(rank, |n| n + 1);
    }

    fn remove(&mut self, rank: usize) {
        self.count -= 1;
        self.change(rank, |n| n - 1);
    }

    fn answer(&self) -> Option<f64> {
        let last = self.count.checked_sub(1)?;
        let place = last as f64 * self.share;
        let (low, high) = (place.floor() as usize, place.ceil() as usize);
        let (a, b) = (self.value(low), self.value(high));
        // The sum is right for infinities of one sign only as the value itself.
        Some(if low == high || a == b { a } else { (place - low as f64) * (b - a) + a })
    }
}
