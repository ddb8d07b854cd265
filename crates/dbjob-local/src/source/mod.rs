//! Sources: files as lazy tables, checked against their declaration; one file a format.

mod arrow;
pub(crate) mod check;
pub(crate) mod csv;
pub(crate) mod files;
mod infer;
mod inline;
mod json;
pub(crate) mod ndjson;
mod objects;
pub(crate) mod parquet;
pub(crate) mod partition;
mod place;
pub(crate) mod stored;

use std::path::Path;

use dbjob_plan::{DataType, Field, Format, NodeId, RunError, Schema, Source};
use polars::prelude::{self as pl, IntoLazy, LazyFrame, UnionArgs};

use crate::fault::{Faults, engine_error};
pub(crate) use files::fingerprint;
pub(crate) use infer::{header, infer};
pub(crate) use place::{as_written, placed};

/// A column to read: its place in the node's schema and its name in the file.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub field: Field,
    pub header: String,
    /// Its position among the declared columns: the position in a file without a header.
    pub position: usize,
}

/// The declared columns of a source that are in use, in the schema's order; never none (the first stands in, because a
/// table without columns has no row count).
pub(crate) fn wanted(source: &Source, schema: &Schema, live: &dyn Fn(&str) -> bool) -> Vec<Wanted> {
    let mut all: Vec<Wanted> = schema
        .fields
        .iter()
        .enumerate()
        .map(|(position, field)| {
            let header = source.columns.iter().find(|c| c.name == field.name).map_or(&field.name, |c| &c.header);
            Wanted { field: field.clone(), header: header.clone(), position }
        })
        .collect();
    if all.iter().any(|w| live(&w.field.name)) {
        all.retain(|w| live(&w.field.name));
    } else {
        all.truncate(1);
    }
    all
}

/// A source to be read.
pub(crate) struct Scan<'a> {
    pub node: NodeId,
    pub source: &'a Source,
    pub wanted: &'a [Wanted],
    pub base: &'a Path,
    pub faults: &'a Faults,
}

impl Scan<'_> {
    /// The table, lazily where the format allows. With `exact` a CSV file is read by our own reader at once: it is
    /// slower, and right also about files that are not quite regular.
    ///
    /// Errors: E0701, E0702, E0705, E0712, E0717 at once; cells are checked when the query runs, and a failure there is
    /// explained by [`Scan::explain`].
    pub fn open(&self, exact: bool) -> Result<LazyFrame, RunError> {
        if let Format::Inline { rows } = &self.source.format {
            return Ok(inline::table(self.wanted, rows)?.lazy());
        }
        let files = files::resolve(self.base, self.source)?;
        if let Some(objects) = self.objects() {
            let tables = objects::read(self.wanted, &files, objects)?;
            return one_table(tables.into_iter().map(IntoLazy::lazy).collect());
        }
        let frames = match &self.source.format {
            Format::Csv(options) => csv::scan(self, &files, options, exact)?,
            Format::Parquet => parquet::scan(self, &files)?,
            Format::Arrow => files.iter().map(|file| arrow::scan(self, file)).collect::<Result<_, _>>()?,
            other => return Err(no_file(other)),
        };
        one_table(frames)
    }

    /// The reader of a format whose rows are objects.
    fn objects(&self) -> Option<objects::Objects<'static>> {
        match self.source.format {
            Format::Ndjson => Some(&ndjson::objects),
            Format::Json => Some(&json::objects),
            _ => None,
        }
    }

    /// Reads everything that is wanted, cell by cell, and gives the first thing that is wrong with its file, row, line,
    /// column and value. `Ok`: the files are as declared.
    pub fn explain(&self) -> Result<(), RunError> {
        if !self.source.format.is_file() {
            return Ok(());
        }
        let files = files::resolve(self.base, self.source)?;
        if let Some(objects) = self.objects() {
            return objects::read(self.wanted, &files, objects).map(drop);
        }
        for file in files {
            match &self.source.format {
                Format::Csv(options) => drop(csv::read_exact(self.wanted, &file, options)?),
                Format::Parquet => parquet::explain(self, &file)?,
                Format::Arrow => arrow::explain(self, &file)?,
                other => return Err(no_file(other)),
            }
        }
        Ok(())
    }
}

/// What `unsupported` has told before a run.
fn no_file(format: &Format) -> RunError {
    RunError::new("E0799", format!("this engine does not read {}", format.word()))
}

pub(crate) fn one_table(mut frames: Vec<LazyFrame>) -> Result<LazyFrame, RunError> {
    if frames.len() == 1 {
        return Ok(frames.remove(0));
    }
    pl::concat(frames, UnionArgs::default()).map_err(engine_error)
}

/// The declared type in the words of a message: what a cell should have been.
pub(crate) fn expected(dtype: &DataType) -> String {
    match dtype {
        DataType::Int => "an int".into(),
        DataType::Date => "a date (YYYY-MM-DD)".into(),
        DataType::Datetime => "a datetime (YYYY-MM-DDThh:mm:ss)".into(),
        DataType::Bool => "a bool (true or false)".into(),
        DataType::Decimal { scale, .. } => format!("a {dtype} (at most {scale} digits after the point)"),
        other => format!("a {other}"),
    }
}
