//! Tables in requests: Arrow IPC files and Parquet, from memory to memory.

use std::io::Cursor;

use dbjob_plan::{DataType, Field, RunError, TableFormat};
use dbjob_serve::{Columns, FileError, FileLimits, Values};
use polars::prelude::{
    self as pl, Column, DataFrame, IpcReader, IpcWriter, ParquetReader, ParquetWriter, PolarsResult, SerReader,
    SerWriter,
};

use crate::chunks;
use crate::fault::{engine_error, guarded};
use crate::types::polars_type;

/// A column for each field, of its type.
pub(super) fn read(
    format: TableFormat,
    file: &[u8],
    fields: &[Field],
    limits: FileLimits,
) -> Result<Columns, FileError> {
    let name = if format == TableFormat::Arrow { "an Arrow IPC file" } else { "a Parquet file" };
    let broken = |e: pl::PolarsError| FileError::Broken(format!("the body is not {name}: {e}"));
    let whole = guarded(|| open(format, file, limits)).map_err(broken)?;
    let whole = whole.map_err(FileError::TooLarge)?;
    if whole.height() > limits.rows {
        return Err(FileError::TooLarge(format!("a table may have {} rows at most", limits.rows)));
    }
    let mut wrong = Vec::new();
    for column in whole.columns().iter().filter(|c| !fields.iter().any(|f| f.name == c.name().as_str())) {
        wrong.push((column.name().to_string(), "is no field of this model".to_owned()));
    }
    let mut columns = Vec::new();
    for field in fields {
        match whole.column(&field.name) {
            Err(_) => wrong.push((field.name.clone(), "is missing".to_owned())),
            Ok(column) => match typed(column, &field.dtype) {
                Some(values) => columns.push(values),
                None => {
                    let reason = format!("is of the type {}, not {}", column.dtype(), field.dtype);
                    wrong.push((field.name.clone(), reason));
                }
            },
        }
    }
    if wrong.is_empty() { Ok(Columns::from_columns(columns, whole.height())) } else { Err(FileError::Wrong(wrong)) }
}

/// The table, or why it is too large. What a Parquet file unpacks to stands in it.
fn open(format: TableFormat, file: &[u8], limits: FileLimits) -> PolarsResult<Result<DataFrame, String>> {
    if format == TableFormat::Arrow {
        return IpcReader::new(Cursor::new(file)).with_n_rows(Some(limits.rows + 1)).finish().map(Ok);
    }
    let mut reader = ParquetReader::new(Cursor::new(file));
    let about = reader.get_metadata()?.clone();
    if about.num_rows > limits.rows {
        return Ok(Err(format!("a table may have {} rows at most", limits.rows)));
    }
    let bytes: usize = about.row_groups.iter().map(|g| g.total_byte_size()).fold(0, usize::saturating_add);
    if bytes > limits.bytes {
        return Ok(Err(format!("a table may unpack to {} bytes at most", limits.bytes)));
    }
    reader.finish().map(Ok)
}

/// Widened without loss; `None` where the types do not fit.
fn typed(column: &Column, dtype: &DataType) -> Option<Values> {
    use pl::DataType as P;
    let stored = column.dtype();
    let fits = match dtype {
        DataType::Int => stored.is_integer(),
        DataType::Float => stored.is_float() || stored.is_integer(),
        DataType::Bool => *stored == P::Boolean,
        DataType::String | DataType::Category { .. } => *stored == P::String,
        DataType::Date => *stored == P::Date,
        DataType::Datetime => matches!(stored, P::Datetime(..) | P::Date),
        DataType::Duration => matches!(stored, P::Duration(_)),
        DataType::Decimal { .. } => stored.is_decimal() || stored.is_integer(),
        DataType::List { .. } | DataType::Vector { .. } => matches!(stored, P::List(_)),
        DataType::Unknown => false,
    };
    let fits = fits || *stored == P::Null;
    let cast = guarded(|| column.strict_cast(&polars_type(dtype))).ok().filter(|_| fits)?;
    chunks::values(&cast, dtype).ok()
}

/// A table as a file.
///
/// Errors: E0799.
pub(super) fn write(format: TableFormat, columns: &[(String, Values)], fields: &[Field]) -> Result<Vec<u8>, RunError> {
    let typed = columns.iter().zip(fields).map(|((name, values), field)| chunks::column(name, values, &field.dtype));
    let typed = typed.collect::<PolarsResult<Vec<_>>>().map_err(engine_error)?;
    let rows = columns.first().map_or(0, |(_, values)| values.len());
    let mut out = Vec::new();
    guarded(|| {
        let mut whole = DataFrame::new(rows, typed)?;
        match format {
            TableFormat::Arrow => IpcWriter::new(&mut out).finish(&mut whole),
            _ => ParquetWriter::new(&mut out).finish(&mut whole).map(drop),
        }
    })
    .map_err(engine_error)?;
    Ok(out)
}
