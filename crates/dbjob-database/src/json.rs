//! Lists and vectors as JSON, for databases without arrays.

use dbjob_plan::{DataType, Value, civil_date, civil_datetime, parse};
use serde_json::Value as Json;

/// The type of a list's items.
pub(crate) fn item_type(dtype: &DataType) -> &DataType {
    match dtype {
        DataType::List { item } => item,
        _ => &DataType::Float,
    }
}

/// A list of that type from JSON text; `None` if it is none.
pub(crate) fn read(text: &str, dtype: &DataType) -> Option<Vec<Value>> {
    let Json::Array(items) = serde_json::from_str(text).ok()? else { return None };
    items.iter().map(|json| item(json, item_type(dtype))).collect()
}

fn item(json: &Json, dtype: &DataType) -> Option<Value> {
    Some(match (dtype, json) {
        (_, Json::Null) => Value::Null,
        (DataType::Int, Json::Number(n)) => Value::Int(n.as_i64()?),
        (DataType::Float, Json::Number(n)) => Value::Float(n.as_f64()?),
        // As PostgreSQL writes what JSON has no number for.
        (DataType::Float, Json::String(s)) => Value::Float(match s.as_str() {
            "NaN" => f64::NAN,
            "Infinity" => f64::INFINITY,
            "-Infinity" => f64::NEG_INFINITY,
            _ => return None,
        }),
        (DataType::Decimal { precision, scale }, Json::Number(n)) => {
            Value::Decimal(parse::decimal(&n.to_string(), *precision, *scale)?)
        }
        (DataType::Decimal { precision, scale }, Json::String(s)) => {
            Value::Decimal(parse::decimal(s, *precision, *scale)?)
        }
        (DataType::Bool, Json::Bool(b)) => Value::Bool(*b),
        (DataType::String | DataType::Category { .. }, Json::String(s)) => Value::String(s.clone()),
        (DataType::Date, Json::String(s)) => Value::Date(parse::date(s)?),
        (DataType::Datetime, Json::String(s)) => Value::Datetime(parse::datetime(s)?),
        (DataType::Duration, Json::Number(n)) => Value::Duration(n.as_i64()?),
        (DataType::List { .. } | DataType::Vector { .. }, Json::Array(items)) => {
            Value::List(items.iter().map(|json| item(json, item_type(dtype))).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

/// JSON text of a list; `None` if it holds a float that JSON has no number for.
pub(crate) fn write(items: &[Value]) -> Option<String> {
    let items = items.iter().map(json).collect::<Option<Vec<Json>>>()?;
    serde_json::to_string(&items).ok()
}

fn json(value: &Value) -> Option<Json> {
    Some(match value {
        Value::Null => Json::Null,
        Value::Int(i) | Value::Duration(i) => (*i).into(),
        Value::Float(x) => Json::Number(serde_json::Number::from_f64(*x)?),
        Value::Bool(b) => (*b).into(),
        Value::String(s) | Value::Word(s) => s.as_str().into(),
        Value::Decimal(d) => d.to_string().into(),
        Value::Date(d) => civil_date(*d).into(),
        Value::Datetime(us) => civil_datetime(*us).into(),
        Value::List(items) => Json::Array(items.iter().map(json).collect::<Option<_>>()?),
        Value::Size(n) => (*n).into(),
    })
}
