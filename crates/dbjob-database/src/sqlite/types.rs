//! Types of SQLite: a declared type is any words, and what they mean is known by parts of them.

use dbjob_plan::{DataType, Decimal, civil_date, civil_datetime, parse};
use rusqlite::types::{ToSqlOutput, ValueRef};

use crate::Values;
use crate::chunk::Cell;
use crate::json;
use crate::table::Kind;

/// Beyond that many digits SQLite would round a number.
const EXACT: u8 = 15;

pub(super) fn shown(declared: &str) -> String {
    if declared.is_empty() { "of no declared type".into() } else { declared.into() }
}

pub(super) fn kind(declared: &str) -> Kind {
    let upper = declared.to_uppercase();
    let has = |part: &str| upper.contains(part);
    if upper.starts_with("DECIMAL") || upper.starts_with("NUMERIC") {
        digits(&upper).unwrap_or(Kind::Number)
    } else if has("BOOL") {
        Kind::Bool
    } else if has("DATETIME") || has("TIMESTAMP") {
        Kind::Datetime { digits: 6 }
    } else if upper == "DATE" {
        Kind::Date
    } else if has("DURATION") || has("INTERVAL") {
        Kind::Duration { digits: 6 }
    } else if has("JSON") {
        Kind::Json
    } else if has("INT") {
        Kind::Int
    } else if has("CHAR") || has("CLOB") || has("TEXT") || has("STRING") || has("UUID") {
        Kind::Text
    } else if has("BLOB") {
        Kind::Other
    } else if has("REAL") || has("FLOA") || has("DOUB") {
        Kind::Float
    } else {
        Kind::Any
    }
}

/// `(12, 2)`
fn digits(declared: &str) -> Option<Kind> {
    let (_, inside) = declared.trim_end().strip_suffix(')')?.split_once('(')?;
    let (precision, scale) = inside.split_once(',').unwrap_or((inside, "0"));
    let (precision, scale) = (precision.trim().parse().ok()?, scale.trim().parse().ok()?);
    ((1..=dbjob_plan::DECIMAL_DIGITS).contains(&precision) && scale <= precision)
        .then_some(Kind::Decimal { precision, scale })
}

/// What a column is declared as that dbjob makes.
pub(super) fn declare(dtype: &DataType) -> String {
    match dtype {
        DataType::Int => "INTEGER".into(),
        DataType::Float => "REAL".into(),
        DataType::Decimal { precision, scale } if *precision <= EXACT => format!("DECIMAL({precision}, {scale})"),
        // With TEXT in its name SQLite keeps the digits as they are.
        DataType::Decimal { precision, scale } => format!("DECIMAL_TEXT({precision}, {scale})"),
        DataType::Bool => "BOOLEAN".into(),
        DataType::String | DataType::Category { .. } | DataType::Unknown => "TEXT".into(),
        DataType::Date => "DATE".into(),
        DataType::Datetime => "DATETIME".into(),
        DataType::Duration => "DURATION".into(),
        DataType::List { .. } | DataType::Vector { .. } => "JSON_TEXT".into(),
    }
}

/// A stored value as one of the declared type.
pub(super) fn cell<'a>(value: ValueRef<'a>, dtype: &DataType) -> Cell<'a> {
    let wrong = || Cell::Wrong(show(value));
    let text = match value {
        ValueRef::Null => return Cell::Null,
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    };
    let found = match (dtype, value) {
        (DataType::Int, ValueRef::Integer(i)) => Some(Cell::Int(i)),
        (DataType::Int, ValueRef::Real(x)) if x.fract() == 0.0 && x.abs() < 9e15 => Some(Cell::Int(x as i64)),
        (DataType::Float, ValueRef::Integer(i)) => Some(Cell::Float(i as f64)),
        (DataType::Float, ValueRef::Real(x)) => Some(Cell::Float(x)),
        (DataType::Decimal { .. }, ValueRef::Integer(i)) => Some(Cell::Decimal(Decimal::of_int(i))),
        (DataType::Decimal { .. }, ValueRef::Real(x)) => Decimal::of_float(x).map(Cell::Decimal),
        (DataType::Decimal { .. }, _) => text.and_then(|t| t.parse().ok()).map(Cell::Decimal),
        (DataType::Bool, ValueRef::Integer(i @ (0 | 1))) => Some(Cell::Bool(i == 1)),
        (DataType::String | DataType::Category { .. }, _) => text.map(Cell::Text),
        (DataType::Date, _) => text.and_then(parse::date).map(Cell::Date),
        (DataType::Datetime, _) => text.and_then(parse::datetime).map(Cell::Datetime),
        (DataType::Duration, ValueRef::Integer(us)) => Some(Cell::Duration(us)),
        (DataType::List { .. } | DataType::Vector { .. }, _) => text.and_then(|t| json::read(t, dtype)).map(Cell::List),
        _ => None,
    };
    found.unwrap_or_else(wrong)
}

pub(super) fn show(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "null".into(),
        ValueRef::Integer(i) => i.to_string(),
        ValueRef::Real(x) => format!("{x:?}"),
        ValueRef::Text(text) => format!("{:?}", String::from_utf8_lossy(text)),
        ValueRef::Blob(bytes) => format!("a blob of {} bytes", bytes.len()),
    }
}

/// A value as it is stored.
///
/// Errors: why SQLite cannot keep it.
pub(super) fn stored(values: &Values, row: usize, scale: u8) -> Result<ToSqlOutput<'_>, &'static str> {
    use rusqlite::types::Value as Sql;
    let owned = |value: Option<Sql>| Ok(ToSqlOutput::Owned(value.unwrap_or(Sql::Null)));
    match values {
        Values::Int(v) | Values::Duration(v) => owned(v[row].map(Sql::Integer)),
        Values::Float(v) => match v[row] {
            Some(x) if x.is_nan() => Err("NaN, which SQLite keeps as null"),
            x => owned(x.map(Sql::Real)),
        },
        Values::Decimal(v) => owned(v[row].map(|unscaled| Sql::Text(Decimal { unscaled, scale }.to_string()))),
        Values::Bool(v) => owned(v[row].map(|b| Sql::Integer(b.into()))),
        Values::Text(v) => Ok(match &v[row] {
            Some(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            None => ToSqlOutput::Owned(Sql::Null),
        }),
        Values::Date(v) => owned(v[row].map(civil_date).map(four_digits).transpose()?),
        Values::Datetime(v) => {
            owned(v[row].map(|us| civil_datetime(us).replace('T', " ")).map(four_digits).transpose()?)
        }
        Values::List(v) => match &v[row] {
            None => owned(None),
            Some(items) => match json::write(items) {
                Some(text) => owned(Some(Sql::Text(text))),
                None => Err("a list with NaN or an infinite number, which JSON lacks"),
            },
        },
    }
}

/// Texts of dates are in order only with years of four digits.
fn four_digits(text: String) -> Result<rusqlite::types::Value, &'static str> {
    if text.starts_with('-') || text.find('-') != Some(4) {
        return Err("a date outside the years 0 to 9999, which SQLite cannot order");
    }
    Ok(rusqlite::types::Value::Text(text))
}
