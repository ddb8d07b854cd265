use super::{Classes, Undefined, Value};

const BINS: usize = 10;

/// The expected calibration error: the mean distance of probability and share, over ten bins of equal width, by the weight
/// of the bins. Two classes: the probability of the second and its share. More: the probability of the predicted class and
/// how often it is right.
///
/// A probability at an edge is in the lower bin, as in scikit-learn's `calibration_curve`.
pub(super) fn calibration_error(classes: &Classes<'_>) -> Value {
    let of = |row: usize| match classes.probabilities.len() {
        2 => (classes.probabilities[1][row], classes.truth[row] == 1),
        _ => {
            let class = classes.predicted[row];
            (classes.probability(class, row), class == classes.truth[row])
        }
    };
    // By bin: Σ w · (truth - probability).
    let mut off = [0.0; BINS];
    let mut all = 0.0;
    for row in 0..classes.truth.len() {
        let (probability, hit) = of(row);
        let weight = classes.weight(row);
        if !probability.is_finite() {
            return Err(Undefined("a prediction is not a finite number"));
        }
        let bin = (1..BINS).filter(|edge| *edge as f64 * 0.1 < probability).count();
        off[bin] += weight * (f64::from(u8::from(hit)) - probability);
        all += weight;
    }
    Ok(off.iter().map(|off: &f64| off.abs()).sum::<f64>() / all)
}
