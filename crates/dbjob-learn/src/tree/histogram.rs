use super::bins::Cuts;
use super::criterion::Criterion;
use crate::rng::Rng;

/// The rows of one node, gathered: what every feature's histogram is filled from.
pub(super) struct NodeRows<'a, L> {
    pub rows: &'a [u32],
    pub labels: &'a [L],
    pub weights: &'a [f64],
    pub sums: &'a [f64],
    pub score: f64,
}

/// A way to divide a node's rows by one feature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cut {
    pub gain: f64,
    /// The bins whose rows go left.
    pub bins: [u64; 4],
    /// Of a number: the last of them in order of values, and the first on the right that has rows of the node, if there
    /// is one.
    pub up_to: Option<(u8, Option<u8>)>,
    /// Instead of bins, of a number's values: the last code on the left and the first on the right.
    pub between: Option<(u16, u16)>,
    pub missing_left: bool,
}

impl Cut {
    pub fn goes_left(&self, bin: usize) -> bool {
        self.bins[bin / 64] >> (bin % 64) & 1 == 1
    }
}

/// Which cuts are looked at.
pub(super) enum Choice<'a> {
    /// All of them.
    Best,
    /// One between the least and the greatest value of the node, drawn evenly.
    Random(&'a mut Rng),
}

/// Scratch for one feature's histogram at a time: all zero between calls.
pub(super) struct Histogram {
    /// 256 bins x width.
    sums: Vec<f64>,
    counts: Vec<u32>,
    /// One bit a bin that has rows.
    touched: [u64; 4],
    left: Vec<f64>,
    right: Vec<f64>,
    /// The left side with the missing values.
    with: Vec<f64>,
}

impl Histogram {
    pub fn new(width: usize) -> Self {
        Self {
            sums: vec![0.0; 256 * width],
            counts: vec![0; 256],
            touched: [0; 4],
            left: vec![0.0; width],
            right: vec![0.0; width],
            with: Vec::with_capacity(width),
        }
    }

    /// The best cut that leaves enough rows on both sides, if there is one. `codes`: the feature's bin of every row of the
    /// table. Weights are above 0.
    pub fn look<C: Criterion>(
        &mut self,
        criterion: &C,
        (cuts, codes): (&Cuts, &[u8]),
        node: &NodeRows<'_, C::Label>,
        min_samples_leaf: usize,
        choice: Choice<'_>,
    ) -> Option<Cut> {
        self.fill(criterion, codes, node);
        let looked = self.scan(criterion, cuts, node, min_samples_leaf, choice);
        self.clear(criterion.width());
        looked
    }

    fn fill<C: Criterion>(&mut self, criterion: &C, codes: &[u8], node: &NodeRows<'_, C::Label>) {
        for ((row, label), weight) in node.rows.iter().zip(node.labels).zip(node.weights) {
            let bin = codes[*row as usize];
            criterion.add(&mut self.sums, bin as usize, *label, *weight);
            self.counts[bin as usize] += 1;
        }
        if node.rows.len() < 256 {
            for row in node.rows {
                let bin = codes[*row as usize];
                self.touched[bin as usize >> 6] |= 1 << (bin & 63);
            }
        } else {
            for (bin, count) in self.counts.iter().enumerate() {
                self.touched[bin >> 6] |= u64::from(*count > 0) << (bin & 63);
            }
        }
    }

    fn scan<C: Criterion>(
        &mut self,
        criterion: &C,
        cuts: &Cuts,
        node: &NodeRows<'_, C::Label>,
        min_leaf: usize,
        choice: Choice<'_>,
    ) -> Option<Cut> {
        let width = criterion.width();
        let missing = cuts.values();
        let has_missing = missing < 256 && self.counts[missing] > 0;
        // A missing category is one like others.
        let apart = has_missing && !cuts.is_category();
        let mut order: Vec<u8> = bits(self.touched).filter(|b| !apart || usize::from(*b) != missing).collect();
        if order.len() + usize::from(apart) < 2 {
            return None;
        }
        if cuts.is_category() {
            let rank = |b: u8| criterion.rank(&self.sums[b as usize * width..][..width], node.sums);
            let mut ranked: Vec<(f64, u8)> = order.iter().map(|b| (rank(*b), *b)).collect();
            ranked.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            order = ranked.into_iter().map(|(_, b)| b).collect();
        }
        // All values on one side, the missing ones on the other, is a cut as well.
        let last = if apart { order.len() } else { order.len() - 1 };
        let only = match choice {
            Choice::Best => None,
            Choice::Random(rng) => Some(draw(rng, cuts, &order[..], last)),
        };
        let mut best: Option<(f64, usize, bool)> = None;
        let mut left_count = 0;
        self.left.fill(0.0);
        for (i, bin) in order[..last].iter().enumerate() {
            let sums = &self.sums[*bin as usize * width..][..width];
            self.left.iter_mut().zip(sums).for_each(|(l, s)| *l += s);
            left_count += self.counts[*bin as usize] as usize;
            if only.is_some_and(|only| only != i) {
                continue;
            }
            for missing_left in [false, true] {
                if missing_left {
                    if !apart {
                        break;
                    }
                    let sums = &self.sums[missing * width..][..width];
                    self.with.clear();
                    self.with.extend(self.left.iter().zip(sums).map(|(l, s)| l + s));
                }
                let left = if missing_left { &self.with } else { &self.left };
                let count = left_count + if missing_left { self.counts[missing] as usize } else { 0 };
                if count < min_leaf || node.rows.len() - count < min_leaf || count == node.rows.len() {
                    continue;
                }
                self.right.iter_mut().zip(left).zip(node.sums).for_each(|((r, l), s)| *r = s - l);
                let gain = criterion.score(left) + criterion.score(&self.right) - node.score;
                if gain.is_finite() && best.is_none_or(|b| gain > b.0) {
                    best = Some((gain, i, missing_left));
                }
            }
        }
        let (gain, at, missing_left) = best?;
        let mut bins = [0; 4];
        let count: usize = order[..=at].iter().map(|b| self.counts[*b as usize] as usize).sum();
        if cuts.is_category() {
            order[..=at].iter().for_each(|b| bins[*b as usize / 64] |= 1 << (b % 64));
        } else {
            (0..=order[at] as usize).for_each(|b| bins[b / 64] |= 1 << (b % 64));
        }
        // Where no row was without a value, those to come go with most rows.
        let missing_left = match (has_missing, apart) {
            (false, _) => 2 * count >= node.rows.len(),
            (true, true) => missing_left,
            (true, false) => bins[missing / 64] >> (missing % 64) & 1 == 1,
        };
        if missing_left && missing < 256 {
            bins[missing / 64] |= 1 << (missing % 64);
        }
        let up_to = (!cuts.is_category()).then(|| (order[at], order.get(at + 1).copied()));
        Some(Cut { gain, bins, up_to, between: None, missing_left })
    }

    fn clear(&mut self, width: usize) {
        for bin in bits(self.touched) {
            let bin = bin as usize;
            self.sums[bin * width..(bin + 1) * width].fill(0.0);
            self.counts[bin] = 0;
        }
        self.touched = [0; 4];
    }
}

/// Which of the first `last` of `order` a random cut comes after: of numbers evenly between the least and the greatest value.
fn draw(rng: &mut Rng, cuts: &Cuts, order: &[u8], last: usize) -> usize {
    let value = if cuts.is_category() { None } else { cuts.range(order[0], order[order.len() - 1]) };
    let Some((low, high)) = value else { return rng.below(last) };
    // Halves, for there may be no number for the whole.
    let at = low + 2.0 * rng.unit() * (high / 2.0 - low / 2.0);
    let below = order.iter().take_while(|b| cuts.least(**b) <= at).count();
    below.clamp(1, last) - 1
}

/// The numbers of the set bits, ascending.
fn bits(words: [u64; 4]) -> impl Iterator<Item = u8> {
    words.into_iter().enumerate().flat_map(|(i, mut word)| {
        std::iter::from_fn(move || {
            let bit = word.trailing_zeros();
            word &= word.wrapping_sub(1);
            (bit < 64).then(|| i as u8 * 64 + bit as u8)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::criterion::{Impurity, Purity, Variance};
    use super::*;

    /// Cuts of a column whose values are whole numbers from 0 on, and its bins.
    fn binned(values: &[f64], levels: Option<usize>) -> (Cuts, Vec<u8>) {
        let mut cuts = Cuts::of(values, levels, 255);
        let mut codes = Vec::new();
        let bounds = cuts.code(values, |code| codes.push(code));
        cuts.widen(&bounds);
        (cuts, codes)
    }

    fn best<C: Criterion>(
        criterion: &C,
        values: &[f64],
        levels: Option<usize>,
        labels: &[C::Label],
        min: usize,
    ) -> Option<Cut> {
        let (cuts, codes) = binned(values, levels);
        let weights = vec![1.0; labels.len()];
        let mut sums = vec![0.0; criterion.width()];
        labels.iter().for_each(|l| criterion.add(&mut sums, 0, *l, 1.0));
        let rows: Vec<u32> = (0..labels.len() as u32).collect();
        let score = criterion.score(&sums);
        let node = NodeRows { rows: &rows, labels, weights: &weights, sums: &sums, score };
        let mut histogram = Histogram::new(criterion.width());
        histogram.look(criterion, (&cuts, &codes), &node, min, Choice::Best);
        let looked = histogram.look(criterion, (&cuts, &codes), &node, min, Choice::Best);
        assert!(histogram.sums.iter().all(|s| *s == 0.0) && histogram.counts.iter().all(|c| *c == 0));
        looked
    }

    /// Against every cut computed from its definition.
    #[test]
    fn the_best_cut_is_the_best_of_all() {
        let values = [3.0, 200.0, 3.0, 7.0, 7.0, 7.0, 255.0, 0.0, 200.0, 64.0, 63.0, 128.0];
        let labels: [u32; 12] = [0, 1, 0, 1, 1, 0, 2, 2, 1, 0, 0, 2];
        for by in [Impurity::Gini, Impurity::Entropy] {
            let purity = Purity { classes: 3, by };
            let of = |keep: &dyn Fn(f64) -> bool| {
                let mut sums = vec![0.0; 3];
                (0..12).filter(|i| keep(values[*i])).for_each(|i| sums[labels[i] as usize] += 1.0);
                purity.score(&sums)
            };
            let (gain, value) = [0.0, 3.0, 7.0, 63.0, 64.0, 128.0, 200.0]
                .map(|b| (of(&|v| v <= b) + of(&|v| v > b) - of(&|_| true), b))
                .into_iter()
                .reduce(|a, b| if b.0 > a.0 { b } else { a })
                .unwrap();
            let Some(cut) = best(&purity, &values, None, &labels, 1) else { panic!("no cut") };
            let codes = binned(&values, None).1;
            assert!((cut.gain - gain).abs() < 1e-12);
            assert!((0..12).all(|i| cut.goes_left(codes[i] as usize) == (values[i] <= value)), "{cut:?}");
        }
    }

    #[test]
    fn missing_values_go_where_they_belong() {
        let variance = Variance { centre: 0.0 };
        let nan = f64::NAN;
        for (labels, missing_left, up_to) in [
            ([1.0, 1.0, 5.0, 5.0, 1.0, 1.0], true, (1, Some(2))),
            ([1.0, 1.0, 5.0, 5.0, 5.0, 5.0], false, (1, Some(2))),
            // The missing ones against all others.
            ([1.0, 1.0, 1.0, 1.0, 5.0, 5.0], false, (3, None)),
        ] {
            let Some(cut) = best(&variance, &[0.0, 1.0, 2.0, 3.0, nan, nan], None, &labels, 2) else {
                panic!("no cut")
            };
            assert_eq!((cut.missing_left, cut.up_to), (missing_left, Some(up_to)));
        }
    }

    #[test]
    fn categories_are_divided_by_what_they_say() {
        let variance = Variance { centre: 0.0 };
        let labels = [1.0, 9.0, 1.1, 9.1, 9.2, 1.2];
        let Some(cut) = best(&variance, &[0.0, 1.0, 2.0, 3.0, 4.0, f64::NAN], Some(5), &labels, 1) else {
            panic!("no cut")
        };
        assert_eq!((cut.bins, cut.up_to, cut.missing_left), ([0b100101, 0, 0, 0], None, true));
    }

    #[test]
    fn a_constant_feature_and_a_leaf_too_small_give_no_cut() {
        let labels = [1.0, 2.0, 3.0, 4.0];
        let variance = Variance { centre: 2.5 };
        assert_eq!(best(&variance, &[9.0; 4], None, &labels, 1), None);
        assert_eq!(best(&variance, &[0.0, 1.0, 1.0, 1.0], None, &labels, 2), None);
        let Some(cut) = best(&variance, &[0.0, 1.0, 2.0, 3.0], None, &labels, 2) else { panic!("no cut") };
        assert_eq!((cut.up_to, cut.gain), (Some((1, Some(2))), 4.0));
    }
}
