//! CSV. Regular files go through polars' typed scan; what it would misread or cannot explain goes through [`exact`].

mod exact;
mod layout;
mod regular;

use std::path::{Path, PathBuf};

use dbjob_plan::{CsvOptions, DataType, Encoding, NodeId, RunError, parse};
use polars::prelude::{
    self as pl, Column, IntoColumn, IntoLazy, LazyCsvReader, LazyFileListReader, LazyFrame, NullValues,
};

use super::{Scan, Wanted, check};
use crate::decimal;
use crate::fault::{Fault, Faults, engine_error};
use crate::types::polars_type;
use crate::udf;

pub(crate) use exact::{Cells, cell, read_exact, records};
pub(crate) use layout::{head, read_layout};

/// Files one below the other. Those in a row that are laid out alike are one scan: it reads a few of them at a time, where
/// a union of scans has all of them open.
pub(super) fn scan(
    scan: &Scan<'_>,
    files: &[PathBuf],
    options: &CsvOptions,
    exact: bool,
) -> Result<Vec<LazyFrame>, RunError> {
    let mut frames = Vec::new();
    let mut alike: Option<(Shape, Vec<pl::PlRefPath>)> = None;
    for file in files {
        let shape = if exact { None } else { shape(scan, file, options)? };
        if let Some((of_all, paths)) = alike.take_if(|(of_all, _)| shape.as_ref() != Some(of_all)) {
            frames.push(regular(scan, &of_all, paths, options)?);
        }
        match shape {
            None => frames.push(read_exact(scan.wanted, file, options)?.lazy()),
            Some(shape) => {
                let path =
                    file.to_str().ok_or_else(|| super::files::unreadable(file, "its name is not valid Unicode"))?;
                alike.get_or_insert_with(|| (shape, Vec::new())).1.push(path.into());
            }
        }
    }
    if let Some((of_all, paths)) = alike {
        frames.push(regular(scan, &of_all, paths, options)?);
    }
    Ok(frames)
}

/// What a scan needs to know of a regular file.
#[derive(PartialEq)]
struct Shape {
    /// The place of each wanted column.
    places: Vec<usize>,
    width: usize,
    quotes: bool,
}

/// `None`: polars would misread it.
fn shape(scan: &Scan<'_>, file: &Path, options: &CsvOptions) -> Result<Option<Shape>, RunError> {
    let layout = read_layout(file, options)?;
    let places = layout.places(scan.wanted, file, options)?;
    let look = regular::look(file, options, layout.width())?;
    let is_regular = look.regular && options.encoding != Encoding::Latin1;
    Ok(is_regular.then(|| Shape { places, width: layout.width(), quotes: look.quotes }))
}

fn regular(
    scan: &Scan<'_>,
    Shape { places, width, quotes }: &Shape,
    paths: Vec<pl::PlRefPath>,
    options: &CsvOptions,
) -> Result<LazyFrame, RunError> {
    // Names of our own: those of the file may be missing or doubled.
    let name = |place: usize| format!("c{place}");
    let mut schema = pl::Schema::default();
    for place in 0..*width {
        let dtype = places.iter().position(|p| *p == place).map(|i| raw_type(&scan.wanted[i].field.dtype));
        schema.with_column(name(place).into(), dtype.unwrap_or(pl::DataType::String));
    }
    let mut nulls: Vec<pl::PlSmallStr> = options.nulls.iter().map(|n| n.as_str().into()).collect();
    if *quotes {
        // Polars takes a quoted empty cell for a text.
        nulls.push("".into());
    }
    let frame = LazyCsvReader::new_paths(paths.into())
        .with_glob(false)
        .with_schema(Some(schema.into()))
        .with_has_header(options.header)
        .with_skip_lines(options.skip as usize)
        .with_separator(options.delimiter)
        .with_quote_char(options.quote)
        .with_comment_prefix(options.comment.as_deref().map(Into::into))
        .with_decimal_comma(options.decimal_comma)
        .with_null_values((!nulls.is_empty()).then_some(NullValues::AllColumns(nulls)))
        .with_raise_if_empty(false)
        .with_rechunk(false)
        .finish()
        .map_err(engine_error)?;
    let columns: Vec<pl::Expr> = scan
        .wanted
        .iter()
        .zip(places)
        .map(|(w, place)| {
            convert(w, crate::udf::col(name(*place).as_str()), options.decimal_comma, (scan.faults, scan.node))
                .alias(w.field.name.as_str())
        })
        .collect();
    Ok(frame.select(columns))
}

/// What polars parses itself; the rest arrives as text and is read by [`parse`], strictly.
fn raw_type(dtype: &DataType) -> pl::DataType {
    match dtype {
        DataType::Int => pl::DataType::Int64,
        DataType::Float => pl::DataType::Float64,
        _ => pl::DataType::String,
    }
}

fn convert(w: &Wanted, raw: pl::Expr, decimal_comma: bool, (faults, node): (&Faults, NodeId)) -> pl::Expr {
    let typed = match w.field.dtype {
        DataType::Bool | DataType::Date | DataType::Datetime | DataType::Decimal { .. } => {
            let (faults, field) = (faults.clone(), w.field.clone());
            udf::map1(raw, polars_type(&w.field.dtype), move |c| {
                read_text(&field.dtype, c, decimal_comma)?.map_err(|text| {
                    let message = format!("{text:?} is not {}", super::expected(&field.dtype));
                    let column = Some(field.name.clone());
                    faults.raise(Fault { node, span: None, code: "E0704", message, column, value: Some(text) })
                })
            })
        }
        _ => raw,
    };
    if check::promises(&w.field) { check::lazily(&w.field, typed, faults, node) } else { typed }
}

/// A text column as bools, dates or datetimes; `Err` has the first text that is none.
fn read_text(dtype: &DataType, c: &Column, decimal_comma: bool) -> pl::PolarsResult<Result<Column, String>> {
    fn all<T>(c: &Column, read: impl Fn(&str) -> Option<T>) -> pl::PolarsResult<Result<Vec<Option<T>>, String>> {
        let mut out = Vec::with_capacity(c.len());
        for text in c.str()?.iter() {
            match text.map(|t| (t, read(t))) {
                Some((text, None)) => return Ok(Err(text.to_string())),
                other => out.push(other.and_then(|(_, value)| value)),
            }
        }
        Ok(Ok(out))
    }
    let target = polars_type(dtype);
    Ok(match dtype {
        DataType::Decimal { precision, scale } => {
            let digits = (*precision, *scale);
            let read = |text: &str| match decimal_comma {
                true => parse::decimal(&text.replace(',', "."), digits.0, digits.1),
                false => parse::decimal(text, digits.0, digits.1),
            };
            all(c, read)?.map(|v| decimal::column(v.into_iter().map(|d| d.map(|d| d.unscaled)).collect(), digits))
        }
        DataType::Bool => all(c, parse::bool)?.map(|v| pl::BooleanChunked::from_iter(v).into_column()),
        DataType::Date => match all(c, parse::date)? {
            Ok(v) => Ok(pl::Int32Chunked::from_iter(v).into_column().cast(&target)?),
            Err(e) => Err(e),
        },
        _ => match all(c, parse::datetime)? {
            Ok(v) => Ok(pl::Int64Chunked::from_iter(v).into_column().cast(&target)?),
            Err(e) => Err(e),
        },
    })
}
