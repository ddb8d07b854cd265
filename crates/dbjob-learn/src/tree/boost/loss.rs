use super::sums::Gradient;
use crate::numeric::sigmoid;
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
    let mut total = 0.0;
    let mut product = 1.0;
    for (i, out) in out.iter_mut().enumerate() {
        let p = sigmoid(sums[i]);
        let weight = weights.map_or(1.0, |w| w[i]);
        let of_truth = if y[i] > 0.5 { p } else { 1.0 - p }.max(1e-15);
        if weight == 1.0 {
            product *= of_truth;
            if product < 1e-280 {
                total -= product.ln();
                product = 1.0;
            }
        } else {
            total -= weight * of_truth.ln();
        }
        *out = [(weight * (p - y[i])) as f32, (weight * p * (1.0 - p)).max(1e-16) as f32];
    }
    total - product.ln()
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
