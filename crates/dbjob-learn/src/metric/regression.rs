use super::{Numbers, Undefined, Value, mean};

impl Numbers<'_> {
    /// The mean of `of(truth, prediction)`.
    fn mean(&self, of: impl Fn(f64, f64) -> f64) -> f64 {
        mean(self.truth.len(), self.weights, |row| of(self.truth[row], self.predicted[row]))
    }

    /// Whether it holds of every row, of those without weight too.
    fn all(&self, holds: impl Fn(f64, f64) -> bool) -> bool {
        self.truth.iter().zip(self.predicted).all(|(t, p)| holds(*t, *p))
    }
}

/// The root of the mean squared error.
pub(super) fn rmse(numbers: &Numbers<'_>) -> Value {
    Ok(numbers.mean(|t, p| (t - p) * (t - p)).sqrt())
}

/// The mean absolute error.
pub(super) fn mae(numbers: &Numbers<'_>) -> Value {
    Ok(numbers.mean(|t, p| (t - p).abs()))
}

/// The mean of the absolute error as a part of the truth's size, which counts as 2^-52 at least.
pub(super) fn mape(numbers: &Numbers<'_>) -> Value {
    Ok(numbers.mean(|t, p| (t - p).abs() / t.abs().max(f64::EPSILON)))
}

/// 1 - squared error / squared deviation from the mean. With a constant truth: 1 if it was predicted exactly, else 0.
/// Not defined for less than two rows.
pub(super) fn r2(numbers: &Numbers<'_>) -> Value {
    if numbers.truth.len() < 2 {
        return Err(Undefined("it needs two rows"));
    }
    let error = numbers.mean(|t, p| (t - p) * (t - p));
    let middle = numbers.mean(|t, _| t);
    let spread = numbers.mean(|t, _| (t - middle) * (t - middle));
    if spread == 0.0 {
        return Ok(if error == 0.0 { 1.0 } else { 0.0 });
    }
    Ok(1.0 - error / spread)
}

/// The pinball loss: what lies below the truth costs the quantile, what lies above it the rest to 1.
pub(super) fn quantile_loss(numbers: &Numbers<'_>, quantile: f64) -> Value {
    Ok(numbers.mean(|t, p| if t >= p { quantile * (t - p) } else { (1.0 - quantile) * (p - t) }))
}

/// The mean deviance of a Poisson distribution: 2 · (t · ln(t / p) - t + p).
pub(super) fn poisson_deviance(numbers: &Numbers<'_>) -> Value {
    if !numbers.all(|t, _| t >= 0.0) {
        return Err(Undefined("a true value is below 0"));
    }
    if !numbers.all(|_, p| p > 0.0) {
        return Err(Undefined("a prediction is not above 0"));
    }
    let log = |t: f64, p: f64| if t == 0.0 { 0.0 } else { t * (t / p).ln() };
    Ok(2.0 * numbers.mean(|t, p| log(t, p) - t + p))
}

/// The mean deviance of a gamma distribution: 2 · (ln(p / t) + t / p - 1).
pub(super) fn gamma_deviance(numbers: &Numbers<'_>) -> Value {
    if !numbers.all(|t, _| t > 0.0) {
        return Err(Undefined("a true value is not above 0"));
    }
    if !numbers.all(|_, p| p > 0.0) {
        return Err(Undefined("a prediction is not above 0"));
    }
    Ok(2.0 * numbers.mean(|t, p| (p / t).ln() + t / p - 1.0))
}
