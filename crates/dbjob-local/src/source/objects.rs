//! Rows that are JSON objects. Missing fields are null, further ones are not read. Read by an own reader, because polars'
//! takes what does not fit a type for null.

use std::path::{Path, PathBuf};

use dbjob_plan::{DataLocation, DataType, RunError, Value, near, parse};
use polars::prelude::{Column, DataFrame, IntoColumn};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value as Json;

use super::csv::Cells;
use super::files::{place, shown};
use super::{Wanted, check, expected};
use crate::fault::engine_error;

/// Calls a visitor with every object of a file and its place, until it says no.
pub(super) type Objects<'a> =
    &'a dyn Fn(&Path, &mut dyn FnMut(Spot, Object) -> Result<bool, RunError>) -> Result<(), RunError>;

/// Where an object stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    /// From 1.
    pub row: u64,
    /// From 1; of a format with one object a line.
    pub line: Option<u64>,
}

impl std::fmt::Display for Spot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}"),
            None => write!(f, "object {}", self.row),
        }
    }
}

/// A JSON object with its fields in order; of two with one name the last counts.
pub(super) struct Object(pub Vec<(String, Json)>);

impl Object {
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.0.iter().rev().find(|(n, _)| n == name).map(|(_, json)| json)
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Object;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut fields = Vec::with_capacity(map.size_hint().unwrap_or_default());
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Object(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// The wanted fields of all objects that `objects` finds in the files, as a table for each file. A field that may be null
/// need not be in every file.
///
/// Errors: those of `objects`, and E0704, E0705, E0706, E0707.
pub(super) fn read(wanted: &[Wanted], files: &[PathBuf], objects: Objects<'_>) -> Result<Vec<DataFrame>, RunError> {
    let mut missing: Option<Vec<(usize, RunError)>> = None;
    let mut tables = Vec::new();
    for file in files {
        let (table, absent) = read_one(wanted, file, objects)?;
        if table.height() > 0 {
            let still = |(i, _): &(usize, RunError)| absent.iter().any(|(j, _)| i == j);
            missing = Some(match missing {
                Some(before) => before.into_iter().filter(still).collect(),
                None => absent,
            });
        }
        tables.push(table);
    }
    match missing.and_then(|m| m.into_iter().next()) {
        Some((_, error)) => Err(error),
        None => Ok(tables),
    }
}

/// The table of a file, and the fields that none of its objects has, each with the error that this is if no file has it.
fn read_one(
    wanted: &[Wanted],
    file: &Path,
    objects: Objects<'_>,
) -> Result<(DataFrame, Vec<(usize, RunError)>), RunError> {
    let mut cells: Vec<Column> = Vec::new();
    let mut columns: Vec<Builder> = wanted.iter().map(|w| Builder::new(&w.field.dtype)).collect();
    let mut seen = vec![false; wanted.len()];
    let mut names: Vec<String> = Vec::new();
    let mut rows = 0;
    objects(file, &mut |spot, object| {
        rows = spot.row as usize;
        if names.len() < 1_000 && seen.contains(&false) {
            names.extend(object.0.iter().map(|(k, _)| k).filter(|k| !names.contains(k)).cloned().collect::<Vec<_>>());
        }
        for (i, w) in wanted.iter().enumerate() {
            let found = object.get(&w.header);
            seen[i] |= found.is_some();
            let at = |value: Option<String>| DataLocation {
                row: Some(spot.row),
                line: spot.line,
                column: Some(w.header.clone()),
                value,
                ..place(file)
            };
            let json = found.unwrap_or(&Json::Null);
            let Some(value) = convert(json, &w.field.dtype) else {
                let message = format!(
                    "{json} is not {}: field `{}` in {spot} of {}",
                    expected(&w.field.dtype),
                    w.header,
                    shown(file)
                );
                return Err(RunError::new("E0704", message).data(at(Some(json.to_string()))));
            };
            if let Err(broken) = check::value(&w.field, &value) {
                // A field that no line has is a misspelt name rather than a null.
                if found.is_none() && !seen[i] {
                    break;
                }
                let message = format!("{} in {spot} of {}", broken.message, shown(file));
                return Err(RunError::new(broken.code, message).data(at(broken.value)));
            }
            columns[i].push(value)?;
        }
        Ok(!wanted.iter().enumerate().any(|(i, w)| !seen[i] && !w.field.nullable))
    })?;
    let absent = |i: usize| {
        let header = &wanted[i].header;
        let error = RunError::new("E0705", format!("no object of {} has the field {header:?}", shown(file)))
            .data(DataLocation { column: Some(header.clone()), ..place(file) });
        let near = near(header, names.iter().map(String::as_str));
        if near.is_empty() {
            error.help(format!("its fields are {}", names.iter().take(12).cloned().collect::<Vec<_>>().join(", ")))
        } else {
            error.help(format!("did you mean {}?", near.join(" or ")))
        }
    };
    let unseen = || (0..wanted.len()).filter(|i| rows > 0 && !seen[*i]);
    if let Some(i) = unseen().find(|i| !wanted[*i].field.nullable) {
        return Err(absent(i));
    }
    let missing = unseen().map(|i| (i, absent(i))).collect();
    for (builder, w) in columns.into_iter().zip(wanted) {
        cells.push(builder.finish(w)?);
    }
    Ok((DataFrame::new(rows, cells).map_err(engine_error)?, missing))
}

/// A JSON value in the type of the column, if it is one.
fn convert(json: &Json, dtype: &DataType) -> Option<Value> {
    match (json, dtype) {
        (Json::Null, _) => Some(Value::Null),
        (Json::Number(n), DataType::Int) => n.as_i64().map(Value::Int),
        (Json::Number(n), DataType::Float) => n.as_f64().map(Value::Float),
        (Json::Number(n), DataType::Decimal { precision, scale }) => decimal(n, *precision, *scale),
        (Json::String(s), DataType::Decimal { precision, scale }) => {
            parse::decimal(s, *precision, *scale).map(Value::Decimal)
        }
        (Json::Bool(b), DataType::Bool) => Some(Value::Bool(*b)),
        (Json::String(s), DataType::Date) => parse::date(s).map(Value::Date),
        (Json::String(s), DataType::Datetime) => parse::datetime(s).map(Value::Datetime),
        (Json::String(s), DataType::String | DataType::Category { .. }) => Some(Value::String(s.clone())),
        // What JSON has no number for, as our own writer writes it.
        (Json::String(s), DataType::Float) if matches!(s.as_str(), "NaN" | "inf" | "-inf") => {
            parse::float(s).map(Value::Float)
        }
        (Json::Array(items), DataType::List { item }) => {
            items.iter().map(|j| convert(j, item)).collect::<Option<_>>().map(Value::List)
        }
        (Json::Array(items), DataType::Vector { .. }) => {
            items.iter().map(|j| convert(j, &DataType::Float)).collect::<Option<_>>().map(Value::List)
        }
        _ => None,
    }
}

/// A number as a decimal. The reader of JSON makes a float of a number with a point, which keeps 15 digits; of more
/// digits a text in quotes must be written.
fn decimal(n: &serde_json::Number, precision: u8, scale: u8) -> Option<Value> {
    const EXACT: usize = 15;
    let text = n.to_string();
    let digits = text.split(['e', 'E']).next().unwrap_or_default().bytes().filter(u8::is_ascii_digit).count();
    let zero = usize::from(text.trim_start_matches('-').starts_with("0."));
    let exact = n.is_i64() || n.is_u64() || digits <= EXACT + zero;
    if exact { parse::decimal(&text, precision, scale).map(Value::Decimal) } else { None }
}

/// The values of one column; lists go through polars' own values.
enum Builder {
    Flat(Cells),
    Lists(Vec<Value>),
}

impl Builder {
    fn new(dtype: &DataType) -> Self {
        match dtype {
            DataType::List { .. } | DataType::Vector { .. } => Self::Lists(Vec::new()),
            flat => Self::Flat(Cells::new(flat)),
        }
    }

    fn push(&mut self, value: Value) -> Result<(), RunError> {
        match self {
            Self::Flat(cells) => cells.push(value),
            Self::Lists(values) => values.push(value),
        }
        Ok(())
    }

    fn finish(self, w: &Wanted) -> Result<Column, RunError> {
        match self {
            Self::Flat(cells) => cells.finish(w),
            Self::Lists(values) => {
                let series = crate::types::series(&values, &w.field.dtype);
                Ok(series.with_name(w.field.name.as_str().into()).into_column())
            }
        }
    }
}
