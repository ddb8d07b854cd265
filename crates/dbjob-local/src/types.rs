//! The physical form of types and constants in polars.

use dbjob_plan::{DataType, Value};
use polars::prelude::{self as pl, AnyValue, NamedFrom, Series, TimeUnit};

/// The polars type of a column: 64-bit numbers, microseconds without a zone (UTC by contract), text for categories.
/// `None` for a type that this engine lacks.
pub(crate) fn physical(dtype: &DataType) -> Option<pl::DataType> {
    Some(match dtype {
        DataType::Int => pl::DataType::Int64,
        DataType::Float => pl::DataType::Float64,
        DataType::Bool => pl::DataType::Boolean,
        DataType::String | DataType::Category { .. } => pl::DataType::String,
        DataType::Date => pl::DataType::Date,
        DataType::Datetime => pl::DataType::Datetime(TimeUnit::Microseconds, None),
        DataType::Duration => pl::DataType::Duration(TimeUnit::Microseconds),
        DataType::List { item } => pl::DataType::List(Box::new(physical(item)?)),
        DataType::Vector { .. } => pl::DataType::List(Box::new(pl::DataType::Float64)),
        DataType::Unknown => pl::DataType::Null,
        DataType::Decimal { .. } => return None,
    })
}

/// [`physical`] of a type that `unsupported` has let pass.
pub(crate) fn polars_type(dtype: &DataType) -> pl::DataType {
    physical(dtype).unwrap_or(pl::DataType::Float64)
}

/// A constant as an expression of exactly the type that the plan states. Polars' own number literals have no type until
/// they meet a column, and an own function would see 32-bit ones.
pub(crate) fn literal(value: &Value, dtype: &DataType) -> pl::Expr {
    let value = match (value, dtype) {
        (Value::Int(i), DataType::Float) => &Value::Float(*i as f64),
        _ => value,
    };
    pl::lit(pl::Scalar::new(polars_type(dtype), any_value(value)))
}

/// A constant as a polars value.
pub(crate) fn any_value(value: &Value) -> AnyValue<'static> {
    match value {
        Value::Null => AnyValue::Null,
        Value::Int(i) => AnyValue::Int64(*i),
        Value::Float(x) => AnyValue::Float64(*x),
        Value::Bool(b) => AnyValue::Boolean(*b),
        Value::String(s) | Value::Word(s) => AnyValue::StringOwned(s.as_str().into()),
        Value::Date(d) => AnyValue::Date(*d),
        Value::Datetime(us) => AnyValue::Datetime(*us, TimeUnit::Microseconds, None),
        Value::Duration(us) => AnyValue::Duration(*us, TimeUnit::Microseconds),
        Value::Size(n) => AnyValue::Int64(i64::try_from(*n).unwrap_or(i64::MAX)),
        Value::List(items) => {
            let items: Vec<_> = items.iter().map(any_value).collect();
            AnyValue::List(Series::new("".into(), items))
        }
    }
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
        AnyValue::String(s) => Value::String((*s).to_string()),
        AnyValue::StringOwned(s) => Value::String(s.to_string()),
        AnyValue::List(items) => Value::List(items.iter().map(|v| value_of(&v)).collect()),
        other => match other.extract::<i64>() {
            Some(i) => Value::Int(i),
            None => Value::String(other.to_string()),
        },
    }
}
