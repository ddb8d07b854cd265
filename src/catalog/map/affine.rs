use dbjob_plan::Value;

use super::{Body, Inverse, Map};
use crate::catalog::Exactness;
use crate::catalog::options::{Default, OptionSpec, OptionType};

pub const AFFINE: Map = Map {
    name: "affine",
    options: &[
        OptionSpec { name: "a", ty: OptionType::Number, default: Default::Required, doc: "The factor; not 0" },
        OptionSpec { name: "b", ty: OptionType::Number, default: Default::Int(0), doc: "What is added" },
    ],
    valid: |option| match option("a").as_f64() {
        Some(0.0) => Err("by a factor of 0 all values become one".into()),
        _ => Ok(()),
    },
    body: Body::Formula { text: "a * x + b", domain: None },
    inverse: Inverse::Derived,
    exactness: |option| match (option("a"), option("b")) {
        (Value::Int(_), Value::Int(_)) => Exactness::Exact,
        _ => Exactness::Approximate,
    },
    doc: "a * x + b. An int stays one if a and b are ints.",
    example: "map celsius with affine(1.8, 32)",
};
