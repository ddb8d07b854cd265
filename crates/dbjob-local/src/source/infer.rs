//! Column types from the data, for datasets without a declaration.

use std::path::Path;

use dbjob_plan::{CsvOptions, DataLocation, DataType, Field, Format, RunError, Schema, Source, parse};
use serde_json::Value as Json;

use super::csv::{head, read_layout, records};
use super::files::{self, shown};
use super::objects::Objects;
use super::stored::{self, Columns};
use super::{arrow, json, ndjson, parquet, partition};
use crate::fetch::{self, Depth, Look};

/// A file up to this size is looked at as a whole.
const WHOLE: u64 = 64 << 20;
/// Of a larger one, that many rows (and no more bytes than [`WHOLE`]).
const ROWS: u64 = 100_000;

/// The columns that the first file of a source has. A column may be null unless all of the data were seen and none is.
///
/// Errors: E0701, E0702, E0703, E0712, E0714, E0717; of a database those of its `infer`.
pub(crate) fn infer(source: &Source, base: &Path) -> Result<Schema, RunError> {
    if let Format::Database(database) = &source.format {
        return fetch::database::infer(source, database, base);
    }
    let look = Look::at(source, base, Depth::Types)?;
    let file = look.first.as_path();
    let only_file = look.files.len() == 1;
    let mut fields = match &source.format {
        Format::Csv(options) => of_csv(file, options, look.whole, only_file)?,
        Format::Parquet => {
            let (columns, no_nulls) = parquet::describe(file)?;
            let mut fields = of_stored(file, &columns, &|name| only_file && no_nulls(name))?;
            partition::add(&look.files, base, &mut fields);
            fields
        }
        Format::Ndjson => of_objects(file, look.whole && only_file, &ndjson::objects)?,
        Format::Json => of_objects(file, look.whole && only_file, &json::objects)?,
        Format::Arrow => of_stored(file, &arrow::describe(file)?, &|_| false)?,
        other => return Err(super::no_file(other)),
    };
    // The names that the user gives to columns.
    for field in &mut fields {
        if let Some(column) = source.columns.iter().find(|c| c.header == field.name) {
            field.name = column.name.clone();
        }
    }
    Ok(Schema::new(fields))
}

/// The names of the columns of the first file; `None` for JSON, where only the rows tell them.
///
/// Errors: those of [`infer`].
pub(crate) fn header(source: &Source, base: &Path) -> Result<Option<Vec<String>>, RunError> {
    if matches!(source.format, Format::Ndjson | Format::Json) || !source.format.is_file() {
        return Ok(None);
    }
    let look = Look::at(source, base, Depth::Names)?;
    let file = look.first.as_path();
    let names = |columns: Columns| columns.into_iter().map(|(name, _)| name.to_string()).collect();
    Ok(Some(match &source.format {
        Format::Csv(options) => read_layout(file, options)?.headers,
        Format::Parquet => {
            let mut names: Vec<String> = names(parquet::describe(file)?.0);
            names.extend(partition::names(&look.files, base, &names));
            names
        }
        _ => names(arrow::describe(file)?),
    }))
}

/// What a column may still be.
#[derive(Debug, Clone)]
pub(super) struct Guess {
    int: bool,
    float: bool,
    bool: bool,
    date: bool,
    datetime: bool,
    pub nulls: bool,
    values: u64,
}

impl Guess {
    pub fn new() -> Self {
        Self { int: true, float: true, bool: true, date: true, datetime: true, nulls: false, values: 0 }
    }

    pub fn see(&mut self, text: Option<&str>, decimal_comma: bool) {
        let Some(text) = text else {
            self.nulls = true;
            return;
        };
        self.values += 1;
        // A number with a leading zero is a code, such as a postcode.
        let digits = text.trim().trim_start_matches(['-', '+']).as_bytes();
        let code = digits.len() > 1 && digits[0] == b'0' && digits[1].is_ascii_digit();
        self.int = self.int && !code && parse::int(text).is_some();
        self.float = self.float
            && !code
            && if decimal_comma { parse::float(&text.replace(',', ".")) } else { parse::float(text) }.is_some();
        self.bool = self.bool && matches!(text.trim().to_ascii_lowercase().as_str(), "true" | "false");
        self.date = self.date && parse::date(text).is_some();
        self.datetime = self.datetime && parse::datetime(text).is_some();
    }

    pub fn dtype(&self) -> DataType {
        if self.values == 0 {
            DataType::String
        } else if self.int {
            DataType::Int
        } else if self.float {
            DataType::Float
        } else if self.bool {
            DataType::Bool
        } else if self.date {
            DataType::Date
        } else if self.datetime {
            DataType::Datetime
        } else {
            DataType::String
        }
    }
}

/// `complete`: the file has all of its rows; else it is the beginning of one.
fn of_csv(file: &Path, options: &CsvOptions, complete: bool, only_file: bool) -> Result<Vec<Field>, RunError> {
    let layout = read_layout(file, options)?;
    let (bytes, whole) = head(file, WHOLE)?;
    let whole = whole && complete;
    let mut guesses = vec![Guess::new(); layout.width()];
    let limit = if whole { u64::MAX } else { ROWS };
    let complete = records(file, bytes, options, layout.width(), limit, &mut |cells| {
        for (guess, cell) in guesses.iter_mut().zip(cells) {
            let null = cell.is_empty() || options.nulls.contains(cell);
            guess.see((!null).then_some(cell), options.decimal_comma);
        }
    })?;
    let seen = whole && complete && only_file;
    Ok(layout
        .headers
        .iter()
        .zip(guesses)
        .map(|(name, guess)| Field::new(name, guess.dtype(), !seen || guess.nulls || guess.values == 0))
        .collect())
}

fn of_stored(file: &Path, columns: &Columns, no_nulls: &dyn Fn(&str) -> bool) -> Result<Vec<Field>, RunError> {
    columns
        .iter()
        .map(|(name, stored)| {
            let typed = || stored.as_ref().map_or_else(Clone::clone, ToString::to_string);
            let dtype = stored.as_ref().ok().and_then(stored::to_language).ok_or_else(|| {
                RunError::new("E0717", format!("column {name:?} of {} is {}", shown(file), typed()))
                    .help("this engine cannot read such columns: declare the dataset's columns without it")
                    .data(files::place(file))
            })?;
            Ok(Field::new(name, dtype, !no_nulls(name)))
        })
        .collect()
}

/// `only`: no other file has rows, and this one has all of its own.
fn of_objects(file: &Path, only: bool, objects: Objects<'_>) -> Result<Vec<Field>, RunError> {
    struct Seen {
        name: String,
        dtype: Option<DataType>,
        rows: u64,
    }
    let mut columns: Vec<Seen> = Vec::new();
    let (mut rows, mut whole) = (0, true);
    objects(file, &mut |spot, object| {
        let row = spot.row;
        if row > ROWS {
            whole = false;
            return Ok(false);
        }
        rows = row;
        for (name, json) in object.0 {
            let at = match columns.iter().position(|c| c.name == name) {
                Some(at) => at,
                None => {
                    columns.push(Seen { name, dtype: None, rows: 0 });
                    columns.len() - 1
                }
            };
            if json != Json::Null {
                let column = &mut columns[at];
                column.rows += 1;
                let merged = of_json(&json).and_then(|new| match column.dtype.take() {
                    None => Some(new),
                    Some(old) => both(old, new),
                });
                let Some(dtype) = merged else {
                    let message =
                        format!("field `{}` of {} has no one type: {json} in {spot}", column.name, shown(file));
                    let name = Some(column.name.clone());
                    let value = Some(json.to_string());
                    return Err(RunError::new("E0717", message)
                        .help(
                            "declare the dataset's columns: this one without it, or with the type that it should have",
                        )
                        .data(DataLocation {
                            row: Some(row),
                            line: spot.line,
                            column: name,
                            value,
                            ..files::place(file)
                        }));
                };
                column.dtype = Some(dtype);
            }
        }
        Ok(true)
    })?;
    if columns.is_empty() {
        return Err(RunError::new("E0702", format!("{} has no rows", shown(file))).data(files::place(file)));
    }
    Ok(columns
        .into_iter()
        .map(|c| {
            let nullable = !(whole && only && c.rows == rows);
            Field::new(c.name, c.dtype.unwrap_or(DataType::String), nullable)
        })
        .collect())
}

/// `None`: an object, or a list of what has no one type.
fn of_json(json: &Json) -> Option<DataType> {
    Some(match json {
        Json::Bool(_) => DataType::Bool,
        Json::Number(n) if n.is_i64() => DataType::Int,
        Json::Number(_) => DataType::Float,
        Json::String(s) if parse::date(s).is_some() => DataType::Date,
        Json::String(s) if parse::datetime(s).is_some() => DataType::Datetime,
        Json::String(_) | Json::Null => DataType::String,
        Json::Object(_) => return None,
        Json::Array(items) => {
            let mut item = None;
            for json in items.iter().filter(|j| **j != Json::Null) {
                let new = of_json(json)?;
                item = Some(match item {
                    None => new,
                    Some(old) => both(old, new)?,
                });
            }
            DataType::List { item: Box::new(item.unwrap_or(DataType::String)) }
        }
    })
}

/// The narrowest type that holds both, if one does: JSON keeps numbers, bools and texts apart.
fn both(a: DataType, b: DataType) -> Option<DataType> {
    let text = |t: &DataType| matches!(t, DataType::String | DataType::Date | DataType::Datetime);
    Some(match (a, b) {
        (a, b) if a == b => a,
        (DataType::Int | DataType::Float, DataType::Int | DataType::Float) => DataType::Float,
        (DataType::Date | DataType::Datetime, DataType::Date | DataType::Datetime) => DataType::Datetime,
        (a, b) if text(&a) && text(&b) => DataType::String,
        (DataType::List { item: a }, DataType::List { item: b }) => DataType::List { item: Box::new(both(*a, *b)?) },
        _ => return None,
    })
}
