use dbjob_learn::Scores;
use dbjob_learn::calibration::{Platt, isotonic_of};
use dbjob_plan::{Calibration, Curve, Value};

/// The probabilities that callers get. A row's depend on that row only.
pub(super) fn calibrated(mut scores: Scores, classes: &[Value], calibration: &Calibration) -> Scores {
    let curve = |class: &Value| calibration.curves.iter().find(|c| c.class == *class).map(|c| &c.curve);
    if let [first, second] = scores.columns.as_mut_slice() {
        if let Some(curve) = classes.get(1).and_then(curve) {
            second.iter_mut().for_each(|p| *p = along(curve, *p));
            first.iter_mut().zip(second).for_each(|(first, second)| *first = 1.0 - *second);
        }
        return scores;
    }
    for (class, column) in classes.iter().zip(&mut scores.columns) {
        if let Some(curve) = curve(class) {
            column.iter_mut().for_each(|p| *p = along(curve, *p));
        }
    }
    let count = scores.columns.len() as f64;
    for row in 0..scores.columns.first().map_or(0, Vec::len) {
        let sum: f64 = scores.columns.iter().map(|column| column[row]).sum();
        for column in &mut scores.columns {
            // Where every class is ruled out none is likelier.
            column[row] = if sum > 0.0 { column[row] / sum } else { 1.0 / count };
        }
    }
    scores
}

pub(super) fn along(curve: &Curve, probability: f64) -> f64 {
    match curve {
        Curve::Sigmoid { of_log_odds, slope, intercept } => {
            Platt { of_log_odds: *of_log_odds, slope: *slope, intercept: *intercept }.of(probability)
        }
        Curve::Points { from, to } => isotonic_of(probability, (from, to)),
    }
}
