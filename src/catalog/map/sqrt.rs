use super::{Domain, Map, formula};
use crate::range::Range;

pub const SQRT: Map = formula(
    "sqrt",
    "sqrt(x)",
    Some(Domain {
        within: Range::NON_NEGATIVE,
        outside: "negative",
        filter: "{} >= 0",
        declare: "in 0..",
        instead: None,
        trusting: false,
    }),
    "The square root; a negative value stops the run with its row.",
    "map area with sqrt",
);
