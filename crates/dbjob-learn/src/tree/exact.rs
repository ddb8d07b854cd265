use super::bins::between;
use super::criterion::Criterion;
use super::histogram::{Cut, NodeRows};

/// The values of a number with more of them than there are bins, in nodes with few rows: the bins of a table are too coarse
/// for these.
pub(super) struct Fine {
    /// By row, ascending with the value. Equal values have one code.
    codes: Vec<u16>,
    /// The least and greatest value of each code; these differ only where there are more values than codes.
    bounds: Vec<(f64, f64)>,
}

/// The most rows of a node with few.
pub(super) const FEW: usize = 1024;

impl Fine {
    /// `None` where there are missing values.
    pub fn of(column: &[f64]) -> Option<Self> {
        if column.iter().any(|v| v.is_nan()) {
            return None;
        }
        let mut order: Vec<(f64, u32)> = column.iter().copied().zip(0..).collect();
        order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let values = 1 + order.windows(2).filter(|pair| pair[0].0 != pair[1].0).count();
        let codes_at_most = usize::from(u16::MAX) + 1;
        let (mut codes, mut bounds) = (vec![0; column.len()], Vec::new());
        let mut share = 0;
        for (i, (value, row)) in order.iter().enumerate() {
            let is_new = i == 0 || order[i - 1].0 != *value;
            // Too many values: codes of about equally many rows.
            let own = i * codes_at_most / order.len();
            if i == 0 || is_new && (values <= codes_at_most || own > share) {
                share = own;
                bounds.push((*value, *value));
            }
            let code = bounds.len() - 1;
            bounds[code].1 = *value;
            codes[*row as usize] = code as u16;
        }
        Some(Self { codes, bounds })
    }

    pub fn code(&self, row: u32) -> u16 {
        self.codes[row as usize]
    }

    /// Halfway between two codes.
    pub fn threshold(&self, (left, right): (u16, u16)) -> f64 {
        between(self.bounds[usize::from(left)].1, self.bounds[usize::from(right)].0)
    }
}

/// Scratch for one node and feature at a time.
#[derive(Default)]
pub(super) struct Exact {
    /// The code of each row above its place in the node.
    order: Vec<u32>,
    left: Vec<f64>,
    right: Vec<f64>,
}

impl Exact {
    /// The best cut between any two values of a node with at most [`FEW`] rows.
    pub fn look<C: Criterion>(
        &mut self,
        criterion: &C,
        fine: &Fine,
        node: &NodeRows<'_, C::Label>,
        min_samples_leaf: usize,
    ) -> Option<Cut> {
        let n = node.rows.len();
        self.order.clear();
        self.order.extend(node.rows.iter().zip(0..).map(|(row, place)| u32::from(fine.code(*row)) << 16 | place));
        self.order.sort_unstable();
        for side in [&mut self.left, &mut self.right] {
            side.clear();
            side.resize(criterion.width(), 0.0);
        }
        let mut best: Option<(f64, usize)> = None;
        for (i, pair) in self.order.windows(2).enumerate() {
            let place = (pair[0] & 0xffff) as usize;
            criterion.add(&mut self.left, 0, node.labels[place], node.weights[place]);
            let count = i + 1;
            if pair[0] >> 16 == pair[1] >> 16 || count < min_samples_leaf || n - count < min_samples_leaf {
                continue;
            }
            self.right.iter_mut().zip(&self.left).zip(node.sums).for_each(|((r, l), s)| *r = s - l);
            let gain = criterion.score(&self.left) + criterion.score(&self.right) - node.score;
            if gain.is_finite() && best.is_none_or(|b| gain > b.0) {
                best = Some((gain, i));
            }
        }
        let (gain, at) = best?;
        let codes = ((self.order[at] >> 16) as u16, (self.order[at + 1] >> 16) as u16);
        let missing_left = 2 * (at + 1) >= n;
        Some(Cut { gain, bins: [0; 4], up_to: None, between: Some(codes), missing_left })
    }
}

#[cfg(test)]
mod tests {
    use super::super::criterion::Variance;
    use super::*;

    #[test]
    fn codes_ascend_with_the_values_and_equal_ones_share_one() {
        let fine = Fine::of(&[3.0, -1.0, 0.0, 3.0, -0.0, 7.5]).unwrap();
        assert_eq!(fine.codes, [2, 0, 1, 2, 1, 3]);
        assert_eq!((fine.threshold((0, 1)), fine.threshold((2, 3))), (-0.5, 5.25));
        assert!(Fine::of(&[1.0, f64::NAN]).is_none());
    }

    #[test]
    fn more_values_than_codes_share_them_evenly() {
        let values: Vec<f64> = (0..200_000).map(|i| f64::from(i * 7 % 200_000)).collect();
        let fine = Fine::of(&values).unwrap();
        let mut rows = vec![0; fine.bounds.len()];
        fine.codes.iter().for_each(|code| rows[usize::from(*code)] += 1);
        assert!(rows.len() > 60_000 && rows.iter().all(|n| (1..=4).contains(n)));
        let inside = |(v, code): (&f64, &u16)| {
            let (low, high) = fine.bounds[usize::from(*code)];
            low <= *v && *v <= high
        };
        assert!(values.iter().zip(&fine.codes).all(inside));
    }

    #[test]
    fn the_best_cut_is_the_best_of_all() {
        let column = [5.0, 1.0, 4.0, 1.0, 9.0, 2.0, 9.0];
        let labels = [1.0, 3.0, 1.5, 2.0, 1.0, 0.0, 7.0];
        let (variance, fine) = (Variance { centre: 0.0 }, Fine::of(&column).unwrap());
        let of = |keep: &dyn Fn(f64) -> bool| {
            let mut sums = [0.0; 2];
            (0..7).filter(|i| keep(column[*i])).for_each(|i| variance.add(&mut sums, 0, labels[i], 1.0));
            (sums, variance.score(&sums))
        };
        let (sums, score) = of(&|_| true);
        let rows: Vec<u32> = (0..7).collect();
        let node = NodeRows { rows: &rows, labels: &labels, weights: &[1.0; 7], sums: &sums, score };
        for min in [1, 3] {
            let all = [1.0, 2.0, 4.0, 5.0].map(|up_to| (of(&|v| v <= up_to).1 + of(&|v| v > up_to).1 - score, up_to));
            let enough = |up_to: f64| {
                let left = column.iter().filter(|v| **v <= up_to).count();
                left >= min && 7 - left >= min
            };
            let (gain, up_to) =
                all.into_iter().filter(|c| enough(c.1)).reduce(|a, b| if b.0 > a.0 { b } else { a }).unwrap();
            let cut = Exact::default().look(&variance, &fine, &node, min).unwrap();
            assert!((cut.gain - gain).abs() < 1e-12);
            let threshold = fine.threshold(cut.between.unwrap());
            assert!(column.iter().all(|v| (*v <= threshold) == (*v <= up_to)), "{threshold}, {up_to}");
        }
        assert_eq!(Exact::default().look(&variance, &fine, &node, 4), None);
    }
}
