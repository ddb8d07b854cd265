//! Functions of floats that ONNX has not, or not as the language has them.

use crate::graph::{Element, Graph, Tensor};

/// ln(1 + x) without a loss near 0.
/// Source: W. Kahan, quoted in N. Higham, "Accuracy and Stability of Numerical Algorithms", section 1.14.1.
pub(crate) fn log1p(x: &Tensor, g: &mut Graph) -> Tensor {
    let one = g.float(1.0);
    let u = g.op("Add", &[x, &one]);
    let off = g.op("Sub", &[&u, &one]);
    let log = g.op("Log", &[&u]);
    let put_right = {
        let product = g.op("Mul", &[&log, x]);
        g.op("Div", &[&product, &off])
    };
    let (same, infinite) = (g.op("Equal", &[&u, &one]), g.op("IsInf", &[&u]));
    let near = g.select(&same, x, &put_right);
    g.select(&infinite, &log, &near)
}

/// e^x - 1 without a loss near 0. Source: as above, algorithm 2.
pub(crate) fn expm1(x: &Tensor, g: &mut Graph) -> Tensor {
    let (one, zero) = (g.float(1.0), g.float(0.0));
    let u = g.op("Exp", &[x]);
    let off = g.op("Sub", &[&u, &one]);
    let put_right = {
        let product = g.op("Mul", &[&off, x]);
        let log = g.op("Log", &[&u]);
        g.op("Div", &[&product, &log])
    };
    let (same, infinite, gone) = (g.op("Equal", &[&u, &one]), g.op("IsInf", &[&u]), g.op("Equal", &[&u, &zero]));
    let near = g.select(&same, x, &put_right);
    let ends = g.op("Or", &[&infinite, &gone]);
    g.select(&ends, &off, &near)
}

/// Half away from zero.
pub(crate) fn round(x: &Tensor, g: &mut Graph) -> Tensor {
    let (size, sign, half) = (g.op("Abs", &[x]), g.op("Sign", &[x]), g.float(0.5));
    let whole = g.op("Floor", &[&size]);
    let rest = g.op("Sub", &[&size, &whole]);
    let up = g.op("GreaterOrEqual", &[&rest, &half]);
    let up = g.cast(&up, Element::Float);
    let rounded = g.op("Add", &[&whole, &up]);
    g.op("Mul", &[&rounded, &sign])
}

/// Towards zero.
pub(super) fn trunc(x: &Tensor, g: &mut Graph) -> Tensor {
    let (size, sign) = (g.op("Abs", &[x]), g.op("Sign", &[x]));
    let whole = g.op("Floor", &[&size]);
    g.op("Mul", &[&whole, &sign])
}
