use super::{ANY, Body, Inverse, Map, fitted_float};
use crate::catalog::Exactness;

pub const STANDARDIZE: Map = Map {
    name: "standardize",
    options: &[],
    valid: ANY,
    body: Body::Own(|input, _| fitted_float(input)),
    inverse: Inverse::Exists("x * scale + mean"),
    exactness: |_| Exactness::Approximate,
    doc: "(x - mean) / standard deviation of the train part (dividing by n, as scikit-learn's StandardScaler); zero \
          spread: scale 1.",
    example: "map age with standardize",
};
