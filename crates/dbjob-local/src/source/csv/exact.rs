//! The exact reader: cell by cell, on the `csv` crate. Blank lines are no rows; a row must have as many cells as the
//! header; a cell must be of its column's type and keep its promises. Whatever is wrong is named with row and line.

use std::path::Path;

use dbjob_plan::{CsvOptions, DataLocation, DataType, RunError, Value, parse};
use polars::prelude::{self as pl, Column, DataFrame, IntoColumn};

use super::layout::{BOM, builder, decode, read_layout};
use crate::decimal;
use crate::fault::engine_error;
use crate::source::files::{place, unreadable};
use crate::source::{Wanted, check, expected};
use crate::types::polars_type;

/// The wanted columns of one file.
///
/// Errors: E0701 to E0707, E0714.
pub(crate) fn read_exact(wanted: &[Wanted], file: &Path, options: &CsvOptions) -> Result<DataFrame, RunError> {
    let layout = read_layout(file, options)?;
    let places = layout.places(wanted, file, options)?;
    let text = prepared(file, options)?;
    let mut reader = builder(options).from_reader(text.as_slice());
    let mut columns: Vec<Cells> = wanted.iter().map(|w| Cells::new(&w.field.dtype)).collect();
    let mut record = csv::ByteRecord::new();
    let mut row = 0;
    let mut header = options.header;
    while reader.read_byte_record(&mut record).map_err(|e| unreadable(file, &e.to_string()))? {
        if std::mem::take(&mut header) {
            continue;
        }
        row += 1;
        let here = || DataLocation { row: Some(row), line: Some(line_of(&text, &record)), ..place(file) };
        if reader.position().byte() as usize >= text.len() && ends_in_quotes(&text, &record, options) {
            return Err(unclosed(here()));
        }
        if record.len() != layout.width() {
            return Err(ragged(record.len(), layout.width(), options, here()));
        }
        for ((w, place), cells) in wanted.iter().zip(&places).zip(&mut columns) {
            let cell = &record[*place];
            let at = |value: Option<String>| DataLocation { column: Some(w.header.clone()), value, ..here() };
            let Some(text) = decode(cell, options.encoding) else {
                let at = at(Some(String::from_utf8_lossy(cell).into_owned()));
                let message = format!("{} is not valid UTF-8 in {}", column(w), spot(&at));
                return Err(RunError::new("E0714", message).help(LATIN).data(at));
            };
            let value = if text.is_empty() || options.nulls.contains(&text) {
                Value::Null
            } else {
                match read(&text, &w.field.dtype, options.decimal_comma) {
                    Some(value) => value,
                    None => {
                        let message = format!("{text:?} is not {}", expected(&w.field.dtype));
                        let at = at(Some(text));
                        return Err(
                            RunError::new("E0704", format!("{message}: {} in {}", column(w), spot(&at))).data(at)
                        );
                    }
                }
            };
            if let Err(broken) = check::value(&w.field, &value) {
                let at = at(broken.value);
                return Err(RunError::new(broken.code, format!("{} in {}", broken.message, spot(&at))).data(at));
            }
            cells.push(value);
        }
    }
    let columns: Vec<Column> =
        columns.into_iter().zip(wanted).map(|(cells, w)| cells.finish(w)).collect::<Result<_, _>>()?;
    DataFrame::new(row as usize, columns).map_err(engine_error)
}

const LATIN: &str = "if the file is in Latin-1, say `encoding = \"latin-1\"`";

fn ragged(n: usize, all: usize, options: &CsvOptions, at: DataLocation) -> RunError {
    let cells = if n == 1 { "cell" } else { "cells" };
    let against = if options.header { "the header" } else { "the first row" };
    RunError::new("E0703", format!("{} has {n} {cells}, {against} has {all}", spot(&at)))
        .help("quote cells that hold the delimiter, or give the right `delimiter` and `quote`")
        .data(at)
}

fn unclosed(at: DataLocation) -> RunError {
    RunError::new("E0703", format!("{} opens a quote that is never closed", spot(&at)))
        .help("close the quote, or give the right `quote` if it is a character like any other")
        .data(at)
}

/// Whether the text, whose last record this is, ends inside a quoted cell: the `csv` crate takes all the rest for that
/// cell.
fn ends_in_quotes(text: &[u8], record: &csv::ByteRecord, options: &CsvOptions) -> bool {
    enum At {
        Start,
        Quoted,
        Closed,
        Plain,
    }
    let (Some(quote), Some(position)) = (options.quote, record.position()) else { return false };
    let mut at = At::Start;
    for byte in &text[(position.byte() as usize).min(text.len())..] {
        let ends = *byte == options.delimiter || matches!(byte, b'\r' | b'\n');
        at = match at {
            At::Quoted if *byte == quote => At::Closed,
            At::Quoted => At::Quoted,
            At::Start | At::Closed if *byte == quote => At::Quoted,
            _ if ends => At::Start,
            _ => At::Plain,
        };
    }
    matches!(at, At::Quoted)
}

fn column(w: &Wanted) -> String {
    format!("column `{}`", w.header)
}

fn spot(at: &DataLocation) -> String {
    format!(
        "row {} (line {}) of {}",
        at.row.unwrap_or_default(),
        at.line.unwrap_or_default(),
        at.file.as_deref().unwrap_or("the file")
    )
}

/// The text of the file with the byte order mark and all skipped and commented lines taken out, their line ends left in,
/// so that lines keep their numbers.
fn prepared(file: &Path, options: &CsvOptions) -> Result<Vec<u8>, RunError> {
    Ok(without_comments(std::fs::read(file).map_err(|e| unreadable(file, &e.to_string()))?, options))
}

fn without_comments(text: Vec<u8>, options: &CsvOptions) -> Vec<u8> {
    if options.skip == 0 && options.comment.is_none() {
        return match text.strip_prefix(BOM) {
            Some(rest) => rest.to_vec(),
            None => text,
        };
    }
    let mut out = Vec::with_capacity(text.len());
    let mut in_quotes = false;
    for (number, line) in text.strip_prefix(BOM).unwrap_or(&text).split_inclusive(|b| *b == b'\n').enumerate() {
        let comment = !in_quotes && options.comment.as_deref().is_some_and(|c| line.starts_with(c.as_bytes()));
        if (number as u64) < options.skip || comment {
            out.push(b'\n');
            continue;
        }
        if let Some(quote) = options.quote {
            in_quotes ^= memchr::memchr_iter(quote, line).count() % 2 == 1;
        }
        out.extend_from_slice(line);
    }
    out
}

/// The 1-based line where a record begins; the reader's own position is that of the blank lines before it.
fn line_of(text: &[u8], record: &csv::ByteRecord) -> u64 {
    let Some(position) = record.position() else { return 0 };
    let rest = &text[(position.byte() as usize).min(text.len())..];
    let blank = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n')).filter(|b| **b == b'\n').count();
    position.line() + blank as u64
}

/// A text as a value of the type, if it is one.
pub(crate) fn cell(text: &str, dtype: &DataType) -> Option<Value> {
    read(text, dtype, false)
}

/// A cell as a value of the type, if it is one.
pub(super) fn read(text: &str, dtype: &DataType, decimal_comma: bool) -> Option<Value> {
    match dtype {
        DataType::Int => parse::int(text).map(Value::Int),
        DataType::Decimal { precision, scale } if decimal_comma => {
            parse::decimal(&text.replace(',', "."), *precision, *scale).map(Value::Decimal)
        }
        DataType::Decimal { precision, scale } => parse::decimal(text, *precision, *scale).map(Value::Decimal),
        DataType::Float if decimal_comma => parse::float(&text.replace(',', ".")).map(Value::Float),
        DataType::Float => parse::float(text).map(Value::Float),
        DataType::Bool => parse::bool(text).map(Value::Bool),
        DataType::Date => parse::date(text).map(Value::Date),
        DataType::Datetime => parse::datetime(text).map(Value::Datetime),
        _ => Some(Value::String(text.to_string())),
    }
}

/// The values of one column as they come.
pub(crate) enum Cells {
    Int(Vec<Option<i64>>),
    Float(Vec<Option<f64>>),
    Decimal(Vec<Option<i128>>, decimal::Digits),
    Bool(Vec<Option<bool>>),
    Date(Vec<Option<i32>>),
    Micros(Vec<Option<i64>>),
    Text(Vec<Option<String>>),
}

impl Cells {
    pub fn new(dtype: &DataType) -> Self {
        match dtype {
            DataType::Int => Self::Int(Vec::new()),
            DataType::Float => Self::Float(Vec::new()),
            DataType::Decimal { precision, scale } => Self::Decimal(Vec::new(), (*precision, *scale)),
            DataType::Bool => Self::Bool(Vec::new()),
            DataType::Date => Self::Date(Vec::new()),
            DataType::Datetime | DataType::Duration => Self::Micros(Vec::new()),
            _ => Self::Text(Vec::new()),
        }
    }

    /// A value of another type than the column's becomes null; the caller has made it of the column's.
    pub fn push(&mut self, value: Value) {
        match (self, value) {
            (Self::Int(v), value) => v.push(value.as_i64()),
            (Self::Float(v), value) => v.push(value.as_f64()),
            (Self::Decimal(v, (_, scale)), Value::Decimal(d)) => v.push(d.with_scale(*scale).map(|d| d.unscaled)),
            (Self::Decimal(v, _), _) => v.push(None),
            (Self::Bool(v), value) => v.push(value.as_bool()),
            (Self::Date(v), Value::Date(d)) => v.push(Some(d)),
            (Self::Date(v), _) => v.push(None),
            (Self::Micros(v), Value::Datetime(us) | Value::Duration(us)) => v.push(Some(us)),
            (Self::Micros(v), _) => v.push(None),
            (Self::Text(v), Value::String(s)) => v.push(Some(s)),
            (Self::Text(v), _) => v.push(None),
        }
    }

    pub fn finish(self, w: &Wanted) -> Result<Column, RunError> {
        let column = match self {
            Self::Int(v) => pl::Int64Chunked::from_iter(v).into_column(),
            Self::Float(v) => pl::Float64Chunked::from_iter(v).into_column(),
            Self::Decimal(v, digits) => decimal::column(pl::Int128Chunked::from_iter(v), digits),
            Self::Bool(v) => pl::BooleanChunked::from_iter(v).into_column(),
            Self::Date(v) => pl::Int32Chunked::from_iter(v).into_column(),
            Self::Micros(v) => pl::Int64Chunked::from_iter(v).into_column(),
            Self::Text(v) => pl::StringChunked::from_iter(v).into_column(),
        };
        let column = column.cast(&polars_type(&w.field.dtype)).map_err(engine_error)?;
        Ok(column.with_name(w.field.name.as_str().into()))
    }
}

/// Calls `visit` with the cells of each of the first `limit` rows in `bytes`, the beginning of a file. Gives whether that
/// were all rows.
///
/// Errors: E0703, E0714.
pub(crate) fn records(
    file: &Path,
    bytes: Vec<u8>,
    options: &CsvOptions,
    width: usize,
    limit: u64,
    visit: &mut dyn FnMut(&[String]),
) -> Result<bool, RunError> {
    let text = without_comments(bytes, options);
    let mut reader = builder(options).from_reader(text.as_slice());
    let mut record = csv::ByteRecord::new();
    let (mut row, mut header, mut cells) = (0, options.header, Vec::new());
    while reader.read_byte_record(&mut record).map_err(|e| unreadable(file, &e.to_string()))? {
        if std::mem::take(&mut header) {
            continue;
        }
        if row == limit {
            return Ok(false);
        }
        row += 1;
        let at = DataLocation { row: Some(row), line: Some(line_of(&text, &record)), ..place(file) };
        if reader.position().byte() as usize >= text.len() && ends_in_quotes(&text, &record, options) {
            // Of the beginning of a file the last row may be cut inside its quotes.
            return if limit == u64::MAX { Err(unclosed(at)) } else { Ok(false) };
        }
        if record.len() != width {
            return Err(ragged(record.len(), width, options, at));
        }
        cells.clear();
        for cell in &record {
            let Some(cell) = decode(cell, options.encoding) else {
                let message = format!("{:?} is not valid UTF-8 in {}", String::from_utf8_lossy(cell), spot(&at));
                return Err(RunError::new("E0714", message).help(LATIN).data(at));
            };
            cells.push(cell);
        }
        visit(&cells);
    }
    Ok(true)
}
