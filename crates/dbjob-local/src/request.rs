//! Tables outside of plans: the rows of a request, and files that are read or written as they are. The format follows
//! from the file's ending.

use std::path::Path;

use dbjob_plan::{CsvOptions, Format, NodeId, RunError, Schema, Source, SourceColumn, TableFormat};
use polars::prelude::{DataFrame, IntoLazy, LazyFrame};

use crate::fault::{Faults, engine_error, guarded};
use crate::sink::{self, unwritable};
use crate::source::{self, Scan, Wanted, files, wanted};

fn format_of(path: &Path) -> Result<Format, RunError> {
    match TableFormat::of(path) {
        Some(TableFormat::Csv) => Ok(Format::Csv(CsvOptions::default())),
        Some(TableFormat::Parquet) => Ok(Format::Parquet),
        Some(TableFormat::Ndjson) => Ok(Format::Ndjson),
        Some(TableFormat::Arrow) => Ok(Format::Arrow),
        None => Err(files::unreadable(path, "its ending tells no format")
            .help("name it .csv, .parquet, .ndjson, .jsonl or .arrow")),
    }
}

fn source(path: &Path, schema: &Schema) -> Result<Source, RunError> {
    let columns = schema
        .fields
        .iter()
        .map(|f| SourceColumn { name: f.name.clone(), header: f.name.clone(), span: Default::default() })
        .collect();
    let text = path.to_str().ok_or_else(|| files::unreadable(path, "its name is not valid Unicode"))?;
    Ok(Source { format: format_of(path)?, path: text.into(), outside: None, columns, key: Vec::new() })
}

/// The columns of `schema` from a file, checked value by value; rows in file order. In CSV an empty cell and each of
/// `nulls` is null.
///
/// Errors: E0701 to E0707, E0712, E0714, E0717.
pub(crate) fn read_request(path: &Path, schema: &Schema, nulls: &[String]) -> Result<LazyFrame, RunError> {
    let mut source = source(path, schema)?;
    if let Format::Csv(options) = &mut source.format {
        options.nulls = nulls.to_vec();
    }
    let wanted = wanted(&source, schema, &|_| true);
    read(&source, &wanted).map(IntoLazy::lazy)
}

/// All columns of a file with the types that its data show.
///
/// Errors: as [`read_request`].
pub(crate) fn read_as_is(path: &Path) -> Result<DataFrame, RunError> {
    let inferred = source::infer(&source(path, &Schema::default())?, Path::new(""))?;
    let source = source(path, &inferred)?;
    read(&source, &wanted(&source, &inferred, &|_| true))
}

fn read(source: &Source, wanted: &[Wanted]) -> Result<DataFrame, RunError> {
    let faults = Faults::default();
    let scan = Scan { node: NodeId::new(0), source, wanted, base: Path::new(""), faults: &faults };
    let collect = |exact: bool| -> Result<Result<DataFrame, RunError>, RunError> {
        let frame = scan.open(exact)?;
        Ok(guarded(|| frame.collect()).map_err(engine_error))
    };
    match collect(false)? {
        Ok(table) => Ok(table),
        Err(failed) => {
            scan.explain()?;
            collect(true)?.map_err(|_| failed)
        }
    }
}

/// Writes a table whole or not at all.
///
/// Errors: E0713.
pub(crate) fn write_table(table: &DataFrame, path: &Path) -> Result<(), RunError> {
    let format = TableFormat::of(path).ok_or_else(|| {
        unwritable(path, "its ending tells no format").help("name it .csv, .parquet, .ndjson, .jsonl or .arrow")
    })?;
    sink::write(table, table.schema(), format, path).map(drop)
}
