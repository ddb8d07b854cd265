//! NDJSON: one JSON object a line. Missing fields are null, further ones are not read. Read by an own reader, because
//! polars' takes what does not fit a type for null.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use dbjob_plan::{DataLocation, DataType, RunError, Value};
use polars::prelude::{Column, DataFrame, IntoLazy, LazyFrame};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value as Json;

use super::csv::Cells;
use super::files::{near, place, unreadable};
use super::{Scan, Wanted, check, expected};
use crate::fault::engine_error;
use crate::function::parse;

pub(super) fn scan(scan: &Scan<'_>, file: &Path) -> Result<LazyFrame, RunError> {
    Ok(read(scan.wanted, file)?.lazy())
}

pub(super) fn explain(wanted: &[Wanted], file: &Path) -> Result<(), RunError> {
    read(wanted, file).map(drop)
}

/// A JSON object with its fields in order; of two with one name the last counts.
pub(super) struct Object(pub Vec<(String, Json)>);

impl Object {
    fn get(&self, name: &str) -> Option<&Json> {
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

/// Calls `visit` with row (1-based), line (1-based) and object of every line that is not blank, until it says no.
///
/// Errors: E0701, E0712.
pub(super) fn objects(
    file: &Path,
    visit: &mut dyn FnMut(u64, u64, Object) -> Result<bool, RunError>,
) -> Result<(), RunError> {
    let wrong = |e: std::io::Error| unreadable(file, &e.to_string());
    let mut reader = BufReader::with_capacity(1 << 18, File::open(file).map_err(wrong)?);
    let (mut line, mut number, mut row) = (Vec::new(), 0, 0);
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).map_err(wrong)? == 0 {
            return Ok(());
        }
        number += 1;
        let text = line.strip_prefix(b"\xEF\xBB\xBF").filter(|_| number == 1).unwrap_or(&line);
        if text.trim_ascii().is_empty() {
            continue;
        }
        row += 1;
        let damaged = |why: String| {
            let at = DataLocation { row: Some(row), line: Some(number), ..place(file) };
            RunError::new("E0712", format!("line {number} of {} is {why}", file.display())).data(at)
        };
        if !text.trim_ascii_start().starts_with(b"{") {
            return Err(damaged("no JSON object".into()));
        }
        // The reader sees one line at a time, so its own count of lines says nothing.
        let object = serde_json::from_slice(text.trim_ascii_end()).map_err(|e| {
            damaged(format!("not valid JSON: {}", e.to_string().replace(" at line 1 column ", " at column ")))
        })?;
        if !visit(row, number, object)? {
            return Ok(());
        }
    }
}

fn read(wanted: &[Wanted], file: &Path) -> Result<DataFrame, RunError> {
    let mut cells: Vec<Column> = Vec::new();
    let mut columns: Vec<Builder> = wanted.iter().map(|w| Builder::new(&w.field.dtype)).collect();
    let mut seen = vec![false; wanted.len()];
    let mut names: Vec<String> = Vec::new();
    let mut rows = 0;
    objects(file, &mut |row, line, object| {
        rows = row as usize;
        if names.len() < 1_000 && seen.contains(&false) {
            names.extend(object.0.iter().map(|(k, _)| k).filter(|k| !names.contains(k)).cloned().collect::<Vec<_>>());
        }
        for (i, w) in wanted.iter().enumerate() {
            let found = object.get(&w.header);
            seen[i] |= found.is_some();
            let at = |value: Option<String>| DataLocation {
                row: Some(row),
                line: Some(line),
                column: Some(w.header.clone()),
                value,
                ..place(file)
            };
            let json = found.unwrap_or(&Json::Null);
            let Some(value) = convert(json, &w.field.dtype) else {
                let message = format!(
                    "{json} is not {}: field `{}` in line {line} of {}",
                    expected(&w.field.dtype),
                    w.header,
                    file.display()
                );
                return Err(RunError::new("E0704", message).data(at(Some(json.to_string()))));
            };
            if let Err(broken) = check::value(&w.field, &value) {
                // A field that no line has is a misspelt name rather than a null.
                if found.is_none() && !seen[i] {
                    break;
                }
                let message = format!("{} in line {line} of {}", broken.message, file.display());
                return Err(RunError::new(broken.code, message).data(at(broken.value)));
            }
            columns[i].push(value)?;
        }
        Ok(!wanted.iter().enumerate().any(|(i, w)| !seen[i] && !w.field.nullable))
    })?;
    if rows > 0
        && let Some(i) = seen.iter().position(|s| !s)
    {
        let header = &wanted[i].header;
        let error = RunError::new("E0705", format!("no line of {} has the field {header:?}", file.display()))
            .data(DataLocation { column: Some(header.clone()), ..place(file) });
        let near = near(header, names.iter().map(String::as_str));
        return Err(if near.is_empty() {
            error.help(format!("its fields are {}", names.iter().take(12).cloned().collect::<Vec<_>>().join(", ")))
        } else {
            error.help(format!("did you mean {}?", near.join(" or ")))
        });
    }
    for (builder, w) in columns.into_iter().zip(wanted) {
        cells.push(builder.finish(w)?);
    }
    DataFrame::new(rows, cells).map_err(engine_error)
}

/// A JSON value in the type of the column, if it is one.
fn convert(json: &Json, dtype: &DataType) -> Option<Value> {
    match (json, dtype) {
        (Json::Null, _) => Some(Value::Null),
        (Json::Number(n), DataType::Int) => n.as_i64().map(Value::Int),
        (Json::Number(n), DataType::Float) => n.as_f64().map(Value::Float),
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

/// The values of one column; lists go through polars' own values.
enum Builder {
    Flat(Cells),
    Lists(Vec<polars::prelude::AnyValue<'static>>),
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
            Self::Lists(values) => values.push(crate::types::any_value(&value)),
        }
        Ok(())
    }

    fn finish(self, w: &Wanted) -> Result<Column, RunError> {
        match self {
            Self::Flat(cells) => cells.finish(w),
            Self::Lists(values) => {
                let dtype = crate::types::polars_type(&w.field.dtype);
                let name = w.field.name.as_str().into();
                let series = polars::prelude::Series::from_any_values_and_dtype(name, &values, &dtype, true);
                series.map(Column::from).map_err(engine_error)
            }
        }
    }
}
