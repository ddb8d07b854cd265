use super::{ANY, Body, Inverse, Map, fitted_float};
use crate::catalog::Exactness;

pub const POWER: Map = Map {
    name: "power",
    options: &[],
    valid: ANY,
    body: Body::Own(|input, _| fitted_float(input)),
    inverse: Inverse::Exists("the power undone, then x * scale + mean"),
    exactness: |_| Exactness::Approximate,
    doc: "The power of Yeo and Johnson that makes the train part most like a normal distribution, then `standardize` \
          (as scikit-learn's PowerTransformer); zero spread: scale 1. Of the powers only those are looked at that can \
          be undone to nine digits.",
    example: "map income with power",
};
