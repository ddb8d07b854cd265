use super::Accepts::{Any, LiteralCount};
use super::{Function, Nulls, Param, ResultType, one, optional, row};

const fn of_order(
    name: &'static str,
    params: &'static [Param],
    result: ResultType,
    nulls: Nulls,
    doc: &'static str,
    example: &'static str,
) -> Function {
    Function { of_order: true, ..row(name, params, result, nulls, doc, example) }.ordered()
}

/// What only an ordered window has. Peers are rows with equal order keys.
pub const WINDOW: &[Function] = &[
    of_order(
        "lag",
        &[one("x", Any), optional("offset", LiteralCount), optional("default", Any)],
        ResultType::Same,
        Nulls::Elsewhere,
        "The value so many rows before, one if nothing is said; without such a row the default, or null",
        "lag(amount)",
    ),
    of_order(
        "lead",
        &[one("x", Any), optional("offset", LiteralCount), optional("default", Any)],
        ResultType::Same,
        Nulls::Elsewhere,
        "The value so many rows behind, one if nothing is said; without such a row the default, or null",
        "lead(amount, 2, default = 0.0)",
    ),
    of_order("row_number", &[], ResultType::Int, Nulls::Never, "1 for the first row, 2 for the next", "row_number()"),
    of_order(
        "rank",
        &[],
        ResultType::Int,
        Nulls::Never,
        "1 more than the number of rows before the first peer: peers share a rank, and the next ones are skipped",
        "rank()",
    ),
    of_order("dense_rank", &[], ResultType::Int, Nulls::Never, "As `rank`, but no rank is skipped", "dense_rank()"),
];
