//! Sums whose order of additions is fixed, so that results do not depend on threads, and wide enough for SIMD.

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
pub(crate) fn sigmoid(z: f64) -> f64 {
    if z >= 0.0 {
        1.0 / (1.0 + (-z).exp())
    } else {
        let e = z.exp();
        e / (1.0 + e)
    }
}

/// From scores to probabilities, row by row over their columns.
pub(crate) fn softmax(z: &mut [Vec<f64>]) {
    let rows = z[0].len();
    for i in 0..rows {
        let max = z.iter().fold(f64::NEG_INFINITY, |m, c| m.max(c[i]));
        let mut total = 0.0;
        for column in z.iter_mut() {
            column[i] = (column[i] - max).exp();
            total += column[i];
        }
        for column in z.iter_mut() {
            column[i] /= total;
        }
    }
}
