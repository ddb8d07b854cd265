use super::sums::Gradient;
use crate::tree::ensemble::Link;

/// What boosting lowers, of rows that have one sum each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Loss {
    /// (sum - y)² / 2.
    Squared,
    /// e^sum - y · sum, for counts.
    Poisson,
    /// y · e^-sum + sum, for positive numbers.
    Gamma,
    /// The negative log-likelihood of y in {0, 1}.
    Logistic,
}

impl Loss {
    pub fn link(self) -> Link {
        match self {
            Self::Squared => Link::Identity,
            Self::Poisson | Self::Gamma => Link::Log,
            Self::Logistic => Link::Logistic,
        }
    }

    /// The sum with the lowest loss where the mean of y is `mean`.
    pub fn base(self, mean: f64) -> f64 {
        match self {
            Self::Squared => mean,
            Self::Poisson | Self::Gamma => mean.ln(),
            Self::Logistic => (mean / (1.0 - mean)).ln(),
        }
    }

    /// Σ weight · loss; the gradients by the sum go to `out`. All of one length.
    pub fn gradients(self, sums: &[f64], y: &[f64], weights: Option<&[f64]>, out: &mut [Gradient]) -> f64 {
        match self {
            Self::Squared => each(sums, y, weights, out, |s, y| (s - y, 1.0, 0.5 * (s - y) * (s - y))),
            Self::Poisson => each(sums, y, weights, out, |s, y| {
                let e = s.exp();
                (e - y, e, e - y * s)
            }),
            Self::Gamma => each(sums, y, weights, out, |s, y| {
                let r = y * (-s).exp();
                (1.0 - r, r, r + s)
            }),
            Self::Logistic => logistic(sums, y, weights, out),
        }
    }
}

/// `of`: gradient, hessian, loss of (sum, y).
fn each(
    sums: &[f64],
    y: &[f64],
    weights: Option<&[f64]>,
    out: &mut [Gradient],
    of: impl Fn(f64, f64) -> (f64, f64, f64),
) -> f64 {
    let mut total = 0.0;
    for (i, out) in out.iter_mut().enumerate() {
        let (g, h, loss) = of(sums[i], y[i]);
        let weight = weights.map_or(1.0, |w| w[i]);
        total += weight * loss;
        *out = [(weight * g) as f32, (weight * h) as f32];
    }
    total
}

/// A logarithm a row would cost as much as all the rest: that of a product of probabilities is taken.
fn logistic(sums: &[f64], y: &[f64], weights: Option<&[f64]>, out: &mut [Gradient]) -> f64 {
    const BLOCK: usize = 64;
    let mut total = 0.0;
    let mut product = 1.0;
    let mut exponentials = [0.0; BLOCK];
    for (b, out) in out.chunks_mut(BLOCK).enumerate() {
        let sums = &sums[b * BLOCK..][..out.len()];
        exponentials.iter_mut().zip(sums).for_each(|(e, s)| *e = exp_minus(s.abs()));
        for (i, out) in out.iter_mut().enumerate() {
            // The probabilities of what is less and of what is more likely, both with all their digits.
            let e = exponentials[i];
            let more = 1.0 / (1.0 + e);
            let less = e * more;
            let p = if sums[i] < 0.0 { less } else { more };
            let (row, is_second) = (b * BLOCK + i, y[b * BLOCK + i] > 0.5);
            let wrong = if is_second == (sums[i] < 0.0) { more } else { less };
            let of_truth = if is_second { p } else { less + more - p }.max(1e-15);
            let weight = weights.map_or(1.0, |w| w[row]);
            if weight == 1.0 {
                product *= of_truth;
                if product < 1e-280 {
                    total -= product.ln();
                    product = 1.0;
                }
            } else {
                total -= weight * of_truth.ln();
            }
            let g = if is_second { -wrong } else { wrong };
            *out = [(weight * g) as f32, (weight * less * more).max(1e-16) as f32];
        }
    }
    total - product.ln()
}

/// e^-x of x >= 0, to 14 digits: 2^k · e^r with |r| <= ln 2 / 2, and a Taylor series. Without jumps or tables, so that
/// several go at once.
#[inline]
fn exp_minus(x: f64) -> f64 {
    // As whole(): the last bits of the float are k.
    const ONES: f64 = (3_u64 << 51) as f64;
    const HIGH: f64 = 6.931_471_803_691_238e-1;
    const LOW: f64 = 1.908_214_929_270_587_7e-10;
    const SERIES: [f64; 12] = [
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ];
    let x = if x < 700.0 { x } else { 700.0 };
    let shifted = -x * std::f64::consts::LOG2_E + ONES;
    let k = shifted - ONES;
    let r = (-x - k * HIGH) - k * LOW;
    let series = SERIES.iter().fold(0.0, |sum, c| sum * r + c);
    let scale = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    series * scale
}

/// Σ weight · (negative log-likelihood of the row's class); the gradients of class `k` go to `out[k]`. `sums`: by class.
/// The hessian is that of K - 1 free sums, K/(K-1) · p(1-p), as others that boost have it.
pub(super) fn softmax(sums: &[&[f64]], codes: &[u32], weights: Option<&[f64]>, out: &mut [&mut [Gradient]]) -> f64 {
    let classes = sums.len();
    let factor = classes as f64 / (classes as f64 - 1.0);
    let mut row = vec![0.0; classes];
    let mut total = 0.0;
    for (i, code) in codes.iter().enumerate() {
        let top = sums.iter().fold(f64::NEG_INFINITY, |top, s| top.max(s[i]));
        let mut all = 0.0;
        for (e, s) in row.iter_mut().zip(sums) {
            *e = (s[i] - top).exp();
            all += *e;
        }
        let weight = weights.map_or(1.0, |w| w[i]);
        for (k, (e, out)) in row.iter().zip(out.iter_mut()).enumerate() {
            let p = e / all;
            let truth = f64::from(u8::from(k == *code as usize));
            out[i] = [(weight * (p - truth)) as f32, (weight * factor * p * (1.0 - p)).max(1e-16) as f32];
        }
        total -= weight * (row[*code as usize] / all).max(1e-300).ln();
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gradients and hessians against differences of the loss.
    #[test]
    fn gradients_are_the_slope_of_the_loss() {
        let step = 1e-4;
        for (loss, y) in [(Loss::Squared, -1.5), (Loss::Poisson, 3.0), (Loss::Gamma, 0.4), (Loss::Logistic, 1.0)] {
            for sum in [-1.2, 0.1, 2.0] {
                for weight in [1.0, 2.5] {
                    let at = |s: f64| {
                        let mut out = [[0.0; 2]];
                        let value = loss.gradients(&[s], &[y], Some(&[weight]), &mut out);
                        (value, f64::from(out[0][0]), f64::from(out[0][1]))
                    };
                    let (middle, g, h) = at(sum);
                    let (high, low) = (at(sum + step).0, at(sum - step).0);
                    assert!(((high - low) / (2.0 * step) - g).abs() < 1e-5, "{loss:?} at {sum}: {g}");
                    assert!(((high - 2.0 * middle + low) / (step * step) - h).abs() < 1e-4, "{loss:?} at {sum}: {h}");
                }
            }
        }
    }

    #[test]
    fn exponentials_have_their_digits() {
        for i in 0..70_000 {
            let x = f64::from(i) * 0.01 + f64::from(i % 7) * 1e-4;
            let (found, wanted) = (exp_minus(x), (-x).exp());
            assert!((found - wanted).abs() <= 1e-13 * wanted, "e^-{x}: {found}, not {wanted}");
        }
        assert_eq!(exp_minus(0.0), 1.0);
        assert!(exp_minus(1e300) < 1e-300 && exp_minus(f64::NAN) < 1e-300);
    }

    #[test]
    fn gradients_of_softmax_are_the_slope_of_the_loss() {
        let at = |sums: [f64; 3]| {
            let mut out = [[[0.0_f32; 2]]; 3];
            let columns = sums.map(|s| [s]);
            let [a, b, c] = &mut out;
            let value = softmax(&columns.each_ref().map(|c| &c[..]), &[2], Some(&[1.5]), &mut [&mut a[..], b, c]);
            (value, out.map(|o| f64::from(o[0][0])))
        };
        let sums = [0.3, -1.0, 0.7];
        let gradients = at(sums).1;
        for k in 0..3 {
            let mut moved = [sums, sums];
            moved[0][k] += 1e-5;
            moved[1][k] -= 1e-5;
            let slope = (at(moved[0]).0 - at(moved[1]).0) / 2e-5;
            assert!((slope - gradients[k]).abs() < 1e-6, "{k}: {slope} {}", gradients[k]);
        }
    }

    #[test]
    fn the_loss_of_many_rows_is_the_sum_of_theirs() {
        let n = 5000;
        let sums: Vec<f64> = (0..n).map(|i| f64::from(i % 19) - 9.0).collect();
        let y: Vec<f64> = (0..n).map(|i| f64::from(i % 2)).collect();
        let mut out = vec![[0.0; 2]; n as usize];
        let all = Loss::Logistic.gradients(&sums, &y, None, &mut out);
        let each: f64 =
            (0..n as usize).map(|i| Loss::Logistic.gradients(&sums[i..=i], &y[i..=i], None, &mut out[i..=i])).sum();
        assert!((all - each).abs() < 1e-7 * all, "{all} {each}");
    }
}
