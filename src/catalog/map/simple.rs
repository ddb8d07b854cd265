//! Maps without options that apply one function of mathematics.

use super::{Inverse, Map, float_of_number};
use crate::catalog::Exactness;

pub const LOG: Map = Map {
    name: "log",
    options: &[],
    output: |input, _| float_of_number(input, false),
    inverse: Inverse::Exists("exp"),
    exactness: |_| Exactness::Approximate,
    doc: "The natural logarithm; a value of 0 or less stops the run with its row.",
    example: "map income with log",
};

pub const EXP: Map = Map {
    name: "exp",
    options: &[],
    output: |input, _| float_of_number(input, false),
    inverse: Inverse::Exists("log"),
    exactness: |_| Exactness::Approximate,
    doc: "e to the power of x.",
    example: "map score with exp",
};

pub const EXPM1: Map = Map {
    name: "expm1",
    options: &[],
    output: |input, _| float_of_number(input, false),
    inverse: Inverse::Exists("log1p"),
    exactness: |_| Exactness::Approximate,
    doc: "e to the power of x, minus 1; exact near 0.",
    example: "map growth with expm1",
};

pub const SQRT: Map = Map {
    name: "sqrt",
    options: &[],
    output: |input, _| float_of_number(input, false),
    inverse: Inverse::Exists("square"),
    exactness: |_| Exactness::Exact,
    doc: "The square root; a negative value stops the run with its row.",
    example: "map area with sqrt",
};
