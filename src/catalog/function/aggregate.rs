use super::Accepts::{Any, Bool, Comparable, Float, LiteralShare, Ordered, Rate, Summable};
use super::{Function, Nulls, Param, ResultType, one, optional, row};

/// The rows that the examples speak of.
pub const ROWS: &str = r#"[
  { shop: "A", amount: 10.0, items: 2, returned: false },
  { shop: "A", amount: 30.0, items: 1, returned: true },
  { shop: "B", amount: 20.0, items: 3, returned: null },
]"#;

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
        "count() == 3",
    ),
    over(
        "count_distinct",
        &[one("x", Comparable)],
        ResultType::Int,
        Nulls::Never,
        "Number of different values that are not null",
        "count_distinct(shop) == 2",
    ),
    over(
        "sum",
        &[one("x", Summable)],
        ResultType::Sum,
        Nulls::FromAny,
        "Sum; of bools the number of true ones; null of nothing",
        "sum(amount) == 60.0",
    )
    .approximate(),
    over(
        "mean",
        &[one("x", Rate)],
        ResultType::Float,
        Nulls::FromAny,
        "Arithmetic mean; of bools the share of true ones",
        "mean(amount) == 20.0",
    )
    .approximate(),
    over("min", &[one("x", Ordered)], ResultType::Same, Nulls::FromAny, "Least value", "min(amount) == 10.0"),
    over("max", &[one("x", Ordered)], ResultType::Same, Nulls::FromAny, "Greatest value", "max(amount) == 30.0"),
    over(
        "median",
        &[one("x", Float)],
        ResultType::Float,
        Nulls::FromAny,
        "Middle value, or the mean of the middle two",
        "median(amount) == 20.0",
    ),
    over(
        "quantile",
        &[one("x", Float), one("q", LiteralShare)],
        ResultType::Float,
        Nulls::FromAny,
        "Value below which the share q lies, interpolated linearly",
        "quantile(amount, 0.25) == 15.0",
    ),
    over(
        "std",
        &[one("x", Float)],
        ResultType::Float,
        Nulls::Always,
        "Standard deviation, dividing by n - 1; null of a single value",
        "std(amount) == 10.0",
    )
    .approximate(),
    over(
        "var",
        &[one("x", Float)],
        ResultType::Float,
        Nulls::Always,
        "Variance, dividing by n - 1; null of a single value",
        "var(amount) == 100.0",
    )
    .approximate(),
    over(
        "cov",
        &[one("x", Float), one("y", Float)],
        ResultType::Float,
        Nulls::Always,
        "Covariance of the pairs without a null, dividing by n - 1; null of a single pair",
        "cov(amount, items) == -5.0",
    )
    .approximate(),
    over(
        "corr",
        &[one("x", Float), one("y", Float)],
        ResultType::Float,
        Nulls::Always,
        "Pearson's correlation of the pairs without a null; null where one does not vary",
        "round(corr(amount, items), 9) == -0.5",
    )
    .approximate(),
    over("any", &[one("x", Bool)], ResultType::Bool, Nulls::FromAny, "Whether one is true", "any(returned)"),
    over("all", &[one("x", Bool)], ResultType::Bool, Nulls::FromAny, "Whether all are true", "all(returned) == false"),
    over(
        "first",
        &[one("x", Any)],
        ResultType::Same,
        Nulls::FromAny,
        "The first value in row order",
        "first(amount) == 10.0",
    )
    .ordered(),
    over(
        "last",
        &[one("x", Any)],
        ResultType::Same,
        Nulls::FromAny,
        "The last value in row order",
        "last(amount) == 20.0",
    )
    .ordered(),
    over(
        "min_by",
        &[one("x", Any), one("by", Ordered)],
        ResultType::Same,
        Nulls::Always,
        "The value of the row where `by` is least, the first of several",
        "min_by(shop, items) == \"A\"",
    )
    .ordered(),
    over(
        "max_by",
        &[one("x", Any), one("by", Ordered)],
        ResultType::Same,
        Nulls::Always,
        "The value of the row where `by` is greatest, the first of several",
        "max_by(shop, items) == \"B\"",
    )
    .ordered(),
    over(
        "mode",
        &[one("x", Ordered)],
        ResultType::Same,
        Nulls::FromAny,
        "The least of the most frequent values",
        "mode(shop) == \"A\"",
    ),
    over(
        "list",
        &[one("x", Any)],
        ResultType::List,
        Nulls::Never,
        "The values that are not null as a list, in row order",
        "length(list(returned)) == 2",
    )
    .ordered(),
];
