//! Probabilities put right: what a model says against how often it happens, on rows that it has not learned from.

use crate::numeric::sigmoid;

/// Log-odds beyond these count as these, so that a probability of 0 or 1 is no infinity.
const MOST_LOG_ODDS: f64 = 14.0;

const MOST_STEPS: usize = 200;

pub fn log_odds(probability: f64) -> f64 {
    (probability.ln() - (-probability).ln_1p()).clamp(-MOST_LOG_ODDS, MOST_LOG_ODDS)
}

/// Platt's sigmoid: 1 / (1 + e^-(slope · z + intercept)) of the log-odds or of the probability itself as z.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Platt {
    pub of_log_odds: bool,
    pub slope: f64,
    pub intercept: f64,
}

impl Platt {
    pub fn of(&self, probability: f64) -> f64 {
        let z = if self.of_log_odds { log_odds(probability) } else { probability };
        sigmoid(self.slope * z + self.intercept)
    }
}

/// The sigmoid of the least log loss, with Platt's targets between 0 and 1 for what happened and what did not; over the
/// log-odds unless the probability itself fits better, as it may where it is a share of votes and often 0 or 1. `said` and
/// `happened` are of one length, and so are `weights`.
/// Source: J. Platt, "Probabilistic Outputs for Support Vector Machines" (1999); H.-T. Lin et al., "A Note on Platt's
/// Probabilistic Outputs" (2007).
pub fn platt(said: &[f64], happened: &[bool], weights: Option<&[f64]>) -> Platt {
    let odds: Vec<f64> = said.iter().map(|p| log_odds(*p)).collect();
    let (over_odds, loss) = line(&odds, happened, weights);
    let (over_itself, other) = line(said, happened, weights);
    let of_log_odds = loss <= other;
    let (slope, intercept) = if of_log_odds { over_odds } else { over_itself };
    Platt { of_log_odds, slope, intercept }
}

/// (slope, intercept) over `z`, and the loss, by Newton's steps, halved as long as they lead up.
pub(crate) fn line(z: &[f64], happened: &[bool], weights: Option<&[f64]>) -> ((f64, f64), f64) {
    let weight = |row: usize| weights.map_or(1.0, |w| w[row]);
    let (mut yes, mut no) = (0.0, 0.0);
    for (row, happened) in happened.iter().enumerate() {
        *(if *happened { &mut yes } else { &mut no }) += weight(row);
    }
    let target = |row: usize| if happened[row] { (yes + 1.0) / (yes + 2.0) } else { 1.0 / (no + 2.0) };
    // Σ w · (ln(1 + e^s) - t · s) with s = slope · z + intercept.
    let loss = |slope: f64, intercept: f64| -> f64 {
        let one = |row: usize| {
            let s = slope * z[row] + intercept;
            let log = if s > 0.0 { s + (-s).exp().ln_1p() } else { s.exp().ln_1p() };
            weight(row) * (log - target(row) * s)
        };
        (0..z.len()).map(one).sum()
    };
    let (mut slope, mut intercept) = (0.0, ((yes + 1.0) / (no + 1.0)).ln());
    let mut now = loss(slope, intercept);
    for _ in 0..MOST_STEPS {
        let (mut g, mut h) = ([0.0; 2], [1e-12, 0.0, 1e-12]);
        for (row, z) in z.iter().enumerate() {
            let p = sigmoid(slope * z + intercept);
            let (w, off) = (weight(row), p - target(row));
            let curve = w * p * (1.0 - p);
            g = [g[0] + w * off * z, g[1] + w * off];
            h = [h[0] + curve * z * z, h[1] + curve * z, h[2] + curve];
        }
        if g[0].abs().max(g[1].abs()) <= 1e-11 * (yes + no).max(1.0) {
            break;
        }
        let det = h[0] * h[2] - h[1] * h[1];
        if det <= 0.0 {
            break;
        }
        let step = [(h[2] * g[0] - h[1] * g[1]) / det, (h[0] * g[1] - h[1] * g[0]) / det];
        let down = g[0] * step[0] + g[1] * step[1];
        let mut size = 1.0;
        loop {
            let (a, b) = (slope - size * step[0], intercept - size * step[1]);
            let then = loss(a, b);
            if then <= now - 1e-4 * size * down {
                (slope, intercept, now) = (a, b, then);
                break;
            }
            size /= 2.0;
            if size < 1e-10 {
                return ((slope, intercept), now);
            }
        }
    }
    ((slope, intercept), now)
}

/// The least squares fit among all that never fall, by pooling neighbours that do (PAVA): the points between which it is
/// linear, (from, to), both never falling. Rows of one probability count as one, by their weights. At least one row has
/// weight.
/// Source: R. Barlow et al., "Statistical Inference under Order Restrictions" (1972).
pub fn isotonic(said: &[f64], happened: &[bool], weights: Option<&[f64]>) -> (Vec<f64>, Vec<f64>) {
    let weight = |row: usize| weights.map_or(1.0, |w| w[row]);
    let mut order: Vec<usize> = (0..said.len()).filter(|row| weight(*row) > 0.0).collect();
    order.sort_by(|a, b| said[*a].total_cmp(&said[*b]).then(a.cmp(b)));
    let mut pools: Vec<Pool> = Vec::new();
    for tied in order.chunk_by(|a, b| said[*a] == said[*b]) {
        let all: f64 = tied.iter().map(|row| weight(*row)).sum();
        let yes: f64 = tied.iter().filter(|row| happened[**row]).map(|row| weight(*row)).sum();
        let at = said[tied[0]];
        pools.push(Pool { low: at, high: at, yes, all });
        while let [.., before, last] = &pools[..]
            && before.mean() >= last.mean()
        {
            let joined =
                Pool { low: before.low, high: last.high, yes: before.yes + last.yes, all: before.all + last.all };
            pools.truncate(pools.len() - 2);
            pools.push(joined);
        }
    }
    let (mut from, mut to) = (Vec::new(), Vec::new());
    for pool in pools {
        for at in if pool.low == pool.high { vec![pool.low] } else { vec![pool.low, pool.high] } {
            from.push(at);
            to.push(pool.mean());
        }
    }
    (from, to)
}

/// Neighbours of one value.
struct Pool {
    low: f64,
    high: f64,
    yes: f64,
    all: f64,
}

impl Pool {
    fn mean(&self) -> f64 {
        self.yes / self.all
    }
}

/// What [`isotonic`] found, of a probability: linear between the points, and as at the ends beyond them.
pub fn isotonic_of(probability: f64, (from, to): (&[f64], &[f64])) -> f64 {
    let above = from.partition_point(|x| *x < probability);
    match (above.checked_sub(1), from.get(above)) {
        (None, _) => to[0],
        (Some(below), None) => to[below],
        (Some(below), Some(x)) => {
            let share = (probability - from[below]) / (x - from[below]);
            to[below] + share * (to[above] - to[below])
        }
    }
}

/// How far from a prediction the truth lies at most in so large a share of new rows, of the distances on rows that the model
/// has not learned from: split conformal prediction. `None`: there are too few of them, or a distance is NaN.
/// Source: J. Lei et al., "Distribution-Free Predictive Inference for Regression" (2018).
pub fn conformal_radius(distances: &[f64], coverage: f64) -> Option<f64> {
    // 55 % of 100 rows are 55, whatever the last bit of the product says.
    let rank = ((distances.len() + 1) as f64 * coverage - 1e-9).ceil() as usize;
    let mut sorted = distances.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(rank.max(1) - 1).copied().filter(|radius| !radius.is_nan())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platt_finds_the_line_that_the_log_odds_lie_on() {
        // What happens follows the log-odds 0.5 · z + 0.3 exactly, row by row by weight.
        let (mut said, mut happened, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        for i in 0..41 {
            let z = f64::from(i) / 5.0 - 4.0;
            let p = sigmoid(0.5 * z + 0.3);
            for hit in [true, false] {
                said.push(sigmoid(z));
                happened.push(hit);
                weights.push(1e9 * if hit { p } else { 1.0 - p });
            }
        }
        let found = platt(&said, &happened, Some(&weights));
        assert!(found.of_log_odds, "{found:?}");
        assert!((found.slope - 0.5).abs() < 1e-6 && (found.intercept - 0.3).abs() < 1e-6, "{found:?}");
        assert!((found.of(sigmoid(2.0)) - sigmoid(1.3)).abs() < 1e-6);
    }

    #[test]
    fn platt_is_as_scikit_learn_has_it() {
        // sklearn.calibration._SigmoidCalibration on these log-odds.
        let z = [-3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 1.5];
        let happened = [false, false, true, false, false, true, false, true, true, true];
        let ((slope, intercept), _) = line(&z, &happened, None);
        assert!((slope - 0.575_126_6).abs() < 1e-6 && (intercept - (-0.099_886_0)).abs() < 1e-6, "{slope} {intercept}");
    }

    #[test]
    fn sure_probabilities_are_no_infinities() {
        assert_eq!(log_odds(0.0), -MOST_LOG_ODDS);
        assert_eq!(log_odds(1.0), MOST_LOG_ODDS);
        let found = platt(&[0.0, 0.0, 1.0, 1.0], &[false, true, true, true], None);
        assert!(found.of(0.0) > 0.0 && found.of(1.0) < 1.0);
    }

    #[test]
    fn isotonic_pools_what_falls_and_is_linear_between() {
        let said = [0.1, 0.2, 0.3, 0.4, 0.4, 0.8];
        let happened = [false, true, false, true, false, true];
        let (from, to) = isotonic(&said, &happened, None);
        assert_eq!(from, [0.1, 0.2, 0.4, 0.8]);
        assert_eq!(to, [0.0, 0.5, 0.5, 1.0]);
        let of = |p| isotonic_of(p, (&from, &to));
        for (p, wanted) in [(0.0, 0.0), (0.15, 0.25), (0.3, 0.5), (0.6, 0.75), (1.0, 1.0)] {
            assert!((of(p) - wanted).abs() < 1e-15, "{p}: {}", of(p));
        }
        let weighted = isotonic(&said, &happened, Some(&[1.0, 0.0, 1.0, 3.0, 1.0, 1.0]));
        assert_eq!(weighted, (vec![0.1, 0.3, 0.4, 0.8], vec![0.0, 0.0, 0.75, 1.0]));
    }

    #[test]
    fn the_radius_covers_its_share_with_one_row_to_come() {
        let distances: Vec<f64> = (1..=9).rev().map(f64::from).collect();
        // Of ten rows, the new one among them, nine lie within 9.
        assert_eq!(conformal_radius(&distances, 0.9), Some(9.0));
        assert_eq!(conformal_radius(&distances, 0.5), Some(5.0));
        assert_eq!(conformal_radius(&distances, 0.95), None);
        let many: Vec<f64> = (1..=99).map(f64::from).collect();
        assert_eq!(conformal_radius(&many, 0.55), Some(55.0));
        assert_eq!(conformal_radius(&[1.0, f64::NAN], 0.6), None);
    }

    proptest::proptest! {
        #[test]
        fn isotonic_never_falls(rows in proptest::collection::vec((0_u8..20, proptest::bool::ANY), 1..60)) {
            let said: Vec<f64> = rows.iter().map(|(p, _)| f64::from(*p) / 19.0).collect();
            let happened: Vec<bool> = rows.iter().map(|(_, hit)| *hit).collect();
            let (from, to) = isotonic(&said, &happened, None);
            proptest::prop_assert!(from.windows(2).all(|w| w[0] < w[1]) && to.windows(2).all(|w| w[0] <= w[1]));
            // Least squares: the sum of what is said is that of what happened.
            let total: f64 = said.iter().map(|p| isotonic_of(*p, (&from, &to))).sum();
            let hits = happened.iter().filter(|hit| **hit).count() as f64;
            proptest::prop_assert!((total - hits).abs() < 1e-9);
        }
    }
}
