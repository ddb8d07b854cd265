use super::groups::Groups;
use super::sums::{Sums, Units};

/// What splits may do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub min_leaf: usize,
    pub lambda: f64,
    pub min_gain: f64,
    /// Fewest rows of the categories that are moved to one side together.
    pub min_group: usize,
}

/// What a leaf may say at least and at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub low: f64,
    pub high: f64,
}

impl Bounds {
    pub const NONE: Self = Self { low: f64::NEG_INFINITY, high: f64::INFINITY };

    pub fn hold(self, value: f64) -> f64 {
        value.max(self.low).min(self.high)
    }

    /// Those of the two sides of a split, which say `left` and `right`, by a feature of this direction.
    pub fn divided(self, direction: i8, left: f64, right: f64) -> [Self; 2] {
        let middle = left / 2.0 + right / 2.0;
        let (below, above) = (Self { high: middle, ..self }, Self { low: middle, ..self });
        match direction {
            1 => [below, above],
            -1 => [above, below],
            _ => [self, self],
        }
    }
}

/// A leaf of a smaller sum of hessians would have a value of much noise.
const MIN_HESSIAN: f64 = 1e-3;

/// A way to divide a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub feature: usize,
    /// How much it lowers the loss.
    pub gain: f64,
    pub left: Sums,
    /// The bins that go left, and whether the feature is a category or a number, whose bins up to this one do.
    pub bins: [u64; 4],
    pub up_to: Option<u8>,
    pub missing_left: bool,
    /// Added to the penalty of what the two sides say.
    pub penalty: f64,
}

/// Looks for the best split of one node.
pub(super) struct Scan<'a> {
    pub groups: &'a Groups,
    pub units: Units,
    pub limits: Limits,
    pub histogram: &'a [Sums],
    pub total: Sums,
    /// In units, as all scores here.
    lambda: f64,
    min_hessian: f64,
    /// By feature: whether predictions may only rise (1) or fall (-1) with it; empty: no feature is bound.
    directions: &'a [i8],
    bounds: Bounds,
    /// What is gained by a split is above it.
    score: f64,
}

/// Categories in order are smoothed by this, a sum of hessians.
const SMOOTH: f64 = 10.0;

/// The best so far of one feature.
struct Best {
    direction: i8,
    score: f64,
    left: Sums,
    at: usize,
    missing_left: bool,
}

impl<'a> Scan<'a> {
    pub fn new(
        groups: &'a Groups,
        (units, limits): (Units, Limits),
        histogram: &'a [Sums],
        total: Sums,
        (directions, bounds): (&'a [i8], Bounds),
    ) -> Self {
        let slope = units.slope();
        let bounds = Bounds { low: bounds.low * slope, high: bounds.high * slope };
        let lambda = units.hessian(limits.lambda);
        let min_hessian = units.hessian(MIN_HESSIAN);
        let mut scan =
            Self { groups, units, limits, histogram, total, lambda, min_hessian, directions, bounds, score: 0.0 };
        let (g, h) = units.raw(total);
        let score = if directions.is_empty() { g * g / (h + lambda) } else { scan.bound(g, h + lambda).0 };
        // A gain within rounding is none.
        scan.score = if score.is_finite() { score + 1e-12 * score.abs() } else { f64::INFINITY };
        scan
    }

    /// The score of a side of these sums, and what it says, in units.
    fn bound(&self, g: f64, h: f64) -> (f64, f64) {
        let value = self.bounds.hold(-g / h);
        (-(2.0 * g + h * value) * value, value)
    }

    /// The best split by the features of `range` that are `used`; the first of equal ones.
    pub fn best(&self, range: std::ops::Range<usize>, used: &[bool]) -> Option<Candidate> {
        let mut best: Option<Candidate> = None;
        for feature in range.filter(|j| used[*j]) {
            if let Some(found) = self.feature(feature)
                && best.is_none_or(|b| found.gain > b.gain)
            {
                best = Some(found);
            }
        }
        best
    }

    fn feature(&self, feature: usize) -> Option<Candidate> {
        let starts = &self.groups.starts;
        let histogram = &self.histogram[starts[feature]..starts[feature + 1]];
        let found = if self.groups.cuts[feature].is_category() {
            self.categories(feature, histogram)
        } else {
            self.numbers(feature, histogram)
        };
        found.filter(|found| found.gain > self.limits.min_gain)
    }

    fn numbers(&self, feature: usize, histogram: &[Sums]) -> Option<Candidate> {
        let values = self.groups.cuts[feature].values();
        let missing = histogram.get(values).copied().unwrap_or_default();
        let has_missing = missing != Sums::default();
        let mut best = self.nothing(feature);
        let mut left = Sums::default();
        for (bin, here) in histogram[..values].iter().enumerate() {
            if *here == Sums::default() {
                continue;
            }
            left += *here;
            self.consider(left, bin, false, self.lambda, &mut best);
            if has_missing {
                let mut with = left;
                with += missing;
                self.consider(with, bin, true, self.lambda, &mut best);
            }
        }
        if best.at == usize::MAX {
            return None;
        }
        let mut bins = [0; 4];
        (0..=best.at).for_each(|b| bins[b / 64] |= 1 << (b % 64));
        // Where no row was without a value, those to come go with most rows.
        let missing_left = if has_missing { best.missing_left } else { self.is_more_than_half(best.left) };
        if missing_left {
            bins[values / 64] |= 1 << (values % 64);
        }
        Some(self.candidate(feature, &best, bins, Some(best.at as u8), missing_left))
    }

    /// Categories in order of gradient over hessian are divided like numbers: the best division into two sets is among
    /// those. Source: W. D. Fisher, "On Grouping for Maximum Homogeneity" (1958). Rare ones are smoothed, and many small
    /// ones are not picked one by one, as LightGBM does it.
    fn categories(&self, feature: usize, histogram: &[Sums]) -> Option<Candidate> {
        const FEW: usize = 4;
        const MOST: usize = 32;
        let present: Vec<usize> = (0..histogram.len()).filter(|b| histogram[*b] != Sums::default()).collect();
        let mut best = self.nothing(feature);
        let mut bins = [0_u64; 4];
        let put = |bins: &mut [u64; 4], all: &[usize]| all.iter().for_each(|b| bins[b / 64] |= 1 << (b % 64));
        if present.len() <= FEW {
            for bin in &present {
                self.consider(histogram[*bin], *bin, false, self.lambda, &mut best);
            }
            if best.at < usize::MAX {
                put(&mut bins, &[best.at]);
            }
        } else {
            let smooth = self.units.hessian(SMOOTH);
            let lambda = self.lambda + smooth;
            let slope = |bin: usize| {
                let (g, h) = self.units.raw(histogram[bin]);
                g / (h + smooth)
            };
            let mut order: Vec<(f64, usize)> = present
                .iter()
                .filter(|b| self.units.count(histogram[**b]) as f64 >= SMOOTH)
                .map(|b| (slope(*b), *b))
                .collect();
            order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let order: Vec<usize> = order.into_iter().map(|o| o.1).collect();
            let most = MOST.min(order.len().div_ceil(2));
            let mut direction = false;
            for backward in [false, true] {
                let mut left = Sums::default();
                let mut in_group = 0;
                let before = best.at;
                best.at = usize::MAX;
                for i in 0..most {
                    let bin = if backward { order[order.len() - 1 - i] } else { order[i] };
                    left += histogram[bin];
                    in_group += self.units.count(histogram[bin]);
                    if self.units.count(self.total) - self.units.count(left) < self.limits.min_group {
                        break;
                    }
                    if in_group >= self.limits.min_group {
                        in_group = 0;
                        self.consider(left, i, false, lambda, &mut best);
                    }
                }
                if best.at < usize::MAX {
                    direction = backward;
                } else {
                    best.at = before;
                }
            }
            if best.at < usize::MAX {
                let n = order.len();
                put(&mut bins, if direction { &order[n - 1 - best.at..] } else { &order[..=best.at] });
            }
        }
        if best.at == usize::MAX {
            return None;
        }
        // Levels that were never seen go with the rows without a value, those with most rows.
        let values = self.groups.cuts[feature].values();
        let has_missing = present.last() == Some(&values);
        let missing_left =
            if has_missing { bins[values / 64] >> (values % 64) & 1 == 1 } else { self.is_more_than_half(best.left) };
        if missing_left {
            bins[values / 64] |= 1 << (values % 64);
        }
        let penalty = if present.len() > FEW { SMOOTH } else { 0.0 };
        Some(Candidate { penalty, ..self.candidate(feature, &best, bins, None, missing_left) })
    }

    #[inline]
    fn consider(&self, left: Sums, at: usize, missing_left: bool, lambda: f64, best: &mut Best) {
        let right = self.total - left;
        let min = self.limits.min_leaf;
        if self.units.count(left) < min || self.units.count(right) < min {
            return;
        }
        let ((gl, hl), (gr, hr)) = (self.units.raw(left), self.units.raw(right));
        if hl < self.min_hessian || hr < self.min_hessian {
            return;
        }
        let (hl, hr) = (hl + lambda, hr + lambda);
        let score = if self.directions.is_empty() {
            (gl * gl * hr + gr * gr * hl) / (hl * hr)
        } else {
            let ((left, low), (right, high)) = (self.bound(gl, hl), self.bound(gr, hr));
            if f64::from(best.direction) * (high - low) < 0.0 {
                return;
            }
            left + right
        };
        if score > best.score {
            *best = Best { score, left, at, missing_left, ..*best };
        }
    }

    fn nothing(&self, feature: usize) -> Best {
        let direction = self.directions.get(feature).copied().unwrap_or(0);
        Best { direction, score: self.score, left: Sums::default(), at: usize::MAX, missing_left: false }
    }

    fn is_more_than_half(&self, left: Sums) -> bool {
        2 * self.units.count(left) >= self.units.count(self.total)
    }

    fn candidate(
        &self,
        feature: usize,
        best: &Best,
        bins: [u64; 4],
        up_to: Option<u8>,
        missing_left: bool,
    ) -> Candidate {
        let gain = 0.5 * self.units.score(best.score - self.score);
        Candidate { feature, gain, left: best.left, bins, up_to, missing_left, penalty: 0.0 }
    }
}
