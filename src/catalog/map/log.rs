use super::{Domain, Map, formula};
use crate::range::Range;

pub const LOG: Map = formula(
    "log",
    "log(x)",
    Some(Domain {
        within: Range::POSITIVE,
        outside: "0 or less",
        filter: "{} > 0",
        declare: "in 0.01..",
        instead: Some("log1p"),
        trusting: false,
    }),
    "The natural logarithm; a value of 0 or less stops the run with its row.",
    "map income with log",
);
