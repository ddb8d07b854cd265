//! Tables and queries of databases: read in chunks into one Parquet file.

use std::fs::File;
use std::path::{Path, PathBuf};

use dbjob_database::Database;
use dbjob_plan::{
    Database as Place, DatabaseSystem, FetchContext, Field, Format, Origin, Outside, RunError, Schema, Source,
    SourceColumn,
};
use polars::prelude::{self as pl, ParquetCompression, ParquetWriter};

use crate::chunks;
use crate::source::files;

/// The name of the file in the folder of the fetch.
const FILE: &str = "rows.parquet";

/// What a path or URL says, looked up where it comes from outside; and how it may be called then.
///
/// Errors: E0737.
pub(crate) fn place(text: &str, outside: Option<&Outside>) -> Result<(String, Option<String>), RunError> {
    let Some(outside) = outside else { return Ok((text.to_owned(), None)) };
    match std::env::var(&outside.name) {
        Ok(value) if !value.is_empty() => Ok((value, outside.secret.then(|| outside.to_string()))),
        _ => Err(RunError::new("E0737", format!("`{outside}` is not set"))
            .help(format!("set the environment variable {} where the job runs", outside.name))),
    }
}

fn open(source: &Source, database: &Place, base: &Path) -> Result<Database, RunError> {
    let (text, secret) = place(&source.path, source.outside.as_ref())?;
    if database.system == DatabaseSystem::Sqlite && secret.is_none() {
        // With near names of the folder.
        files::resolve_one(&base.join(&text))?;
    }
    Database::new(database.system, &text, base, secret.as_deref())
}

/// Of SQLite the file and its log, which holds what is not in the file yet; a server tells nothing until it is read.
///
/// Errors: E0701, E0702.
pub(super) fn origin(source: &Source, database: &Place, base: &Path) -> Result<Origin, RunError> {
    if database.system != DatabaseSystem::Sqlite || source.outside.is_some() {
        return Ok(Origin::Remote { version: None });
    }
    let file = base.join(&source.path);
    files::resolve_one(&file)?;
    let mut log = file.clone().into_os_string();
    log.push("-wal");
    let log = PathBuf::from(log);
    let filled = std::fs::metadata(&log).is_ok_and(|meta| meta.len() > 0);
    Ok(Origin::Packed(if filled { vec![file, log] } else { vec![file] }))
}

/// Errors: those of [`Database::infer`].
pub(crate) fn infer(source: &Source, database: &Place, base: &Path) -> Result<Schema, RunError> {
    open(source, database, base)?.infer(&database.relation).map(Schema::new)
}

/// Errors: those of [`Database::read`]; E0713 where there is no room for the file.
pub(super) fn fetch(
    source: &Source,
    database: &Place,
    wanted: &Schema,
    cx: &FetchContext<'_>,
) -> Result<Source, RunError> {
    let opened = open(source, database, cx.base)?;
    let header = |f: &Field| source.columns.iter().find(|c| c.name == f.name).map_or(&f.name, |c| &c.header).clone();
    let fields: Vec<Field> = wanted.fields.iter().map(|f| Field { name: header(f), ..f.clone() }).collect();
    let path = cx.folder.join(FILE);
    let unwritable = |why: String| RunError::new("E0713", format!("cannot write {}: {why}", path.display()));
    let file = File::create(&path).map_err(|e| unwritable(e.to_string()))?;
    let types = chunks::types(&wanted.fields);
    let writer = ParquetWriter::new(file).with_compression(ParquetCompression::Lz4Raw).batched(&types);
    let mut writer = writer.map_err(|e| unwritable(e.to_string()))?;
    opened.read(&database.relation, &fields, cx.cancel, &mut |chunk| {
        let rows = chunks::table(chunk.rows, &chunk.columns, &wanted.fields).map_err(crate::fault::engine_error)?;
        writer.write_batch(&rows).map_err(|e: pl::PolarsError| unwritable(e.to_string()))
    })?;
    writer.finish().map_err(|e| unwritable(e.to_string()))?;
    let columns = wanted.fields.iter().map(|f| {
        let span = source.columns.iter().find(|c| c.name == f.name).map(|c| c.span).unwrap_or_default();
        SourceColumn { name: f.name.clone(), header: f.name.clone(), span }
    });
    Ok(Source {
        format: Format::Parquet,
        path: path.display().to_string(),
        outside: None,
        columns: columns.collect(),
        key: source.key.clone(),
    })
}
