//! What `check` says of a table, held against the table that a run wrote: columns and their order, types, nulls, ranges,
//! levels, keys.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use dbjob::hir::{Column, Table};
use dbjob_plan::{Backend, DataType, Format, Refinement, Schema, Source, Value};
use serde_json::Value as Json;

/// The files of one table.
pub struct Written<'a> {
    pub ndjson: &'a Path,
    pub csv: &'a Path,
    pub parquet: &'a Path,
    /// As the run reported them.
    pub rows: Option<u64>,
}

/// Errors: the first promise that does not hold.
pub fn kept(table: &Table, schema: &Schema, written: &Written<'_>) -> Result<(), String> {
    let text = fs::read_to_string(written.ndjson).map_err(|e| e.to_string())?;
    let rows: Vec<serde_json::Map<String, Json>> = text
        .lines()
        .map(|line| serde_json::from_str(line).map_err(|e| format!("{e}: {line}")))
        .collect::<Result<_, _>>()?;
    if written.rows.is_some_and(|rows_told| rows_told != rows.len() as u64) {
        return Err(format!("{:?} rows were reported and {} written", written.rows, rows.len()));
    }
    let promised: Vec<&str> = schema.visible().map(|f| f.name.as_str()).collect();
    let known: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
    if promised != known {
        return Err(format!("the plan has the columns {promised:?}, the checker {known:?}"));
    }
    let mut reader = csv::Reader::from_path(written.csv).map_err(|e| e.to_string())?;
    let header: Vec<String> = reader.headers().map_err(|e| e.to_string())?.iter().map(str::to_owned).collect();
    let open = |name: &String| schema.open.iter().any(|prefix| name.starts_with(prefix.as_str()));
    if !header.iter().zip(&promised).all(|(a, b)| a == b) || !header.iter().skip(promised.len()).all(open) {
        return Err(format!("the columns should be {promised:?} and are {header:?}"));
    }
    let cells: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().map_err(|e| e.to_string())?;
    if cells.len() != rows.len() {
        return Err(format!("{} rows in CSV and {} in NDJSON", cells.len(), rows.len()));
    }
    for (index, column) in table.columns.iter().enumerate() {
        for (row, (object, cells)) in rows.iter().zip(&cells).enumerate() {
            let value = object.get(&column.name).ok_or_else(|| format!("row {row} has no `{}`", column.name))?;
            // JSON has no NaN and no infinity: CSV tells them.
            let float = (column.dtype == DataType::Float && value.is_null()).then(|| cells[index].parse::<f64>().ok());
            let vector =
                matches!(column.dtype, DataType::Vector { .. }).then(|| serde_json::from_str(&cells[index]).ok());
            cell(column, vector.flatten().as_ref().unwrap_or(value), float.flatten())
                .map_err(|why| format!("row {row}: `{}` is {value} ({}): {why}", column.name, &cells[index]))?;
        }
    }
    for key in &table.keys {
        let mut seen = HashSet::new();
        for object in &rows {
            let values: Vec<&Json> = key.iter().map(|name| &object[name]).collect();
            if !seen.insert(serde_json::to_string(&values).expect("JSON")) {
                return Err(format!("{key:?} should be unique, and {values:?} is there twice"));
            }
        }
    }
    if written.parquet.exists() { stored_types(schema, written.parquet) } else { Ok(()) }
}

/// Whether a value is one of the column's. `float`: what JSON cannot say.
fn cell(column: &Column, value: &Json, float: Option<f64>) -> Result<(), String> {
    if value.is_null() && float.is_none() {
        return if column.nullable { Ok(()) } else { Err("it is never null".into()) };
    }
    let number = float.or_else(|| value.as_f64());
    let fits = match &column.dtype {
        DataType::Int | DataType::Duration => value.is_i64(),
        DataType::Float => number.is_some(),
        DataType::Bool => value.is_boolean(),
        DataType::String => value.is_string(),
        DataType::Category { levels } => {
            value.as_str().is_some_and(|text| levels.as_ref().is_none_or(|l| l.iter().any(|level| level == text)))
        }
        DataType::Date => value.as_str().is_some_and(|text| text.len() >= 10 && !text.contains('T')),
        DataType::Datetime => value.as_str().is_some_and(|text| text.contains('T')),
        DataType::Vector { width } => {
            value.as_array().is_some_and(|items| width.is_none_or(|w| items.len() == w) && items.iter().all(is_item))
        }
        DataType::List { .. } => value.is_array(),
        DataType::Decimal { .. } => value.is_number() || value.is_string(),
        DataType::Unknown => false,
    };
    if !fits {
        return Err(format!("it should be {}", column.dtype));
    }
    // NaN is above every number.
    let number = match &column.dtype {
        DataType::Int | DataType::Float => number.map(|x| if x.is_nan() { f64::INFINITY } else { x }),
        _ => None,
    };
    if let Some(x) = number {
        let range = column.range;
        // The mean of three 0.1 is a little more than 0.1; a sign is never wrong.
        let slack = |bound: f64| if column.dtype == DataType::Float { bound.abs() * 1e-12 } else { 0.0 };
        let low = x > range.low - slack(range.low) || (x == range.low && !range.above);
        let high = x < range.high + slack(range.high) || (x == range.high && !range.below);
        if !low || !high {
            return Err(format!("it lies in {range:?}"));
        }
    }
    match &column.refinement {
        Some(Refinement::OneOf(values)) if !values.iter().any(|v| same(v, value)) => {
            Err(format!("it is one of {values:?}"))
        }
        _ => Ok(()),
    }
}

/// Whether it is a float of a vector as a cell of CSV has it.
fn is_item(item: &Json) -> bool {
    item.is_number() || matches!(item.as_str(), Some("inf" | "-inf" | "NaN"))
}

fn same(promised: &Value, found: &Json) -> bool {
    match promised {
        Value::String(text) => found.as_str() == Some(text),
        other => other.as_f64().zip(found.as_f64()).is_none_or(|(a, b)| a == b),
    }
}

/// The types of a Parquet file as it is read again.
fn stored_types(schema: &Schema, file: &Path) -> Result<(), String> {
    let path = file.to_string_lossy().into_owned();
    let source = Source { format: Format::Parquet, path, outside: None, columns: Vec::new(), key: Vec::new() };
    let stored = dbjob_local::LocalEngine.infer(&source, Path::new("/")).map_err(|e| e.to_string())?;
    for field in schema.visible() {
        let found = stored.get(&field.name).ok_or_else(|| format!("no column `{}` in the Parquet file", field.name))?;
        if !stored_as(&field.dtype, &found.dtype) {
            return Err(format!("`{}` is {} and stored as {}", field.name, field.dtype, found.dtype));
        }
    }
    Ok(())
}

/// Whether a file that holds `stored` can hold what is `promised`: it knows no levels and no widths.
fn stored_as(promised: &DataType, stored: &DataType) -> bool {
    match (promised, stored) {
        (DataType::List { item: a }, DataType::List { item: b }) => stored_as(a, b),
        (DataType::Vector { .. }, DataType::Vector { .. } | DataType::List { .. }) => true,
        (a, b) => a == b || a.is_text() && b.is_text(),
    }
}
