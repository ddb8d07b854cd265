use super::{Classes, Value, mean};

/// The mean of -ln of the probability of the true class, probabilities clipped to [2^-52, 1 - 2^-52].
pub(super) fn log_loss(classes: &Classes<'_>) -> Value {
    let cost = |row: usize| {
        let p = classes.probability(classes.truth[row], row);
        // NaN stays, and is told.
        -p.clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln()
    };
    Ok(mean(classes.truth.len(), classes.weights, cost))
}

/// The mean over the rows of Σ (probability - truth)² over the classes; with two classes half of it, which is the square of
/// the second one's.
pub(super) fn brier(classes: &Classes<'_>) -> Value {
    let known = classes.probabilities.len() as u32;
    let cost = |row: usize| {
        let truth = classes.truth[row];
        let unknown = f64::from(u8::from(truth >= known));
        let squares = (0..known).map(|class| {
            let off = classes.probability(class, row) - f64::from(u8::from(class == truth));
            off * off
        });
        unknown + squares.sum::<f64>()
    };
    let scale = if known < 3 { 0.5 } else { 1.0 };
    Ok(scale * mean(classes.truth.len(), classes.weights, cost))
}
