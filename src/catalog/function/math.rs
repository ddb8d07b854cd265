use super::Accepts::{Float, LiteralInt, Number, Ordered};
use super::{Domain, Function, Nulls, ResultType, many, one, optional, row};

pub const MATH: &[Function] = &[
    row("abs", &[one("x", Number)], ResultType::Same, Nulls::FromAny, "Distance from zero", "abs(-3) == 3"),
    row("sign", &[one("x", Number)], ResultType::Sign, Nulls::FromAny, "-1, 0 or 1", "sign(-2.5) == -1.0"),
    row(
        "sqrt",
        &[one("x", Float)],
        ResultType::Float,
        Nulls::Domain(Domain::NonNegative),
        "Square root; null below 0",
        "sqrt(9.0) == 3.0",
    ),
    row("cbrt", &[one("x", Float)], ResultType::Float, Nulls::FromAny, "Cube root", "cbrt(-27.0) == -3.0")
        .approximate(),
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
        "Logarithm to base 2; null at or below 0",
        "log2(8.0) == 3.0",
    )
    .approximate(),
    row(
        "log10",
        &[one("x", Float)],
        ResultType::Float,
        Nulls::Domain(Domain::Positive),
        "Logarithm to base 10; null at or below 0",
        "log10(100.0) == 2.0",
    )
    .approximate(),
    row(
        "pow",
        &[one("x", Float), one("y", Float)],
        ResultType::Float,
        Nulls::FromAny,
        "x to the power of y; `x ** y` does the same",
        "pow(2, 10) == 1024.0",
    )
    .approximate(),
    row(
        "mod",
        &[one("x", Number), one("y", Number)],
        ResultType::Same,
        Nulls::FromAny,
        "The remainder, with the sign of y; `x % y` does the same; null where y is 0",
        "mod(-7, 3) == 2",
    ),
    row(
        "hypot",
        &[one("x", Float), one("y", Float)],
        ResultType::Float,
        Nulls::FromAny,
        "Length of the hypotenuse, sqrt(x * x + y * y)",
        "hypot(3, 4) == 5.0",
    )
    .approximate(),
    row("floor", &[one("x", Number)], ResultType::Int, Nulls::FromAny, "The next int below", "floor(-1.5) == -2"),
    row("ceil", &[one("x", Number)], ResultType::Int, Nulls::FromAny, "The next int above", "ceil(1.2) == 2"),
    row("trunc", &[one("x", Number)], ResultType::Int, Nulls::FromAny, "The int towards zero", "trunc(-1.5) == -1"),
    row(
        "round",
        &[one("x", Number), optional("digits", LiteralInt)],
        ResultType::Rounded,
        Nulls::FromAny,
        "Half away from zero, to a number of digits after the point (below 0: before it); a decimal stays one",
        "round(2.5) == 3.0",
    ),
    row("sin", &[one("x", Float)], ResultType::Float, Nulls::FromAny, "Sine of radians", "sin(0.0) == 0.0")
        .approximate(),
    row("cos", &[one("x", Float)], ResultType::Float, Nulls::FromAny, "Cosine of radians", "cos(0.0) == 1.0")
        .approximate(),
    row("tan", &[one("x", Float)], ResultType::Float, Nulls::FromAny, "Tangent of radians", "tan(0.0) == 0.0")
        .approximate(),
    row(
        "asin",
        &[one("x", Float)],
        ResultType::Float,
        Nulls::Domain(Domain::Unit),
        "Arc sine in radians; null outside of -1 to 1",
        "asin(0.0) == 0.0",
    )
    .approximate(),
    row(
        "acos",
        &[one("x", Float)],
        ResultType::Float,
        Nulls::Domain(Domain::Unit),
        "Arc cosine in radians; null outside of -1 to 1",
        "acos(1.0) == 0.0",
    )
    .approximate(),
    row("atan", &[one("x", Float)], ResultType::Float, Nulls::FromAny, "Arc tangent in radians", "atan(0.0) == 0.0")
        .approximate(),
    row(
        "atan2",
        &[one("y", Float), one("x", Float)],
        ResultType::Float,
        Nulls::FromAny,
        "Angle of the point (x, y) in radians, from -pi to pi",
        "atan2(0.0, 1.0) == 0.0",
    )
    .approximate(),
    row("sinh", &[one("x", Float)], ResultType::Float, Nulls::FromAny, "Hyperbolic sine", "sinh(0.0) == 0.0")
        .approximate(),
    row("cosh", &[one("x", Float)], ResultType::Float, Nulls::FromAny, "Hyperbolic cosine", "cosh(0.0) == 1.0")
        .approximate(),
    row("tanh", &[one("x", Float)], ResultType::Float, Nulls::FromAny, "Hyperbolic tangent", "tanh(0.0) == 0.0")
        .approximate(),
    row("degrees", &[one("x", Float)], ResultType::Float, Nulls::FromAny, "Radians in degrees", "degrees(0.0) == 0.0")
        .approximate(),
    row("radians", &[one("x", Float)], ResultType::Float, Nulls::FromAny, "Degrees in radians", "radians(0.0) == 0.0")
        .approximate(),
    row(
        "pi",
        &[],
        ResultType::Float,
        Nulls::Never,
        "The ratio of a circle's circumference to its diameter",
        "round(pi(), 2) == 3.14",
    ),
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
    row(
        "is_finite",
        &[one("x", Float)],
        ResultType::Bool,
        Nulls::FromAny,
        "Whether it is a number, and not infinite",
        "is_finite(0.5)",
    ),
    row(
        "is_infinite",
        &[one("x", Float)],
        ResultType::Bool,
        Nulls::FromAny,
        "Whether it is infinite",
        "is_infinite(0.5) == false",
    ),
];
