use super::{Domain, Map, formula};
use crate::range::Range;

pub const LOGIT: Map = formula(
    "logit",
    "-log(1.0 / x - 1.0)",
    Some(Domain {
        within: Range { low: 0.0, high: 1.0, above: true, below: true },
        outside: "0 or less, or 1 or more",
        filter: "{} > 0 and {} < 1",
        declare: "in 0.001..=0.999",
        instead: None,
        trusting: false,
    }),
    "The logarithm of the odds, ln(x / (1 - x)), of a share between 0 and 1; another value stops the run with its row.",
    "map click_rate with logit",
);
