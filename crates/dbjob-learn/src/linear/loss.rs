use crate::numeric::{dot, exp, ln_1p, softmax};

/// What is minimised over scores z, for the truth of each row.
#[derive(Clone, Copy)]
pub(super) enum Loss<'a> {
    /// (y - z)² / 2.
    Squares(&'a [f64]),
    /// -ln of the sigmoid's probability; the truth is 0 or 1.
    Binary(&'a [u32]),
    /// -ln of the softmax's probability; the truth is one of so many outputs.
    Classes(&'a [u32], usize),
    /// e^z - y·z: half the Poisson deviance, up to what does not depend on z.
    Poisson(&'a [f64]),
    /// y·e^-z + z: half the gamma deviance, up to what does not depend on z.
    Gamma(&'a [f64]),
}

/// Scores and what follows from them for a block of rows, one vector an output.
pub(super) struct Rows {
    /// Scores before [`Loss::evaluate`], weighted residuals (derivatives of the loss) after it.
    pub z: Vec<Vec<f64>>,
    /// The second derivative of the one output, or the probability of each of several, weight not counted.
    pub curvature: Vec<Vec<f64>>,
}

impl Loss<'_> {
    pub fn outputs(self) -> usize {
        if let Self::Classes(_, outputs) = self { outputs } else { 1 }
    }

    /// Σ w·loss of the rows from `first` on.
    pub fn evaluate(self, rows: &mut Rows, first: usize, w: &[f64], curved: bool) -> f64 {
        let end = first + w.len();
        let Rows { z, curvature } = rows;
        match self {
            Self::Squares(y) => single(&mut z[0], &y[first..end], w, curved.then(|| &mut curvature[0]), |z, y| {
                (0.5 * (z - y) * (z - y), z - y, 1.0)
            }),
            Self::Binary(y) => binary(&mut z[0], &y[first..end], w, curved.then(|| &mut curvature[0])),
            Self::Classes(y, _) => {
                let y = &y[first..end];
                let loss = softmax_loss(z, y, w);
                if curved {
                    curvature.clone_from(z);
                }
                residuals(z, y, w);
                loss
            }
            Self::Poisson(y) => single(&mut z[0], &y[first..end], w, curved.then(|| &mut curvature[0]), |z, y| {
                let mean = exp(z);
                (mean - y * z, mean - y, mean)
            }),
            Self::Gamma(y) => single(&mut z[0], &y[first..end], w, curved.then(|| &mut curvature[0]), |z, y| {
                let ratio = y * exp(-z);
                (ratio + z, 1.0 - ratio, ratio)
            }),
        }
    }
}

/// By (loss, first, second derivative) of a score and its truth.
fn single(
    z: &mut [f64],
    y: &[f64],
    w: &[f64],
    curvature: Option<&mut Vec<f64>>,
    of: impl Fn(f64, f64) -> (f64, f64, f64),
) -> f64 {
    let mut loss = 0.0;
    if let Some(curvature) = curvature {
        curvature.clear();
        curvature.extend(z.iter().zip(y).map(|(z, y)| of(*z, *y).2));
    }
    for ((z, y), w) in z.iter_mut().zip(y).zip(w) {
        let (value, derivative, _) = of(*z, *y);
        loss += w * value;
        *z = w * derivative;
    }
    loss
}

fn binary(z: &mut [f64], y: &[u32], w: &[f64], curvature: Option<&mut Vec<f64>>) -> f64 {
    if let Some(curvature) = curvature {
        curvature.clear();
        curvature.extend(z.iter().map(|z| {
            let e = exp(-z.abs());
            e / ((1.0 + e) * (1.0 + e))
        }));
    }
    let mut losses = vec![0.0; z.len()];
    for (((z, y), w), loss) in z.iter_mut().zip(y).zip(w).zip(&mut losses) {
        let truth = f64::from(*y);
        let e = exp(-z.abs());
        *loss = ln_1p(e) + z.max(0.0) - truth * *z;
        let p = (if *z >= 0.0 { 1.0 } else { e }) / (1.0 + e);
        *z = w * (p - truth);
    }
    dot(&losses, w)
}

/// From scores to probabilities; gives Σ w·loss.
fn softmax_loss(z: &mut [Vec<f64>], y: &[u32], w: &[f64]) -> f64 {
    let truth: Vec<f64> = y.iter().enumerate().map(|(i, y)| z[*y as usize][i]).collect();
    let (largest, total) = softmax(z);
    (0..y.len()).map(|i| w[i] * (largest[i] + total[i].ln() - truth[i])).sum()
}

/// From probabilities to weighted residuals.
fn residuals(z: &mut [Vec<f64>], y: &[u32], w: &[f64]) {
    for (k, column) in z.iter_mut().enumerate() {
        for ((p, y), w) in column.iter_mut().zip(y).zip(w) {
            *p = w * (*p - f64::from(u8::from(*y as usize == k)));
        }
    }
}
