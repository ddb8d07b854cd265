use super::{Domain, Map, formula};
use crate::range::Range;

pub const RECIPROCAL: Map = formula(
    "reciprocal",
    "1.0 / x",
    Some(Domain {
        within: Range::POSITIVE,
        outside: "0",
        filter: "{} > 0",
        declare: "in 0.01..",
        instead: None,
        trusting: false,
    }),
    "1 / x; a 0 stops the run with its row.",
    "map seconds_per_lap with reciprocal",
);
