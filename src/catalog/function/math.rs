use super::Accepts::{Float, LiteralInt, Number, Ordered};
use super::{Domain, Function, Nulls, ResultType, many, one, optional, row};

pub const MATH: &[Function] = &[
    row("abs", &[one("x", Number)], ResultType::Same, Nulls::FromAny, "Distance from zero", "abs(-3) == 3"),
    row("sign", &[one("x", Number)], ResultType::Same, Nulls::FromAny, "-1, 0 or 1", "sign(-2.5) == -1.0"),
    row(
        "sqrt",
        &[one("x", Float)],
        ResultType::Float,
        Nulls::Domain(Domain::NonNegative),
        "Square root; null below 0",
        "sqrt(9.0) == 3.0",
    ),
    row("exp", &[one("x", Float)], ResultType::Float, Nulls::FromAny, "e to the power of x", "exp(0.0) == 1.0")
        .approximate(),
    row(
        "expm1",
        &[one("x", Float)],
        ResultType::Float,
        Nulls::FromAny,
        "exp(x) - 1, exact near 0",
        "expm1(0.0) == 0.0",
    )
    .approximate(),
    row(
        "log",
        &[one("x", Float), optional("base", Float)],
        ResultType::Float,
        Nulls::Domain(Domain::Positive),
        "Natural logarithm, or to a base; null at or below 0",
        "log(8.0, 2.0) == 3.0",
    )
    .approximate(),
    row(
        "log1p",
        &[one("x", Float)],
        ResultType::Float,
        Nulls::Domain(Domain::AboveMinusOne),
        "ln(1 + x), exact near 0; null at or below -1",
        "log1p(0.0) == 0.0",
    )
    .approximate(),
    row(
        "log2",
        &[one("x", Float)],
        ResultType::Float,
        Nulls::Domain(Domain::Positive),
        "Logarithm to base 2",
        "log2(8.0) == 3.0",
    )
    .approximate(),
    row(
        "log10",
        &[one("x", Float)],
        ResultType::Float,
        Nulls::Domain(Domain::Positive),
        "Logarithm to base 10",
        "log10(100.0) == 2.0",
    )
    .approximate(),
    row("floor", &[one("x", Float)], ResultType::Int, Nulls::FromAny, "The next int below", "floor(-1.5) == -2"),
    row("ceil", &[one("x", Float)], ResultType::Int, Nulls::FromAny, "The next int above", "ceil(1.2) == 2"),
    row(
        "round",
        &[one("x", Float), optional("digits", LiteralInt)],
        ResultType::Float,
        Nulls::FromAny,
        "Half away from zero, to a number of digits",
        "round(2.5) == 3.0",
    ),
    row("sin", &[one("x", Float)], ResultType::Float, Nulls::FromAny, "Sine of radians", "sin(0.0) == 0.0")
        .approximate(),
    row("cos", &[one("x", Float)], ResultType::Float, Nulls::FromAny, "Cosine of radians", "cos(0.0) == 1.0")
        .approximate(),
    row("tan", &[one("x", Float)], ResultType::Float, Nulls::FromAny, "Tangent of radians", "tan(0.0) == 0.0")
        .approximate(),
    row(
        "greatest",
        &[many("x", Ordered)],
        ResultType::Same,
        Nulls::FromAll,
        "The greatest of the values that are not null",
        "greatest(1, 3, 2) == 3",
    ),
    row(
        "least",
        &[many("x", Ordered)],
        ResultType::Same,
        Nulls::FromAll,
        "The least of the values that are not null",
        "least(1, 3, 2) == 1",
    ),
    row(
        "clip",
        &[one("x", Number), one("low", Number), one("high", Number)],
        ResultType::Same,
        Nulls::FromAny,
        "x, but not below low and not above high",
        "clip(12, 0, 10) == 10",
    ),
    row(
        "is_nan",
        &[one("x", Float)],
        ResultType::Bool,
        Nulls::FromAny,
        "Whether it is not a number",
        "is_nan(0.5) == false",
    ),
];
