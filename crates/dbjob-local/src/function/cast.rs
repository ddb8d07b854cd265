use std::sync::Arc;

use dbjob_plan::{DataType, RunError, civil_date, civil_datetime, parse};
use polars::prelude::{self as pl, Column, IntoColumn, PolarsResult, TimeUnit};

use super::{Call, math};
use crate::decimal;
use crate::udf::{fallible, map1};

pub(super) const NAMES: &[&str] = &[
    "int",
    "float",
    "decimal",
    "bool",
    "string",
    "date",
    "datetime",
    "try_int",
    "try_float",
    "try_decimal",
    "try_bool",
    "try_date",
    "try_datetime",
];

/// Converts one batch. A value without a counterpart becomes null if the flag says lenient; else `Err` holds the
/// text of the first one.
type Convert = Arc<dyn Fn(&Column, bool) -> PolarsResult<Result<Column, String>> + Send + Sync>;

pub(super) fn lower(call: &Call<'_>) -> Result<Option<pl::Expr>, RunError> {
    if !NAMES.contains(&call.name) {
        return Ok(None);
    }
    let (target, lenient) = match call.name.strip_prefix("try_") {
        Some(target) => (target, true),
        None => (call.name, false),
    };
    let from = &call.args[0].dtype;
    let x = call.arg(0);
    let us = TimeUnit::Microseconds;
    let moment = pl::DataType::Datetime(us, None);
    let total = match (target, from) {
        ("int", DataType::Int)
        | ("float", DataType::Float)
        | ("bool", DataType::Bool)
        | ("date", DataType::Date)
        | ("datetime", DataType::Datetime) => Some(x.clone()),
        ("int", DataType::Bool | DataType::Date | DataType::Datetime | DataType::Duration) => {
            Some(x.clone().cast(pl::DataType::Int64))
        }
        ("float", DataType::Int | DataType::Bool) => Some(x.clone().cast(pl::DataType::Float64)),
        ("float", DataType::Date | DataType::Datetime | DataType::Duration) => {
            Some(x.clone().cast(pl::DataType::Int64).cast(pl::DataType::Float64))
        }
        ("bool", DataType::Int) => Some(x.clone().neq(pl::lit(0_i64))),
        ("bool", DataType::Float) => Some(x.clone().neq(pl::lit(0.0))),
        ("date", DataType::Datetime) => Some(x.clone().dt().date()),
        ("datetime", DataType::Date) => Some(x.clone().cast(moment.clone())),
        ("string", _) => Some(to_text(x.clone(), from)),
        ("int", DataType::Decimal { scale, .. }) if lenient => Some(decimal::try_int(x.clone(), *scale)),
        ("int", DataType::Decimal { .. }) => {
            Some(decimal::to_int(x.clone(), from, |v, unit| v / unit, "int", call.scope))
        }
        ("float", DataType::Decimal { scale, .. }) => Some(decimal::to_float(x.clone(), *scale)),
        ("decimal", DataType::Int | DataType::Float | DataType::Decimal { .. }) => {
            Some(decimal::of_number(x.clone(), from, &call.whole.dtype, lenient, call.scope))
        }
        _ => None,
    };
    if let Some(total) = total {
        return Ok(Some(total));
    }
    let format: Option<Arc<str>> = call.text(1).map(Arc::from);
    let (out, convert): (pl::DataType, Convert) = match (target, from) {
        ("int", DataType::Float) => (pl::DataType::Int64, Arc::new(float_to_int)),
        ("int", _) => (pl::DataType::Int64, from_text::<pl::Int64Type>(parse::int)),
        ("float", _) => (pl::DataType::Float64, from_text::<pl::Float64Type>(parse::float)),
        ("decimal", _) => {
            let out = decimal::digits(&call.whole.dtype).expect("a decimal");
            (crate::types::polars_type(&call.whole.dtype), Arc::new(move |c, lenient| text_to_decimal(c, out, lenient)))
        }
        ("bool", _) => (pl::DataType::Boolean, from_text::<pl::BooleanType>(parse::bool)),
        ("date", _) => {
            let read: Box<dyn Fn(&str) -> Option<i32> + Send + Sync> = match format {
                Some(format) => Box::new(move |s| parse::date_as(s, &format)),
                None => Box::new(parse::date),
            };
            (pl::DataType::Date, from_text::<pl::Int32Type>(read))
        }
        _ => {
            let read: Box<dyn Fn(&str) -> Option<i64> + Send + Sync> = match format {
                Some(format) => Box::new(move |s| parse::datetime_as(s, &format)),
                None => Box::new(parse::datetime),
            };
            (moment, from_text::<pl::Int64Type>(read))
        }
    };
    let reporter = call.scope.reporter();
    let what = target.to_string();
    let to = out.clone();
    let run = move |c: &Column| match convert(c, lenient)? {
        Ok(done) => done.cast(&to),
        Err(text) => {
            let message = format!("{what}({text}) failed: {text} is no {what}");
            Err(reporter.fail("E0710", message, Some(text)))
        }
    };
    Ok(Some(if lenient { map1(x, out, run) } else { fallible(vec![call.scope.guard(x)], out, move |c| run(&c[0])) }))
}

/// Towards zero, as in SQL.
fn float_to_int(c: &Column, lenient: bool) -> PolarsResult<Result<Column, String>> {
    let mut out = Vec::with_capacity(c.len());
    for x in c.f64()?.iter() {
        out.push(match x {
            None => None,
            Some(x) => match math::int_of(x.trunc()) {
                None if !lenient => return Ok(Err(format!("{x:?}"))),
                value => value,
            },
        });
    }
    Ok(Ok(pl::Int64Chunked::from_iter(out).into_column()))
}

/// The decimals that texts are, to the digit.
fn text_to_decimal(c: &Column, out: decimal::Digits, lenient: bool) -> PolarsResult<Result<Column, String>> {
    let mut values = Vec::with_capacity(c.len());
    for text in c.str()?.iter() {
        values.push(match text.map(|t| (t, parse::decimal(t, out.0, out.1))) {
            Some((text, None)) if !lenient => return Ok(Err(format!("{text:?}"))),
            read => read.and_then(|(_, number)| number).map(|d| d.unscaled),
        });
    }
    Ok(Ok(decimal::column(pl::Int128Chunked::from_iter(values), out)))
}

fn from_text<T>(read: impl Fn(&str) -> Option<Native<T>> + Send + Sync + 'static) -> Convert
where
    T: Target,
{
    Arc::new(move |c, lenient| {
        let mut out = Vec::with_capacity(c.len());
        for text in c.str()?.iter() {
            out.push(match text {
                None => None,
                Some(text) => match read(text) {
                    None if !lenient => return Ok(Err(format!("{text:?}"))),
                    value => value,
                },
            });
        }
        Ok(Ok(T::column(out)))
    })
}

type Native<T> = <T as Target>::Value;

/// A polars type that text can be read as.
trait Target {
    type Value;
    fn column(values: Vec<Option<Self::Value>>) -> Column;
}

macro_rules! target {
    ($type:ty, $value:ty, $array:ty) => {
        impl Target for $type {
            type Value = $value;
            fn column(values: Vec<Option<$value>>) -> Column {
                <$array>::from_iter(values).into_column()
            }
        }
    };
}
target!(pl::Int64Type, i64, pl::Int64Chunked);
target!(pl::Int32Type, i32, pl::Int32Chunked);
target!(pl::Float64Type, f64, pl::Float64Chunked);
target!(pl::BooleanType, bool, pl::BooleanChunked);

/// The text of a value: ints in decimal, floats in their shortest form that reads back, dates and times in ISO 8601.
fn to_text(x: pl::Expr, from: &DataType) -> pl::Expr {
    fn texts<V>(values: impl Iterator<Item = Option<V>>, show: impl Fn(V) -> String) -> Column {
        values.map(|v| v.map(&show)).collect::<pl::StringChunked>().into_column()
    }
    match from {
        DataType::Bool => map1(x, pl::DataType::String, |c| Ok(texts(c.bool()?.iter(), |b| b.to_string()))),
        DataType::Float => map1(x, pl::DataType::String, |c| Ok(texts(c.f64()?.iter(), |x| format!("{x:?}")))),
        DataType::Decimal { scale, .. } => decimal::to_text(x, *scale),
        DataType::Date => map1(x, pl::DataType::String, |c| Ok(texts(c.to_physical_repr().i32()?.iter(), civil_date))),
        DataType::Datetime => {
            map1(x, pl::DataType::String, |c| Ok(texts(c.to_physical_repr().i64()?.iter(), civil_datetime)))
        }
        DataType::Duration => map1(x, pl::DataType::String, |c| {
            Ok(texts(c.to_physical_repr().i64()?.iter(), |us| dbjob_plan::Value::Duration(us).to_string()))
        }),
        _ => x.cast(pl::DataType::String),
    }
}
