use super::{ANY, Body, Inverse, Map, fitted_float};
use crate::catalog::Exactness;

pub const MIN_MAX: Map = Map {
    name: "min_max",
    options: &[],
    valid: ANY,
    body: Body::Own(|input, _| fitted_float(input)),
    inverse: Inverse::Exists("x * scale + minimum"),
    exactness: |_| Exactness::Exact,
    doc: "(x - minimum) / (maximum - minimum) of the train part; zero spread: scale 1. Other rows may lie outside 0 to 1.",
    example: "map amount with min_max",
};
