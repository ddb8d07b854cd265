use super::criterion::Criterion;

/// The rows of one node, gathered: what every feature's histogram is filled from.
pub(super) struct NodeRows<'a, L> {
    pub rows: &'a [u32],
    pub labels: &'a [L],
    pub weights: &'a [f64],
    pub sums: &'a [f64],
    pub score: f64,
}

/// The best place to divide a node's rows by one feature: bins up to `left` against bins from `right` on.
/// No row of the node lies between them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cut {
    pub left: u8,
    pub right: u8,
    pub gain: f64,
}

/// What a look at one feature gave.
pub(super) enum Looked {
    /// All rows lie in one bin.
    Constant,
    /// No cut leaves enough rows on both sides.
    NoCut,
    Best(Cut),
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
}

impl Histogram {
    pub fn new(width: usize) -> Self {
        Self {
            sums: vec![0.0; 256 * width],
            counts: vec![0; 256],
            touched: [0; 4],
            left: vec![0.0; width],
            right: vec![0.0; width],
        }
    }

    /// `codes`: the feature's bin of every row of the table. Weights are above 0.
    pub fn best_cut<C: Criterion>(
        &mut self,
        criterion: &C,
        codes: &[u8],
        node: &NodeRows<'_, C::Label>,
        min_samples_leaf: usize,
    ) -> Looked {
        self.fill(criterion, codes, node);
        let looked = self.scan(criterion, node, min_samples_leaf);
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

    fn scan<C: Criterion>(&mut self, criterion: &C, node: &NodeRows<'_, C::Label>, min_leaf: usize) -> Looked {
        let width = criterion.width();
        let mut bins = bits(self.touched);
        let mut bin = bins.next().expect("a node has rows");
        let mut best: Option<Cut> = None;
        let mut several = false;
        let mut left_count = 0;
        self.left.fill(0.0);
        for next in bins {
            several = true;
            let sums = &self.sums[bin as usize * width..(bin as usize + 1) * width];
            for (l, s) in self.left.iter_mut().zip(sums) {
                *l += s;
            }
            left_count += self.counts[bin as usize] as usize;
            if left_count >= min_leaf && node.rows.len() - left_count >= min_leaf {
                for ((r, l), s) in self.right.iter_mut().zip(&self.left).zip(node.sums) {
                    *r = s - l;
                }
                let gain = criterion.score(&self.left) + criterion.score(&self.right) - node.score;
                if best.is_none_or(|b| gain > b.gain) && gain.is_finite() {
                    best = Some(Cut { left: bin, right: next, gain });
                }
            }
            bin = next;
        }
        match best {
            Some(cut) => Looked::Best(cut),
            None if several => Looked::NoCut,
            None => Looked::Constant,
        }
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
    use super::super::criterion::{Gini, Variance};
    use super::*;

    /// Against every cut computed from its definition.
    #[test]
    fn the_best_cut_is_the_best_of_all() {
        let codes = [3, 200, 3, 7, 7, 7, 255, 0, 200, 64, 63, 128];
        let labels: [u32; 12] = [0, 1, 0, 1, 1, 0, 2, 2, 1, 0, 0, 2];
        let weights: Vec<f64> = (0..12).map(|i| 1.0 + f64::from(i % 3)).collect();
        let rows: Vec<u32> = (0..12).collect();
        let gini = Gini { classes: 3 };
        let of = |keep: &dyn Fn(u8) -> bool| {
            let mut sums = vec![0.0; 3];
            for i in (0..12).filter(|i| keep(codes[*i])) {
                sums[labels[i] as usize] += weights[i];
            }
            sums
        };
        let sums = of(&|_| true);
        let node = NodeRows { rows: &rows, labels: &labels, weights: &weights, sums: &sums, score: gini.score(&sums) };
        let mut histogram = Histogram::new(3);
        for _ in 0..2 {
            let Looked::Best(cut) = histogram.best_cut(&gini, &codes, &node, 1) else { panic!("no cut") };
            let best = [0, 3, 7, 63, 64, 128, 200]
                .map(|b| (gini.score(&of(&|c| c <= b)) + gini.score(&of(&|c| c > b)) - node.score, b))
                .into_iter()
                .max_by(|a, b| a.0.total_cmp(&b.0))
                .unwrap();
            assert!((cut.gain - best.0).abs() < 1e-12 && cut.left == best.1, "{cut:?} {best:?}");
        }
        assert!(histogram.sums.iter().all(|s| *s == 0.0) && histogram.counts.iter().all(|c| *c == 0));
    }

    #[test]
    fn a_constant_feature_and_a_leaf_too_small_give_no_cut() {
        let labels = [1.0, 2.0, 3.0, 4.0];
        let variance = Variance { centre: 2.5 };
        let node = NodeRows { rows: &[0, 1, 2, 3], labels: &labels, weights: &[1.0; 4], sums: &[4.0, 0.0], score: 0.0 };
        let mut histogram = Histogram::new(2);
        assert!(matches!(histogram.best_cut(&variance, &[9, 9, 9, 9], &node, 1), Looked::Constant));
        assert!(matches!(histogram.best_cut(&variance, &[0, 1, 1, 1], &node, 2), Looked::NoCut));
        let Looked::Best(cut) = histogram.best_cut(&variance, &[0, 1, 2, 3], &node, 2) else { panic!("no cut") };
        assert_eq!((cut.left, cut.right, cut.gain), (1, 2, 4.0));
    }
}
