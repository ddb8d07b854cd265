//! Tables to files: written to a temporary name in the same folder, synced, then renamed. A failure leaves nothing. What
//! goes to an object store is a file of this machine until it is whole.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use dbjob_plan::{Cancel, DataLocation, RunError, TableFormat, Watch, in_object_store};
use polars::io::csv::write::SerializeOptions;
use polars::io::utils::file::Writable;
use polars::prelude::{
    self as pl, CsvWriterOptions, DataFrame, Expr, FileWriteFormat, IntoColumn, IntoLazy, IpcWriterOptions, LazyFrame,
    NDJsonWriterOptions, OptFlags, ParquetWriteOptions, PolarsResult, SinkDestination, SinkTarget, SpecialEq,
    StringChunked, UnifiedSinkArgs,
};
use tempfile::NamedTempFile;

pub(crate) mod database;
pub(crate) mod folder;
mod writer;

use self::writer::{Failure, Packed, Plain, Writer};
use crate::fault::guarded;
use crate::list::Lists;
use crate::packing::Packing;
use crate::store::{self, Place};
use crate::udf::{col, map1};

/// A file being written.
pub(crate) struct Sink {
    target: PathBuf,
    /// Where the file goes when it is whole, if that is no file.
    object: Option<Place>,
    packing: Option<Packing>,
    temporary: NamedTempFile,
    rows: Arc<AtomicU64>,
    /// Told of the rows as they are written.
    watch: Watch,
    failure: Failure,
}

impl Sink {
    /// Makes the folder if need be, and the temporary file. The target is a file or an object; if its name ends in `.gz` or
    /// `.zst`, it is packed on the way.
    ///
    /// Errors: E0713, E0742.
    pub fn create(target: &Path) -> Result<Self, RunError> {
        let packing = Packing::of(target);
        let wrong = |e: std::io::Error| unwritable(target, &e.to_string());
        if let Some(url) = target.to_str().filter(|path| in_object_store(path)) {
            let object = Some(Place::parse(url)?);
            // For the eyes of its owner only: it lies in a folder that all may look into.
            let prefix = dbjob_plan::temp_prefix();
            let temporary = tempfile::Builder::new().prefix(&prefix).suffix(".tmp").tempfile().map_err(wrong)?;
            return Ok(Self {
                target: target.to_path_buf(),
                object,
                packing,
                temporary,
                rows: Arc::default(),
                watch: Watch::default(),
                failure: Failure::default(),
            });
        }
        let folder = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        fs::create_dir_all(folder).map_err(wrong)?;
        if target.is_dir() {
            return Err(unwritable(target, "it is a folder"));
        }
        let temporary = builder(&dbjob_plan::temp_prefix()).tempfile_in(folder).map_err(wrong)?;
        Ok(Self {
            target: target.to_path_buf(),
            object: None,
            packing,
            temporary,
            rows: Arc::default(),
            watch: Watch::default(),
            failure: Failure::default(),
        })
    }

    /// Tells `watch` of the rows as they are written.
    pub fn tells(self, watch: &Watch) -> Self {
        Self { watch: watch.clone(), ..self }
    }

    /// The query that writes the visible columns of `frame` when it is collected.
    pub fn query(&self, frame: LazyFrame, columns: &pl::Schema, format: TableFormat) -> PolarsResult<LazyFrame> {
        let (rows, watch) = (self.rows.clone(), self.watch.clone());
        let counted = frame.select(written(columns, format)).map(
            move |batch: DataFrame| {
                rows.fetch_add(batch.height() as u64, Ordering::Relaxed);
                watch.count(batch.height() as u64);
                Ok(batch)
            },
            OptFlags::STREAMING,
            None,
            Some("count rows"),
        );
        let format = match format {
            TableFormat::Csv => FileWriteFormat::Csv(CsvWriterOptions {
                serialize_options: serialize_options(columns).into(),
                ..CsvWriterOptions::default()
            }),
            TableFormat::Parquet => FileWriteFormat::Parquet(Arc::new(ParquetWriteOptions::default())),
            TableFormat::Ndjson => FileWriteFormat::NDJson(NDJsonWriterOptions::default()),
            TableFormat::Arrow => FileWriteFormat::Ipc(IpcWriterOptions::default()),
        };
        // By its path polars would make the file when it comes to write it: after a query that failed meanwhile, a file that
        // was removed would stand there again.
        let file = self.temporary.reopen()?;
        let file = match self.packing {
            Some(packing) => Writer::new(Packed(Some(packing.writer(file)?)), &self.failure),
            None => Writer::new(Plain(file), &self.failure),
        };
        let file = Writable::Dyn(Box::new(file));
        let target = SinkTarget::Dyn(SpecialEq::new(Arc::new(Mutex::new(Some(file)))));
        let target = SinkDestination::File { target };
        counted.sink(target, format, UnifiedSinkArgs::default())
    }

    /// What kept the file from being written, if that is why the query failed.
    pub fn failure(&self) -> Option<RunError> {
        self.failure.get().map(|why| unwritable(&self.target, &why))
    }

    /// Writes rows that are there already.
    ///
    /// Errors: E0713.
    pub fn fill(&self, rows: &DataFrame, columns: &pl::Schema, format: TableFormat) -> Result<(), RunError> {
        let failed = |e: pl::PolarsError| unwritable(&self.target, &e.to_string());
        let query = self.query(rows.clone().lazy(), columns, format).map_err(failed)?;
        guarded(|| query.collect_with_engine(pl::Engine::Streaming)).map(drop).map_err(failed)
    }

    /// Like [`Sink::finish`] under a name that no file has yet: `name` of 1, 2, ….
    ///
    /// Errors: E0713.
    pub fn finish_as(self, name: impl Fn(u64) -> PathBuf) -> Result<u64, RunError> {
        let wrong = |path: &Path, e: &std::io::Error| unwritable(path, &e.to_string());
        File::open(self.temporary.path()).and_then(|f| f.sync_all()).map_err(|e| wrong(&self.target, &e))?;
        let mut temporary = self.temporary;
        for number in 1.. {
            let path = name(number);
            match temporary.persist_noclobber(&path) {
                Ok(_) => break,
                Err(e) if e.error.kind() == std::io::ErrorKind::AlreadyExists => temporary = e.file,
                Err(e) => return Err(wrong(&path, &e.error)),
            }
        }
        Ok(self.rows.load(Ordering::Relaxed))
    }

    /// Gives the file its name, or makes it the object; the number of rows that were written.
    ///
    /// Errors: E0713, E0718, E0740 to E0742.
    pub fn finish(self, cancel: &Cancel) -> Result<u64, RunError> {
        let wrong = |e: std::io::Error| unwritable(&self.target, &e.to_string());
        if let Some(object) = &self.object {
            store::upload(self.temporary.path(), object, cancel)?;
            return Ok(self.rows.load(Ordering::Relaxed));
        }
        File::open(self.temporary.path()).and_then(|f| f.sync_all()).map_err(wrong)?;
        self.temporary.persist(&self.target).map_err(|e| unwritable(&self.target, &e.error.to_string()))?;
        Ok(self.rows.load(Ordering::Relaxed))
    }
}

/// Writes a table whole or not at all; the number of rows.
///
/// Errors: E0713.
pub(crate) fn write(rows: &DataFrame, columns: &pl::Schema, format: TableFormat, path: &Path) -> Result<u64, RunError> {
    let sink = Sink::create(path)?;
    sink.fill(rows, columns, format)?;
    sink.finish(&Cancel::default())
}

/// Writes a file that is there already whole or not at all.
///
/// Errors: E0713.
pub(crate) fn write_bytes(bytes: &[u8], path: &Path, cancel: &Cancel) -> Result<(), RunError> {
    let mut sink = Sink::create(path)?;
    std::io::Write::write_all(&mut sink.temporary, bytes).map_err(|e| unwritable(path, &e.to_string()))?;
    sink.finish(cancel).map(drop)
}

/// A null is an empty cell. As its row's only cell it is written `""`: the row would be a blank line otherwise, and
/// readers skip those.
fn serialize_options(columns: &pl::Schema) -> SerializeOptions {
    let null = if columns.len() == 1 { "\"\"" } else { "" };
    SerializeOptions { null: null.into(), ..SerializeOptions::default() }
}

fn builder(prefix: &str) -> tempfile::Builder<'_, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The umask of the user decides, as for any file that a program makes.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder
}

pub(crate) fn unwritable(path: &Path, why: &str) -> RunError {
    RunError::new("E0713", format!("cannot write {}: {why}", path.display()))
        .data(DataLocation { file: Some(path.display().to_string()), ..DataLocation::default() })
}

/// Columns in a form that the format has: in CSV lists are JSON text, instants are ISO 8601, durations microseconds.
fn written(columns: &pl::Schema, format: TableFormat) -> Vec<Expr> {
    columns
        .iter()
        .map(|(name, dtype)| {
            let x = col(name.clone());
            match (format, dtype) {
                (TableFormat::Parquet | TableFormat::Arrow, _) => x,
                (TableFormat::Csv, pl::DataType::List(_)) => map1(x, pl::DataType::String, |c| {
                    let lists = Lists::of(c)?;
                    let texts = lists.rows().map(|items| items.map(|items| json(&items)).transpose());
                    let texts: Vec<Option<String>> = texts.collect::<PolarsResult<_>>()?;
                    Ok(StringChunked::from_iter(texts).into_column())
                }),
                (_, pl::DataType::Datetime(..)) => map1(x, pl::DataType::String, |c| {
                    let physical = c.to_physical_repr();
                    let texts: StringChunked =
                        physical.i64()?.iter().map(|us| us.map(dbjob_plan::civil_datetime)).collect();
                    Ok(texts.into_column())
                }),
                (_, pl::DataType::Date) => map1(x, pl::DataType::String, |c| {
                    let physical = c.to_physical_repr();
                    let texts: StringChunked = physical.i32()?.iter().map(|d| d.map(dbjob_plan::civil_date)).collect();
                    Ok(texts.into_column())
                }),
                (_, pl::DataType::Duration(_)) => x.cast(pl::DataType::Int64),
                _ => x,
            }
        })
        .collect()
}

fn json(items: &pl::Series) -> PolarsResult<String> {
    let values: Vec<serde_json::Value> = items
        .iter()
        .map(|v| match crate::types::value_of(&v) {
            dbjob_plan::Value::Null => serde_json::Value::Null,
            dbjob_plan::Value::Int(i) => i.into(),
            dbjob_plan::Value::Bool(b) => b.into(),
            dbjob_plan::Value::Float(x) => {
                serde_json::Number::from_f64(x).map_or_else(|| x.to_string().into(), serde_json::Value::Number)
            }
            dbjob_plan::Value::String(s) => s.into(),
            other => other.to_string().trim_start_matches('@').into(),
        })
        .collect();
    serde_json::to_string(&values).map_err(|e| pl::PolarsError::ComputeError(e.to_string().into()))
}
