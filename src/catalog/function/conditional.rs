use super::Accepts::Any;
use super::{Function, Nulls, ResultType, many, row};

pub const CONDITIONAL: &[Function] = &[row(
    "coalesce",
    &[many("x", Any)],
    ResultType::Same,
    Nulls::FromAll,
    "The first that is not null; `a ?? b` does the same",
    "coalesce(null, 2, 3) == 2",
)];
