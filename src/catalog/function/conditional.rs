use super::Accepts::{Any, Comparable, First};
use super::{Function, Nulls, ResultType, many, one, row};

pub const CONDITIONAL: &[Function] = &[
    row(
        "coalesce",
        &[many("x", Any)],
        ResultType::Same,
        Nulls::FromAll,
        "The first that is not null; `a ?? b` does the same",
        "coalesce(null, 2, 3) == 2",
    ),
    row(
        "nullif",
        &[one("x", Comparable), one("y", First)],
        ResultType::Same,
        Nulls::Always,
        "x, but null where it equals y",
        "nullif(\"NA\", \"NA\") is null",
    ),
];
