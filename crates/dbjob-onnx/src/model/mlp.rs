use dbjob_learn::Model;
use dbjob_learn::mlp::{Activation, Layer, MlpModel};

use super::{of_two, softmax, spread};
use crate::graph::{Graph, Tensor};

/// The layers one after another. dbjob sums their products as 32-bit floats, in an order of its own; here they are doubles, so
/// that nothing but that rounding is between the two.
pub(super) fn scores(model: &MlpModel, x: &Tensor, g: &mut Graph) -> Tensor {
    let layers: Vec<Layer<'_>> = model.layers().collect();
    let mut values = g.rounded_to_single(x);
    for (at, layer) in layers.iter().enumerate() {
        let (inputs, outputs) = (layer.inputs as i64, layer.outputs as i64);
        let [weights, biases] = [layer.weights, layer.biases].map(doubles);
        let (weights, biases) = (g.floats(&weights, &[inputs, outputs]), g.floats(&biases, &[1, outputs]));
        let sums = g.op("MatMul", &[&values, &weights]);
        values = g.op("Add", &[&sums, &biases]);
        if at + 1 < layers.len() {
            let activation = match model.activation() {
                Activation::Relu => "Relu",
                Activation::Tanh => "Tanh",
                Activation::Sigmoid => "Sigmoid",
            };
            values = g.op(activation, &[&values]);
        }
    }
    let probabilities = match model.learned().len() {
        0 => {
            let (centre, unit) = model.scale();
            let (centre, unit) = (g.float(centre), g.float(unit));
            let scaled = g.op("Mul", &[&values, &unit]);
            return g.op("Add", &[&scaled, &centre]);
        }
        2 => {
            let second = g.op("Sigmoid", &[&values]);
            of_two(&second, g)
        }
        _ => softmax(&values, g),
    };
    spread(probabilities, model.learned(), model.classes(), g)
}

fn doubles(values: &[f32]) -> Vec<f64> {
    values.iter().map(|v| f64::from(*v)).collect()
}
