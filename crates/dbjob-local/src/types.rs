//! The physical form of types and constants in polars.

use dbjob_plan::{DataType, Decimal, Value};
use polars::prelude::{self as pl, AnyValue, Series, TimeUnit};

/// The polars type of a column: 64-bit numbers, microseconds without a zone (UTC by contract), text for categories.
pub(crate) fn polars_type(dtype: &DataType) -> pl::DataType {
    match dtype {
        DataType::Int => pl::DataType::Int64,
        DataType::Float => pl::DataType::Float64,
        DataType::Bool => pl::DataType::Boolean,
        DataType::String | DataType::Category { .. } => pl::DataType::String,
        DataType::Date => pl::DataType::Date,
        DataType::Datetime => pl::DataType::Datetime(TimeUnit::Microseconds, None),
        DataType::Duration => pl::DataType::Duration(TimeUnit::Microseconds),
        DataType::List { item } => pl::DataType::List(Box::new(polars_type(item))),
        DataType::Vector { .. } => pl::DataType::List(Box::new(pl::DataType::Float64)),
        DataType::Unknown => pl::DataType::Null,
        DataType::Decimal { precision, scale } => pl::DataType::Decimal(usize::from(*precision), usize::from(*scale)),
    }
}

/// A constant as an expression of exactly the type that the plan states. Polars' own number literals have no type until
/// they meet a column, and an own function would see 32-bit ones.
pub(crate) fn literal(value: &Value, dtype: &DataType) -> pl::Expr {
    pl::lit(pl::Scalar::new(polars_type(dtype), any_value(value, dtype)))
}

/// A constant as a polars value of the type.
pub(crate) fn any_value(value: &Value, dtype: &DataType) -> AnyValue<'static> {
    match value {
        Value::Null => AnyValue::Null,
        Value::Int(i) if *dtype == DataType::Float => AnyValue::Float64(*i as f64),
        Value::Int(i) => AnyValue::Int64(*i),
        Value::Decimal(d) => match dtype {
            DataType::Decimal { precision, scale } => match d.with_scale(*scale) {
                Some(d) => AnyValue::Decimal(d.unscaled, usize::from(*precision), usize::from(*scale)),
                None => AnyValue::Null,
            },
            _ => AnyValue::Float64(d.to_float()),
        },
        Value::Float(x) => AnyValue::Float64(*x),
        Value::Bool(b) => AnyValue::Boolean(*b),
        Value::String(s) | Value::Word(s) => AnyValue::StringOwned(s.as_str().into()),
        Value::Date(d) => AnyValue::Date(*d),
        Value::Datetime(us) => AnyValue::Datetime(*us, TimeUnit::Microseconds, None),
        Value::Duration(us) => AnyValue::Duration(*us, TimeUnit::Microseconds),
        Value::Size(n) => AnyValue::Int64(i64::try_from(*n).unwrap_or(i64::MAX)),
        Value::List(items) => {
            let item = match dtype {
                DataType::List { item } => item,
                _ => &DataType::Float,
            };
            AnyValue::List(series(items, item))
        }
    }
}

/// Constants of one type as a series of it.
pub(crate) fn series(values: &[Value], dtype: &DataType) -> Series {
    let values: Vec<_> = values.iter().map(|v| any_value(v, dtype)).collect();
    Series::from_any_values_and_dtype("".into(), &values, &polars_type(dtype), true)
        .expect("the values are of the type")
}

/// A value of a column of the types that [`polars_type`] gives.
pub(crate) fn value_of(value: &AnyValue<'_>) -> Value {
    match value {
        AnyValue::Null => Value::Null,
        AnyValue::Boolean(b) => Value::Bool(*b),
        AnyValue::Float64(x) => Value::Float(*x),
        AnyValue::Float32(x) => Value::Float(f64::from(*x)),
        AnyValue::Date(d) => Value::Date(*d),
        AnyValue::Datetime(us, TimeUnit::Microseconds, _) => Value::Datetime(*us),
        AnyValue::DatetimeOwned(us, TimeUnit::Microseconds, _) => Value::Datetime(*us),
        AnyValue::Duration(us, TimeUnit::Microseconds) => Value::Duration(*us),
        AnyValue::Decimal(unscaled, _, scale) => {
            Value::Decimal(Decimal { unscaled: *unscaled, scale: u8::try_from(*scale).unwrap_or(u8::MAX) })
        }
        AnyValue::String(s) => Value::String((*s).to_string()),
        AnyValue::StringOwned(s) => Value::String(s.to_string()),
        AnyValue::List(items) => Value::List(items.iter().map(|v| value_of(&v)).collect()),
        other => match other.extract::<i64>() {
            Some(i) => Value::Int(i),
            None => Value::String(other.to_string()),
        },
    }
}
