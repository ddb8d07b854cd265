use dbjob_learn::linear::{LinearModel, Link};

use super::{of_two, softmax, spread, turned};
use crate::graph::{Graph, Tensor};

/// intercept + Σ coefficient · feature, and what its link makes of it.
pub(super) fn scores(model: &LinearModel, features: usize, classes: usize, x: &Tensor, g: &mut Graph) -> Tensor {
    let outputs = model.intercepts().len() as i64;
    let coefficients = g.floats(&turned(model.coefficients(), features), &[features as i64, outputs]);
    let intercepts = g.floats(model.intercepts(), &[1, outputs]);
    let z = g.op("MatMul", &[x, &coefficients]);
    let z = g.op("Add", &[&z, &intercepts]);
    let probabilities = match (model.learned().len(), model.link()) {
        (0, Link::Identity) => return z,
        (0, Link::Log) => return g.op("Exp", &[&z]),
        (2, _) => {
            let second = g.op("Sigmoid", &[&z]);
            of_two(&second, g)
        }
        _ => softmax(&z, g),
    };
    spread(probabilities, model.learned(), classes, g)
}
