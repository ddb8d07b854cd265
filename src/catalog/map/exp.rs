use super::{Map, formula};

pub const EXP: Map = formula("exp", "exp(x)", None, "e to the power of x.", "map score with exp");
