use super::{Map, formula};

pub const SQUARE: Map = formula(
    "square",
    "x ** 2",
    None,
    "x times x. It is undone only where the column is known not to be negative.",
    "map side with square",
);
