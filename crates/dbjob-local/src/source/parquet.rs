//! Parquet. Physical types are widened to those of the language; the file's own statistics spare the checks that they
//! already prove, so that filters still reach the file.

use std::fs::File;
use std::path::Path;

use dbjob_plan::{DataLocation, DataType, RunError};
use polars::prelude::{
    self as pl, ArrowDataType, IntoLazy, LazyFrame, ParquetReader, ScanArgsParquet, SerReader, TimeUnit,
};

use super::files::{near, place, unreadable};
use super::{Scan, Wanted, check};
use crate::fault::{engine_error, guarded};
use crate::types::polars_type;

pub(super) fn scan(scan: &Scan<'_>, file: &Path) -> Result<LazyFrame, RunError> {
    let (schema, proof) = describe(file)?;
    let frame = lazy(file, &schema, scan.wanted)?;
    let mut columns = Vec::with_capacity(scan.wanted.len());
    for w in scan.wanted {
        let stored = stored(&schema, w, file)?;
        let typed = widen(crate::udf::col(w.header.as_str()), stored, w, file)?;
        let proven = w.field.refinement.is_none()
            && !matches!(w.field.dtype, DataType::Category { levels: Some(_) })
            && proof(&w.header);
        let checked = if check::promises(&w.field) && !proven {
            check::lazily(&w.field, typed, scan.faults, scan.node)
        } else {
            typed
        };
        columns.push(checked.alias(w.field.name.as_str()));
    }
    Ok(frame.select(columns))
}

/// The wanted columns as they are stored. Polars' scan stumbles over types that it lacks even in columns that nobody
/// wants; a file that has such is read at once, without them.
fn lazy(file: &Path, schema: &Columns, wanted: &[Wanted]) -> Result<LazyFrame, RunError> {
    if schema.iter().any(|(_, stored)| stored.is_err()) {
        let names = wanted.iter().filter(|w| matches!(find(schema, &w.header), Some(Ok(_)))).map(|w| w.header.clone());
        let source = File::open(file).map_err(|e| unreadable(file, &e.to_string()))?;
        let reader = ParquetReader::new(source).with_columns(Some(names.collect()));
        let table = guarded(|| reader.finish()).map_err(|e| damaged(file, &e.to_string()))?;
        return Ok(table.lazy());
    }
    let path = file.to_str().ok_or_else(|| unreadable(file, "its name is not valid Unicode"))?;
    let args = ScanArgsParquet { glob: false, ..ScanArgsParquet::default() };
    LazyFrame::scan_parquet(path.into(), args).map_err(|e| damaged(file, &e.to_string()))
}

fn damaged(file: &Path, why: &str) -> RunError {
    RunError::new("E0712", format!("{} is damaged or no Parquet file: {why}", file.display())).data(place(file))
}

type Proof = Box<dyn Fn(&str) -> bool>;

/// The columns of a file with their stored types; `Err` names a type that polars lacks here.
pub(super) type Columns = Vec<(String, Result<pl::DataType, String>)>;

fn find<'a>(schema: &'a Columns, name: &str) -> Option<&'a Result<pl::DataType, String>> {
    schema.iter().find(|(n, _)| n == name).map(|(_, stored)| stored)
}

/// Whether polars has the type. It panics over one that it lacks.
fn is_known(dtype: &ArrowDataType) -> bool {
    use ArrowDataType as A;
    match dtype {
        A::Boolean | A::Null => true,
        A::Int8 | A::Int16 | A::Int32 | A::Int64 | A::UInt32 | A::UInt64 => true,
        A::Float32 | A::Float64 | A::Date32 | A::Date64 | A::Timestamp(..) | A::Duration(_) => true,
        A::Utf8 | A::LargeUtf8 | A::Utf8View | A::Binary | A::LargeBinary | A::BinaryView | A::FixedSizeBinary(_) => {
            true
        }
        A::List(item) | A::LargeList(item) | A::Map(item, _) => is_known(&item.dtype),
        A::Struct(fields) => fields.iter().all(|f| is_known(&f.dtype)),
        A::Dictionary(_, value, _) => is_known(value),
        _ => false,
    }
}

/// The file's columns, and whether its statistics prove that a column has no nulls.
///
/// Errors: E0701, E0712.
pub(super) fn describe(file: &Path) -> Result<(Columns, Proof), RunError> {
    let open = || File::open(file).map_err(|e| unreadable(file, &e.to_string()));
    let mut reader = ParquetReader::new(open()?);
    let schema = guarded(|| reader.schema()).map_err(|e| damaged(file, &e.to_string()))?;
    let columns = schema
        .iter_values()
        .map(|field| {
            let stored = if is_known(&field.dtype) {
                guarded(|| Ok(pl::DataType::from_arrow_field(field))).map_err(|e| e.to_string())
            } else {
                Err(format!("{:?}", field.dtype))
            };
            (field.name.to_string(), stored)
        })
        .collect();
    let metadata = reader.get_metadata().map_err(|e| damaged(file, &e.to_string()))?.clone();
    let proof = move |name: &str| {
        metadata.row_groups.iter().all(|group| {
            let mut chunks = group.columns_under_root_iter(name).into_iter().flatten();
            let Some(chunk) = chunks.next() else { return false };
            let nulls = chunk.statistics(&metadata.footer_buf).and_then(Result::ok).and_then(|s| s.null_count());
            chunks.next().is_none() && nulls == Some(0)
        })
    };
    Ok((columns, Box::new(proof)))
}

fn stored<'a>(schema: &'a Columns, w: &Wanted, file: &Path) -> Result<&'a pl::DataType, RunError> {
    let stored = find(schema, &w.header).ok_or_else(|| {
        let error = RunError::new("E0705", format!("{} has no column {:?}", file.display(), w.header))
            .data(DataLocation { column: Some(w.header.clone()), ..place(file) });
        let near = near(&w.header, schema.iter().map(|(n, _)| n.as_str()));
        if near.is_empty() {
            let all: Vec<&str> = schema.iter().take(12).map(|(n, _)| n.as_str()).collect();
            error.help(format!("its columns are {}", all.join(", ")))
        } else {
            error.help(format!("did you mean {}?", near.join(" or ")))
        }
    })?;
    stored.as_ref().map_err(|dtype| {
        let message = format!("column {:?} of {} is {dtype}", w.header, file.display());
        RunError::new("E0717", message)
            .help("this engine cannot read columns of that type: store it as a float, an int or a text")
            .data(DataLocation { column: Some(w.header.clone()), ..place(file) })
    })
}

/// The stored column in the declared type.
///
/// Errors: E0717.
fn widen(x: pl::Expr, stored: &pl::DataType, w: &Wanted, file: &Path) -> Result<pl::Expr, RunError> {
    let target = polars_type(&w.field.dtype);
    if *stored == target {
        return Ok(x);
    }
    let wrong = || {
        let declared = &w.field.dtype;
        let message = format!("column {:?} of {} is {stored}, declared is {declared}", w.header, file.display());
        let help = match to_language(stored) {
            Some(found) => format!("declare `{}: {found}` and convert it in a `derive`", w.field.name),
            None => format!("this engine cannot read {stored} columns"),
        };
        RunError::new("E0717", message).help(help).data(DataLocation { column: Some(w.header.clone()), ..place(file) })
    };
    Ok(match (&w.field.dtype, stored) {
        (DataType::Int, d) if d.is_integer() => x.strict_cast(target),
        (DataType::Float, d) if d.is_integer() || d.is_float() => x.cast(target),
        (DataType::String | DataType::Category { .. }, pl::DataType::Categorical(..) | pl::DataType::Enum(..)) => {
            x.cast(target)
        }
        // Stored instants are UTC whatever their zone; the bits of the unit below microseconds are cut off.
        (DataType::Datetime, pl::DataType::Datetime(unit, _)) | (DataType::Duration, pl::DataType::Duration(unit)) => {
            let ticks = x.to_physical().cast(pl::DataType::Int64);
            let us = match unit {
                TimeUnit::Nanoseconds => ticks.floor_div(pl::lit(1_000_i64)),
                TimeUnit::Microseconds => ticks,
                TimeUnit::Milliseconds => ticks * pl::lit(1_000_i64),
            };
            us.cast(target)
        }
        (DataType::List { .. } | DataType::Vector { .. }, pl::DataType::List(item))
            if item.is_primitive_numeric() || **item == pl::DataType::String =>
        {
            x.strict_cast(target)
        }
        _ => return Err(wrong()),
    })
}

/// The type of the language that a stored type is read as.
pub(super) fn to_language(stored: &pl::DataType) -> Option<DataType> {
    Some(match stored {
        pl::DataType::Boolean => DataType::Bool,
        pl::DataType::String | pl::DataType::Categorical(..) => DataType::String,
        pl::DataType::Date => DataType::Date,
        pl::DataType::Datetime(..) => DataType::Datetime,
        pl::DataType::Duration(_) => DataType::Duration,
        pl::DataType::List(item) => DataType::List { item: Box::new(to_language(item)?) },
        d if d.is_integer() => DataType::Int,
        d if d.is_float() => DataType::Float,
        _ => return None,
    })
}

/// Reads the wanted columns of one file and checks every value.
pub(super) fn explain(scan: &Scan<'_>, file: &Path) -> Result<(), RunError> {
    let (schema, _) = describe(file)?;
    for w in scan.wanted {
        let typed = widen(crate::udf::col(w.header.as_str()), stored(&schema, w, file)?, w, file)?;
        let query = lazy(file, &schema, scan.wanted)?.select([typed.alias(w.field.name.as_str())]);
        let read = guarded(|| query.collect()).map_err(|e| damaged(file, &e.to_string()))?;
        if let Some((index, broken)) = check::column(&w.field, &read.columns()[0]).map_err(engine_error)? {
            let row = index as u64 + 1;
            let message = format!("{} in row {row} of {}", broken.message, file.display());
            let column = Some(w.header.clone());
            return Err(RunError::new(broken.code, message).data(DataLocation {
                row: Some(row),
                column,
                value: broken.value,
                ..place(file)
            }));
        }
    }
    Ok(())
}
