use super::{Inverse, Map, MapOutput, float_of_number};
use crate::catalog::Exactness;

pub const LOG1P: Map = Map {
    name: "log1p",
    options: &[],
    output: |input, _| float_of_number(input, false).map(|out| MapOutput { ..out }),
    inverse: Inverse::Exists("expm1"),
    exactness: |_| Exactness::Approximate,
    doc: "ln(1 + x); a value of -1 or less stops the run with its row.",
    example: "map price with log1p",
};
