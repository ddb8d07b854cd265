//! Types of PostgreSQL.

use dbjob_plan::DataType;
use postgres::{Error, GenericClient};

use crate::table::Kind;

/// The types by their ids and modifiers: in words, and what they hold. Domains are what they are of.
pub(super) fn kinds(client: &mut impl GenericClient, types: &[(u32, i32)]) -> Result<Vec<(String, Kind)>, Error> {
    let (ids, modifiers): (Vec<u32>, Vec<i32>) = types.iter().copied().unzip();
    let sql = "SELECT format_type(c.o, c.m), b.typname::text, b.typtype::text, e.typname::text, e.typtype::text, \
               CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE c.m END \
               FROM unnest($1::oid[], $2::int4[]) WITH ORDINALITY AS c(o, m, n) \
               JOIN pg_type t ON t.oid = c.o \
               JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END \
               LEFT JOIN pg_type e ON e.oid = b.typelem AND b.typcategory = 'A' ORDER BY c.n";
    let rows = client.query(sql, &[&ids, &modifiers])?;
    let kinds = rows.iter().map(|row| {
        let (name, class): (String, String) = (row.get(1), row.get(2));
        let (item, item_class): (Option<String>, Option<String>) = (row.get(3), row.get(4));
        let modifier: i32 = row.get(5);
        let kind = match (item, item_class) {
            (Some(item), Some(class)) => Kind::List(Box::new(kind(&item, &class, modifier))),
            _ => kind(&name, &class, modifier),
        };
        (row.get(0), kind)
    });
    Ok(kinds.collect())
}

fn kind(name: &str, class: &str, modifier: i32) -> Kind {
    if class == "e" {
        return Kind::Text;
    }
    let digits = if modifier < 0 { 6 } else { u8::try_from(modifier & 0xffff).unwrap_or(6).min(6) };
    match name {
        "int2" | "int4" | "int8" | "oid" => Kind::Int,
        "float8" => Kind::Float,
        "float4" => Kind::Single,
        "numeric" if modifier >= 4 => {
            let (precision, scale) = ((modifier - 4) >> 16, (modifier - 4) & 0x7ff);
            match (u8::try_from(precision), u8::try_from(scale)) {
                (Ok(precision), Ok(scale)) if precision <= dbjob_plan::DECIMAL_DIGITS && scale <= precision => {
                    Kind::Decimal { precision, scale }
                }
                _ => Kind::Number,
            }
        }
        "numeric" => Kind::Number,
        "bool" => Kind::Bool,
        "text" | "varchar" | "bpchar" | "name" | "citext" | "uuid" | "xml" | "inet" | "cidr" | "macaddr" => Kind::Text,
        "json" | "jsonb" => Kind::Json,
        "date" => Kind::Date,
        "timestamp" | "timestamptz" => Kind::Datetime { digits },
        "interval" => Kind::Duration { digits },
        _ => Kind::Other,
    }
}

/// What a column is declared as that dbjob makes.
pub(super) fn declare(dtype: &DataType) -> String {
    match dtype {
        DataType::Int => "bigint".into(),
        DataType::Float => "double precision".into(),
        DataType::Decimal { precision, scale } => format!("numeric({precision}, {scale})"),
        DataType::Bool => "boolean".into(),
        DataType::String | DataType::Category { .. } | DataType::Unknown => "text".into(),
        DataType::Date => "date".into(),
        DataType::Datetime => "timestamp with time zone".into(),
        DataType::Duration => "interval".into(),
        DataType::Vector { .. } => "double precision[]".into(),
        DataType::List { item } => {
            let item = declare(item);
            // Lists of lists are arrays of more dimensions, and of the same type.
            if item.ends_with("[]") { item } else { format!("{item}[]") }
        }
    }
}

/// How a column is asked for, so that it comes in one of a few forms.
pub(super) fn asked(quoted: &str, dtype: &DataType) -> String {
    match dtype {
        DataType::Int => format!("r.{quoted}::int8"),
        DataType::Float => format!("r.{quoted}::float8"),
        DataType::Decimal { .. } | DataType::String | DataType::Category { .. } => format!("r.{quoted}::text"),
        DataType::List { .. } | DataType::Vector { .. } => format!("array_to_json(r.{quoted})::text"),
        _ => format!("r.{quoted}"),
    }
}
