use dbjob_learn::Model;
use dbjob_learn::cluster::Centers;

use crate::graph::{Attribute, Element, Graph, Tensor};

/// The number of the nearest centre, the first of equally near ones.
pub(super) fn scores(model: &Centers, x: &Tensor, g: &mut Graph) -> Tensor {
    let (count, width) = (model.count() as i64, model.features().len() as i64);
    let centers = g.floats(&model.centers(), &[1, count, width]);
    let axis = g.ints(&[1], &[1]);
    let rows = g.op("Unsqueeze", &[x, &axis]);
    let off = g.op("Sub", &[&rows, &centers]);
    let squares = g.op("Mul", &[&off, &off]);
    let distances = g.sum(&squares, 2);
    let nearest =
        g.op_with("ArgMin", &[&distances], vec![("axis", Attribute::Int(1)), ("keepdims", Attribute::Int(1))]);
    g.cast(&nearest, Element::Float)
}
