use super::{ANY, Body, Inverse, Map, fitted_float};
use crate::catalog::Exactness;

pub const ROBUST: Map = Map {
    name: "robust",
    options: &[],
    valid: ANY,
    body: Body::Own(|input, _| fitted_float(input)),
    inverse: Inverse::Exists("x * scale + median"),
    exactness: |_| Exactness::Exact,
    doc: "(x - median) / (upper - lower quartile) of the train part, which outliers hardly move (as scikit-learn's \
          RobustScaler); zero spread: scale 1.",
    example: "map income with robust",
};
