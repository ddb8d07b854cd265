use dbjob_learn::Model;
use dbjob_learn::naive_bayes::{Kind, NaiveBayes};

use super::{softmax, spread, turned};
use crate::graph::{Attribute, Element, Graph, Tensor};

/// The softmax of the logarithms of share and density of each class.
pub(super) fn scores(model: &NaiveBayes, x: &Tensor, g: &mut Graph) -> Tensor {
    let (classes, width) = (model.priors().len() as i64, model.features().len());
    let (first, second, p) = (model.first(), model.second(), width as i64);
    let priors = g.floats(model.priors(), &[1, classes]);
    let z = match model.distribution() {
        Kind::Gaussian => {
            let means = g.floats(first, &[1, classes, p]);
            let variances = g.floats(second, &[1, classes, p]);
            let log_scale: Vec<f64> = second.iter().map(|v| -0.5 * (std::f64::consts::TAU * v).ln()).collect();
            let log_scale = g.floats(&log_scale, &[1, classes, p]);
            let (axis, two) = (g.ints(&[1], &[1]), g.float(2.0));
            let rows = g.op("Unsqueeze", &[x, &axis]);
            let off = g.op("Sub", &[&rows, &means]);
            let square = g.op("Mul", &[&off, &off]);
            let square = g.op("Div", &[&square, &variances]);
            let square = g.op("Div", &[&square, &two]);
            let density = g.op("Sub", &[&log_scale, &square]);
            g.sum(&density, 2)
        }
        Kind::Multinomial => {
            let weights = g.floats(&turned(first, width), &[p, classes]);
            g.op("MatMul", &[x, &weights])
        }
        Kind::Bernoulli => {
            let zero = g.float(0.0);
            let above = g.op("Greater", &[x, &zero]);
            let not = g.op("Not", &[&above]);
            let [above, not] = [&above, &not].map(|side| g.cast(side, Element::Float));
            let [there, gone] = [first, second].map(|rows| g.floats(&turned(rows, width), &[p, classes]));
            let (there, gone) = (g.op("MatMul", &[&above, &there]), g.op("MatMul", &[&not, &gone]));
            g.op("Add", &[&there, &gone])
        }
    };
    let z = g.op("Add", &[&z, &priors]);
    // So far from every class that all densities are 0: what is left are the shares.
    let most = g.op_with("ReduceMax", &[&z], vec![("axes", Attribute::Ints(vec![1])), ("keepdims", Attribute::Int(1))]);
    let lost = crate::map::not_finite(&most, g);
    let z = g.select(&lost, &priors, &z);
    let probabilities = softmax(&z, g);
    spread(probabilities, model.learned(), model.classes(), g)
}
