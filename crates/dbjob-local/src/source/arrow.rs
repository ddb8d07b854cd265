//! Arrow IPC: the file format and the stream format, told apart by how a file begins.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use dbjob_plan::RunError;
use polars::prelude::{DataFrame, IntoLazy, IpcReader, IpcStreamReader, LazyFrame, SerReader};

use super::files::{place, shown, unreadable};
use super::stored::{self, Columns, Origin};
use super::{Scan, Wanted};
use crate::fault::guarded;

pub(super) fn scan(scan: &Scan<'_>, file: &Path) -> Result<LazyFrame, RunError> {
    let (columns, table) = read(file, Some(scan.wanted))?;
    let origin = Origin::File(file);
    let exprs = scan
        .wanted
        .iter()
        .map(|w| stored::typed(&columns, w, &origin, false, (scan.faults, scan.node)))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(table.lazy().select(exprs))
}

/// The columns of a file with their stored types.
///
/// Errors: E0701, E0712.
pub(super) fn describe(file: &Path) -> Result<Columns, RunError> {
    let mut reader = open(file)?;
    match is_file_format(&mut reader, file)? {
        true => {
            let schema = guarded(|| IpcReader::new(reader).schema()).map_err(|e| damaged(file, &e.to_string()))?;
            Ok(schema.iter_values().map(|f| (f.name.to_string(), stored::of_arrow(f))).collect())
        }
        false => {
            let schema = guarded(|| IpcStreamReader::new(BufReader::new(reader)).arrow_schema())
                .map_err(|e| damaged(file, &e.to_string()))?;
            Ok(schema.iter_values().map(|f| (f.name.to_string(), stored::of_arrow(f))).collect())
        }
    }
}

/// The columns that are wanted and that polars has, as they are stored.
fn read(file: &Path, wanted: Option<&[Wanted]>) -> Result<(Columns, DataFrame), RunError> {
    let columns = describe(file)?;
    let known = |name: &str| matches!(stored::find(&columns, name), Some(Ok(_)));
    let names: Option<Vec<String>> =
        wanted.map(|wanted| wanted.iter().map(|w| w.header.clone()).filter(|n| known(n)).collect());
    let mut reader = open(file)?;
    let whole = is_file_format(&mut reader, file)?;
    let table = guarded(|| match whole {
        true => IpcReader::new(reader).with_columns(names).finish(),
        false => IpcStreamReader::new(BufReader::new(reader)).with_columns(names).finish(),
    });
    let table = table.map_err(|e| damaged(file, &e.to_string()))?;
    Ok((columns, table))
}

fn open(file: &Path) -> Result<File, RunError> {
    File::open(file).map_err(|e| unreadable(file, &e.to_string()))
}

fn is_file_format(reader: &mut File, file: &Path) -> Result<bool, RunError> {
    let mut magic = Vec::with_capacity(6);
    reader
        .by_ref()
        .take(6)
        .read_to_end(&mut magic)
        .and_then(|_| reader.rewind())
        .map_err(|e| unreadable(file, &e.to_string()))?;
    Ok(magic == *b"ARROW1")
}

fn damaged(file: &Path, why: &str) -> RunError {
    RunError::new("E0712", format!("{} is damaged or no Arrow file: {why}", shown(file))).data(place(file))
}

/// Reads the wanted columns of one file and checks every value.
pub(super) fn explain(scan: &Scan<'_>, file: &Path) -> Result<(), RunError> {
    let (columns, table) = read(file, Some(scan.wanted))?;
    let frame = table.lazy();
    scan.wanted.iter().try_for_each(|w| stored::explain(frame.clone(), &columns, w, &Origin::File(file)))
}
