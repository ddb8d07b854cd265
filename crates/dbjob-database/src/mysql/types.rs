//! Types of MySQL and MariaDB.

use dbjob_plan::{DataType, Decimal, days_from_civil};
use mysql::consts::{ColumnFlags, ColumnType};
use mysql::{Column, Value};

use crate::chunk::Cell;
use crate::json;
use crate::table::{Kind, Stored};

/// The character set of bytes.
const BINARY: u16 = 63;
/// A text of a key is stored in a column of so many characters, because an index takes no more.
const KEY: usize = 255;

pub(super) fn stored(column: &Column) -> Stored {
    let (kind, shown) = kind(column);
    let nullable = !column.flags().contains(ColumnFlags::NOT_NULL_FLAG);
    Stored { name: column.name_str().into_owned(), kind, shown, nullable }
}

fn kind(column: &Column) -> (Kind, String) {
    use ColumnType as C;
    let length = column.column_length();
    let unsigned = column.flags().contains(ColumnFlags::UNSIGNED_FLAG);
    let binary = column.character_set() == BINARY;
    let digits = column.decimals().min(6);
    let whole = |name: &str| (Kind::Int, format!("{name}{}", if unsigned { " unsigned" } else { "" }));
    match column.column_type() {
        C::MYSQL_TYPE_TINY if length == 1 && !unsigned => (Kind::Bool, "tinyint(1)".into()),
        C::MYSQL_TYPE_BIT if length == 1 => (Kind::Bool, "bit(1)".into()),
        C::MYSQL_TYPE_TINY => whole("tinyint"),
        C::MYSQL_TYPE_SHORT => whole("smallint"),
        C::MYSQL_TYPE_INT24 => whole("mediumint"),
        C::MYSQL_TYPE_LONG => whole("int"),
        C::MYSQL_TYPE_LONGLONG => whole("bigint"),
        C::MYSQL_TYPE_YEAR => (Kind::Int, "year".into()),
        C::MYSQL_TYPE_FLOAT => (Kind::Single, "float".into()),
        C::MYSQL_TYPE_DOUBLE => (Kind::Float, "double".into()),
        C::MYSQL_TYPE_DECIMAL | C::MYSQL_TYPE_NEWDECIMAL => {
            let scale = column.decimals();
            // The length has room for a sign and a point.
            let precision = length.saturating_sub(u32::from(!unsigned)).saturating_sub(u32::from(scale > 0));
            let shown = format!("decimal({precision},{scale})");
            match u8::try_from(precision) {
                Ok(precision) if precision <= dbjob_plan::DECIMAL_DIGITS && scale <= precision => {
                    (Kind::Decimal { precision, scale }, shown)
                }
                _ => (Kind::Number, shown),
            }
        }
        C::MYSQL_TYPE_DATE | C::MYSQL_TYPE_NEWDATE => (Kind::Date, "date".into()),
        C::MYSQL_TYPE_DATETIME | C::MYSQL_TYPE_DATETIME2 => (Kind::Datetime { digits }, format!("datetime({digits})")),
        C::MYSQL_TYPE_TIMESTAMP | C::MYSQL_TYPE_TIMESTAMP2 => {
            (Kind::Datetime { digits }, format!("timestamp({digits})"))
        }
        C::MYSQL_TYPE_TIME | C::MYSQL_TYPE_TIME2 => (Kind::Duration { digits }, format!("time({digits})")),
        C::MYSQL_TYPE_JSON => (Kind::Json, "json".into()),
        C::MYSQL_TYPE_NULL => (Kind::Text, "null".into()),
        C::MYSQL_TYPE_ENUM | C::MYSQL_TYPE_SET => (Kind::Text, "enum".into()),
        C::MYSQL_TYPE_VARCHAR | C::MYSQL_TYPE_VAR_STRING | C::MYSQL_TYPE_STRING if !binary => {
            (Kind::Text, format!("varchar({})", length / 4))
        }
        C::MYSQL_TYPE_TINY_BLOB | C::MYSQL_TYPE_BLOB | C::MYSQL_TYPE_MEDIUM_BLOB | C::MYSQL_TYPE_LONG_BLOB
            if !binary =>
        {
            (Kind::Text, "text".into())
        }
        other => (Kind::Other, format!("{other:?}").trim_start_matches("MYSQL_TYPE_").to_lowercase()),
    }
}

/// What a column is declared as that dbjob makes.
pub(super) fn declare(dtype: &DataType, is_key: bool) -> String {
    match dtype {
        DataType::Int => "BIGINT".into(),
        DataType::Float => "DOUBLE".into(),
        DataType::Decimal { precision, scale } => format!("DECIMAL({precision}, {scale})"),
        DataType::Bool => "TINYINT(1)".into(),
        // Texts are equal if their characters are, and are ordered by code point.
        DataType::String | DataType::Category { .. } | DataType::Unknown if is_key => {
            format!("VARCHAR({KEY}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        }
        DataType::String | DataType::Category { .. } | DataType::Unknown => {
            "LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin".into()
        }
        DataType::Date => "DATE".into(),
        DataType::Datetime => "DATETIME(6)".into(),
        DataType::Duration => "TIME(6)".into(),
        DataType::List { .. } | DataType::Vector { .. } => "JSON".into(),
    }
}

/// A value as one of the declared type.
pub(super) fn cell<'a>(value: &'a Value, dtype: &DataType) -> Cell<'a> {
    let text = match value {
        Value::NULL => return Cell::Null,
        Value::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    };
    let found = match (dtype, value) {
        (DataType::Int, Value::Int(i)) => Some(Cell::Int(*i)),
        (DataType::Int, Value::UInt(i)) => i64::try_from(*i).ok().map(Cell::Int),
        (DataType::Bool, Value::Int(i @ (0 | 1))) => Some(Cell::Bool(*i == 1)),
        (DataType::Bool, Value::Bytes(bytes)) => match bytes.as_slice() {
            [bit @ (0 | 1)] => Some(Cell::Bool(*bit == 1)),
            _ => None,
        },
        (DataType::Float, Value::Double(x)) => Some(Cell::Float(*x)),
        (DataType::Float, Value::Float(x)) => Some(Cell::Float(f64::from(*x))),
        (DataType::Float, Value::Int(i)) => Some(Cell::Float(*i as f64)),
        (DataType::Float, Value::UInt(i)) => Some(Cell::Float(*i as f64)),
        (DataType::Float, _) => text.and_then(|t| t.parse().ok()).map(Cell::Float),
        (DataType::Decimal { .. }, Value::Int(i)) => Some(Cell::Decimal(Decimal::of_int(*i))),
        (DataType::Decimal { .. }, Value::UInt(i)) => Decimal::new(i128::from(*i), 0).map(Cell::Decimal),
        (DataType::Decimal { .. }, _) => text.and_then(|t| t.parse().ok()).map(Cell::Decimal),
        (DataType::String | DataType::Category { .. }, _) => text.map(Cell::Text),
        (DataType::Date, Value::Date(y, m, d, ..)) => {
            days_from_civil(i32::from(*y), u32::from(*m), u32::from(*d)).map(Cell::Date)
        }
        (DataType::Datetime, Value::Date(y, m, d, h, min, s, us)) => {
            let days = days_from_civil(i32::from(*y), u32::from(*m), u32::from(*d));
            days.map(|days| Cell::Datetime(i64::from(days) * 86_400_000_000 + clock(0, *h, *min, *s, *us)))
        }
        (DataType::Duration, Value::Time(negative, days, h, min, s, us)) => {
            let us = clock(*days, *h, *min, *s, *us);
            Some(Cell::Duration(if *negative { -us } else { us }))
        }
        (DataType::List { .. } | DataType::Vector { .. }, _) => text.and_then(|t| json::read(t, dtype)).map(Cell::List),
        _ => None,
    };
    found.unwrap_or_else(|| Cell::Wrong(show(value)))
}

fn clock(days: u32, h: u8, min: u8, s: u8, us: u32) -> i64 {
    let hours = i64::from(days) * 24 + i64::from(h);
    ((hours * 60 + i64::from(min)) * 60 + i64::from(s)) * 1_000_000 + i64::from(us)
}

/// For messages: without the quotes of SQL.
fn show(value: &Value) -> String {
    match value {
        Value::Bytes(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
        // What `0000-00-00` comes as.
        Value::Date(0, 0, 0, ..) => "0000-00-00".into(),
        other => other.as_sql(true).trim_matches('\'').to_owned(),
    }
}
