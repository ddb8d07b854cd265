use super::{Map, formula};

pub const EXPM1: Map =
    formula("expm1", "expm1(x)", None, "e to the power of x, minus 1; exact near 0.", "map growth with expm1");
