use super::Accepts::{CastFrom, LiteralText};
use super::{Function, Kind, Nulls, ResultType, one, optional, row};

const TO_INT: &[Kind] = &[Kind::Int, Kind::Float, Kind::Bool, Kind::Text];
const TO_FLOAT: &[Kind] = &[Kind::Int, Kind::Float, Kind::Bool, Kind::Text];
const TO_BOOL: &[Kind] = &[Kind::Bool, Kind::Int, Kind::Text];
const TO_STRING: &[Kind] = &[Kind::Int, Kind::Bool, Kind::Text, Kind::Date, Kind::Datetime];
const TO_DATE: &[Kind] = &[Kind::Date, Kind::Datetime, Kind::Text];
const TO_DATETIME: &[Kind] = &[Kind::Date, Kind::Datetime, Kind::Text];

pub const CAST: &[Function] = &[
    row(
        "int",
        &[one("x", CastFrom(TO_INT))],
        ResultType::Int,
        Nulls::FromAny,
        "As an int: a float towards zero, a bool as 0 or 1, a text strictly; a failure names the row",
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
        "As a text; dates in ISO form",
        "string(12) == \"12\"",
    ),
    row(
        "date",
        &[one("x", CastFrom(TO_DATE)), optional("format", LiteralText(&[]))],
        ResultType::Date,
        Nulls::FromAny,
        "As a date; a text in ISO form or in a strftime format",
        "date(\"31.01.2024\", format = \"%d.%m.%Y\") == @2024-01-31",
    ),
    row(
        "datetime",
        &[one("x", CastFrom(TO_DATETIME)), optional("format", LiteralText(&[]))],
        ResultType::Datetime,
        Nulls::FromAny,
        "As a datetime in UTC; a date is its midnight",
        "datetime(@2024-01-31) == @2024-01-31T00:00:00",
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
        "try_bool",
        &[one("x", CastFrom(TO_BOOL))],
        ResultType::Bool,
        Nulls::Always,
        "As `bool`, but null where it fails",
        "try_bool(\"x\") is null",
    ),
    row(
        "try_date",
        &[one("x", CastFrom(TO_DATE)), optional("format", LiteralText(&[]))],
        ResultType::Date,
        Nulls::Always,
        "As `date`, but null where it fails",
        "try_date(\"x\") is null",
    ),
    row(
        "try_datetime",
        &[one("x", CastFrom(TO_DATETIME)), optional("format", LiteralText(&[]))],
        ResultType::Datetime,
        Nulls::Always,
        "As `datetime`, but null where it fails",
        "try_datetime(\"x\") is null",
    ),
];
