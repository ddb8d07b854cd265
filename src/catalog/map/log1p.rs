use super::{Domain, Map, formula};
use crate::range::Range;

pub const LOG1P: Map = formula(
    "log1p",
    "log1p(x)",
    Some(Domain {
        within: Range { low: -1.0, above: true, ..Range::ALL },
        outside: "-1 or less",
        filter: "{} > -1",
        declare: "in 0..",
        instead: None,
        trusting: true,
    }),
    "ln(1 + x), exact near 0; a value of -1 or less stops the run with its row.",
    "map price with log1p",
);
