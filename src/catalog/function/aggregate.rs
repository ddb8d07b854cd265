use super::Accepts::{Any, Bool, Float, LiteralShare, Ordered, Summable};
use super::{Function, Nulls, Param, ResultType, one, optional, row};

const fn over(
    name: &'static str,
    params: &'static [Param],
    result: ResultType,
    nulls: Nulls,
    doc: &'static str,
    example: &'static str,
) -> Function {
    Function { aggregate: true, ..row(name, params, result, nulls, doc, example) }
}

/// `Nulls::FromAny` holds in `group`, where no group is empty; over a whole table, which may be, all but counts may be null.
pub const AGGREGATE: &[Function] = &[
    over(
        "count",
        &[optional("x", Any)],
        ResultType::Int,
        Nulls::Never,
        "Number of rows, or of values that are not null",
        "count()",
    ),
    over(
        "count_distinct",
        &[one("x", Any)],
        ResultType::Int,
        Nulls::Never,
        "Number of different values that are not null",
        "count_distinct(user_id)",
    ),
    over(
        "sum",
        &[one("x", Summable)],
        ResultType::Sum,
        Nulls::FromAny,
        "Sum; of bools the number of true ones; null of nothing",
        "sum(amount)",
    )
    .approximate(),
    over("mean", &[one("x", Float)], ResultType::Float, Nulls::FromAny, "Arithmetic mean", "mean(amount)")
        .approximate(),
    over("min", &[one("x", Ordered)], ResultType::Same, Nulls::FromAny, "Least value", "min(amount)"),
    over("max", &[one("x", Ordered)], ResultType::Same, Nulls::FromAny, "Greatest value", "max(amount)"),
    over(
        "median",
        &[one("x", Float)],
        ResultType::Float,
        Nulls::FromAny,
        "Middle value, or the mean of the middle two",
        "median(amount)",
    ),
    over(
        "quantile",
        &[one("x", Float), one("q", LiteralShare)],
        ResultType::Float,
        Nulls::FromAny,
        "Value below which the share q lies, interpolated linearly",
        "quantile(amount, 0.9)",
    ),
    over(
        "std",
        &[one("x", Float)],
        ResultType::Float,
        Nulls::Always,
        "Standard deviation, dividing by n - 1",
        "std(amount)",
    )
    .approximate(),
    over("var", &[one("x", Float)], ResultType::Float, Nulls::Always, "Variance, dividing by n - 1", "var(amount)")
        .approximate(),
    over("any", &[one("x", Bool)], ResultType::Bool, Nulls::FromAny, "Whether one is true", "any(returned)"),
    over("all", &[one("x", Bool)], ResultType::Bool, Nulls::FromAny, "Whether all are true", "all(returned)"),
    over("first", &[one("x", Any)], ResultType::Same, Nulls::FromAny, "The first value in row order", "first(amount)")
        .ordered(),
    over("last", &[one("x", Any)], ResultType::Same, Nulls::FromAny, "The last value in row order", "last(amount)")
        .ordered(),
    over(
        "mode",
        &[one("x", Ordered)],
        ResultType::Same,
        Nulls::FromAny,
        "The least of the most frequent values",
        "mode(country)",
    ),
];
