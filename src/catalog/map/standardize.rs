use super::{Inverse, Map, float_of_number};
use crate::catalog::Exactness;

pub const STANDARDIZE: Map = Map {
    name: "standardize",
    options: &[],
    output: |input, _| float_of_number(input, true),
    inverse: Inverse::Exists("x * scale + mean"),
    exactness: |_| Exactness::Approximate,
    doc: "(x - mean) / standard deviation of the train part (dividing by n, as scikit-learn's StandardScaler); zero spread: scale 1.",
    example: "map age with standardize",
};
