use super::loss::Loss;
use super::objective::Objective;
use crate::{FitError, Pool};

/// Whether the loss falls, or stays, all the way along `direction`: then no finite coefficients are the best. (Classes that
/// a plane tells apart; counts that are 0 wherever a feature says so.)
pub(super) fn recedes(objective: &Objective<'_>, direction: &[f64], pool: &Pool) -> bool {
    let ranges = &objective.design.ranges;
    let spans = pool.run(ranges.len(), |b| span(objective, direction, b));
    let (low, high) = spans.into_iter().fold((0.0_f64, 0.0_f64), |(low, high), (l, h)| (low.min(l), high.max(h)));
    high > 0.0 && low >= -1e-6 * high
}

/// The least and the largest gain of a row of a block: how far the score of its truth rises above the others.
fn span(objective: &Objective<'_>, direction: &[f64], block: usize) -> (f64, f64) {
    let range = objective.design.ranges[block].clone();
    let z = objective.scores(direction, block).z;
    let mut span = (0.0_f64, 0.0_f64);
    let mut gain = |g: f64| span = (span.0.min(g), span.1.max(g));
    for (i, row) in range.enumerate() {
        if objective.design.weights[row] == 0.0 {
            continue;
        }
        match objective.loss {
            Loss::Binary(y) => gain(if y[row] == 1 { z[0][i] } else { -z[0][i] }),
            Loss::Classes(y, outputs) => {
                let truth = y[row] as usize;
                (0..outputs).filter(|k| *k != truth).for_each(|k| gain(z[truth][i] - z[k][i]));
            }
            Loss::Poisson(y) if y[row] == 0.0 => gain(-z[0][i]),
            // Any change of a mean above 0 costs in the end.
            Loss::Poisson(_) | Loss::Gamma(_) | Loss::Squares(_) => gain(-z[0][i].abs()),
        }
    }
    span
}

/// The error of a fit without a minimum.
pub(super) fn no_finite_coefficients(objective: &Objective<'_>, u: &[f64], algorithm: &str) -> FitError {
    let feature = objective.design.strongest(u);
    let (why, help) = match objective.loss {
        Loss::Binary(_) | Loss::Classes(..) => (
            "the inputs tell the classes apart without a mistake, wholly or for some values",
            "write `penalty = l2` (or leave `penalty` out), drop the input if it gives the output away, or give more rows",
        ),
        Loss::Poisson(_) | Loss::Gamma(_) | Loss::Squares(_) => (
            "the output is 0 wherever some inputs have certain values",
            "write an `alpha` above 0, or join rare levels of a category into one",
        ),
    };
    let message =
        format!("{algorithm} without a penalty has no finite coefficients here: {why} (most of all by `{feature}`)");
    FitError::data(message).help(help)
}
