//! Sums whose order of additions is fixed, so that results do not depend on threads, and wide enough for SIMD; functions
//! without branches, so that loops over them are too.

const LANES: usize = 8;

/// Σ (a - shift) · b.
pub(crate) fn shifted_dot(a: &[f64], shift: f64, b: &[f64]) -> f64 {
    debug_assert_eq!(a.len(), b.len());
    let mut lanes = [0.0; LANES];
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    for (x, y) in a_blocks.iter().zip(b_blocks) {
        for l in 0..LANES {
            lanes[l] += (x[l] - shift) * y[l];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(x, y)| (x - shift) * y).sum();
    fold(lanes) + rest
}

/// Σ a · b.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    shifted_dot(a, 0.0, b)
}

/// Σ a.
pub(crate) fn sum(a: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let (blocks, rest) = a.as_chunks::<LANES>();
    for x in blocks {
        for l in 0..LANES {
            lanes[l] += x[l];
        }
    }
    fold(lanes) + rest.iter().sum::<f64>()
}

fn fold(l: [f64; LANES]) -> f64 {
    ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]))
}

/// 1 / (1 + e^-z) without overflow.
#[inline]
pub(crate) fn sigmoid(z: f64) -> f64 {
    let e = exp(-z.abs());
    (if z >= 0.0 { 1.0 } else { e }) / (1.0 + e)
}

/// e^x to two units in the last place; where that is below 1e-307 or above 1e307, about that.
#[inline]
pub(crate) fn exp(x: f64) -> f64 {
    // Adding it leaves the nearest whole number in the lowest bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let x = x.clamp(-708.0, 709.0);
    let rounded = x * std::f64::consts::LOG2_E + ROUND;
    let k = rounded - ROUND;
    let r = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    // Taylor's series: |r| is at most ln 2 / 2, and the first term left out below 1e-17.
    let mut p = 1.0 / 6_227_020_800.0;
    for factorial in
        [479_001_600.0, 39_916_800.0, 3_628_800.0, 362_880.0, 40_320.0, 5_040.0, 720.0, 120.0, 24.0, 6.0, 2.0, 1.0, 1.0]
    {
        p = p * r + 1.0 / factorial;
    }
    p * f64::from_bits((rounded.to_bits() << 52).wrapping_add(1023 << 52))
}

/// ln(1 + e) for e in 0..=1, to a few units in the last place.
#[inline]
pub(crate) fn ln_1p(e: f64) -> f64 {
    // 2 artanh(s) with s at most 1/3: the first term left out is below 1e-17 of the first.
    let s = e / (2.0 + e);
    let ss = s * s;
    let mut p = 1.0 / 33.0;
    for odd in [31.0, 29.0, 27.0, 25.0, 23.0, 21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        p = p * ss + 1.0 / odd;
    }
    2.0 * s * p
}

/// From scores to probabilities, row by row over their columns. Gives each row's largest score, and what the exponentials
/// of its scores less that one sum to.
pub(crate) fn softmax(z: &mut [Vec<f64>]) -> (Vec<f64>, Vec<f64>) {
    let mut largest = z[0].clone();
    for column in &z[1..] {
        largest.iter_mut().zip(column).for_each(|(m, v)| *m = m.max(*v));
    }
    let mut total = vec![0.0; largest.len()];
    for column in z.iter_mut() {
        for ((v, m), t) in column.iter_mut().zip(&largest).zip(&mut total) {
            *v = exp(*v - m);
            *t += *v;
        }
    }
    for column in z.iter_mut() {
        column.iter_mut().zip(&total).for_each(|(v, t)| *v /= t);
    }
    (largest, total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_those_of_the_standard_library() {
        for i in -7000..7000 {
            let x = f64::from(i) * 0.1003;
            assert!((exp(x) / x.exp() - 1.0).abs() < 5e-16, "{x}: {} {}", exp(x), x.exp());
            let e = (-x.abs()).exp();
            assert!((ln_1p(e) - e.ln_1p()).abs() <= 1e-15 * e, "{e}");
            assert!((sigmoid(x) - 1.0 / (1.0 + (-x).exp())).abs() < 5e-16);
        }
        assert_eq!((exp(0.0), ln_1p(0.0)), (1.0, 0.0));
        assert!(exp(f64::NAN).is_nan() && exp(-1e9) < 1e-300 && exp(1e9) > 1e300);
    }
}
