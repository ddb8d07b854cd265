use super::Accepts::{CastFrom, DayFormat, Digits, Numbers, Scale, Width};
use super::{Function, Kind, Nulls, ResultType, one, optional, row};

const TO_INT: &[Kind] = &[Kind::Int, Kind::Float, Kind::Decimal, Kind::Bool, Kind::Text];
const TO_FLOAT: &[Kind] = &[Kind::Int, Kind::Float, Kind::Decimal, Kind::Bool, Kind::Text];
const TO_DECIMAL: &[Kind] = &[Kind::Int, Kind::Float, Kind::Decimal, Kind::Text];
const TO_BOOL: &[Kind] = &[Kind::Bool, Kind::Int, Kind::Text];
const TO_STRING: &[Kind] = &[Kind::Int, Kind::Float, Kind::Decimal, Kind::Bool, Kind::Text, Kind::Date, Kind::Datetime];
const TO_DATE: &[Kind] = &[Kind::Date, Kind::Datetime, Kind::Text];
const TO_DATETIME: &[Kind] = &[Kind::Date, Kind::Datetime, Kind::Text];

pub const CAST: &[Function] = &[
    row(
        "int",
        &[one("x", CastFrom(TO_INT))],
        ResultType::Int,
        Nulls::FromAny,
        "As an int: a float or decimal towards zero, a bool as 0 or 1, a text strictly; a failure names the row",
        "int(\"12\") == 12",
    ),
    row(
        "float",
        &[one("x", CastFrom(TO_FLOAT))],
        ResultType::Float,
        Nulls::FromAny,
        "As a float",
        "float(\"1.5\") == 1.5",
    ),
    row(
        "decimal",
        &[one("x", CastFrom(TO_DECIMAL)), one("p", Digits), one("s", Scale)],
        ResultType::Decimal,
        Nulls::FromAny,
        "As a decimal of p digits, s of them after the point: a number rounded half away from zero, a text strictly; a failure names the row",
        "string(decimal(2.345, 10, 2)) == \"2.35\"",
    ),
    row(
        "bool",
        &[one("x", CastFrom(TO_BOOL))],
        ResultType::Bool,
        Nulls::FromAny,
        "As a bool: 0 is false and any other int true; the texts true and false",
        "bool(\"true\")",
    ),
    row(
        "string",
        &[one("x", CastFrom(TO_STRING))],
        ResultType::String,
        Nulls::FromAny,
        "As a text: dates in ISO form, floats with as many digits as they need, decimals with all of theirs",
        "string(12) == \"12\"",
    ),
    row(
        "date",
        &[one("x", CastFrom(TO_DATE)), optional("format", DayFormat)],
        ResultType::Date,
        Nulls::FromAny,
        "As a date; a text in ISO form or in a strftime format",
        "date(\"31.01.2024\", format = \"%d.%m.%Y\") == @2024-01-31",
    ),
    row(
        "datetime",
        &[one("x", CastFrom(TO_DATETIME)), optional("format", DayFormat)],
        ResultType::Datetime,
        Nulls::FromAny,
        "As a datetime in UTC; a date is its midnight",
        "datetime(@2024-01-31) == @2024-01-31T00:00:00",
    ),
    row(
        "vector",
        &[one("xs", Numbers), one("n", Width)],
        ResultType::Vector,
        Nulls::FromAny,
        "A list of numbers as a vector; another length or a null in it stops the run",
        "length(vector([1, 2], 2)) == 2",
    ),
    row(
        "try_int",
        &[one("x", CastFrom(TO_INT))],
        ResultType::Int,
        Nulls::Always,
        "As `int`, but null where it fails",
        "try_int(\"x\") is null",
    ),
    row(
        "try_float",
        &[one("x", CastFrom(TO_FLOAT))],
        ResultType::Float,
        Nulls::Always,
        "As `float`, but null where it fails",
        "try_float(\"x\") is null",
    ),
    row(
        "try_decimal",
        &[one("x", CastFrom(TO_DECIMAL)), one("p", Digits), one("s", Scale)],
        ResultType::Decimal,
        Nulls::Always,
        "As `decimal`, but null where it fails",
        "try_decimal(\"x\", 10, 2) is null",
    ),
    row(
        "try_bool",
        &[one("x", CastFrom(TO_BOOL))],
        ResultType::Bool,
        Nulls::Always,
        "As `bool`, but null where it fails",
        "try_bool(\"x\") is null",
    ),
    row(
        "try_date",
        &[one("x", CastFrom(TO_DATE)), optional("format", DayFormat)],
        ResultType::Date,
        Nulls::Always,
        "As `date`, but null where it fails",
        "try_date(\"x\") is null",
    ),
    row(
        "try_datetime",
        &[one("x", CastFrom(TO_DATETIME)), optional("format", DayFormat)],
        ResultType::Datetime,
        Nulls::Always,
        "As `datetime`, but null where it fails",
        "try_datetime(\"x\") is null",
    ),
];
