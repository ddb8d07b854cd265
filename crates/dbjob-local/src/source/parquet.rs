//! Parquet. Physical types are widened to those of the language; the file's own statistics spare the checks that they
//! already prove, so that filters still reach the file.

use std::fs::File;
use std::path::{Path, PathBuf};

use dbjob_plan::{DataType, RunError, Value};
use polars::prelude::{self as pl, DataFrame, IntoLazy, LazyFrame, ParquetReader, ScanArgsParquet, SerReader};

use super::files::{place, shown, unreadable};
use super::stored::{self, Columns, Origin, find};
use super::{Scan, Wanted, partition};
use crate::fault::{engine_error, guarded};
use crate::types::{any_value, literal, polars_type};
use crate::udf;

/// Files one below the other. Those in a row that are alike are one scan: it reads a few of them at a time, where a union
/// of scans has all of them open.
pub(super) fn scan(scan: &Scan<'_>, files: &[PathBuf]) -> Result<Vec<LazyFrame>, RunError> {
    let mut looks =
        files.iter().map(|file| Look::of(scan, file)).collect::<Result<Vec<_>, _>>()?.into_iter().peekable();
    let mut frames = Vec::new();
    while let Some(first) = looks.next() {
        let mut alike = vec![first.file];
        while let Some(next) = looks.next_if(|next| next.is_like(&first)) {
            alike.push(next.file);
        }
        frames.push(first.frame(scan, &alike)?);
    }
    Ok(frames)
}

/// What a file's own description and its path say.
struct Look<'a> {
    file: &'a Path,
    schema: Columns,
    parts: Vec<(String, Option<String>)>,
    /// Of each wanted column, whether the file proves that it needs no check.
    proven: Vec<bool>,
}

impl<'a> Look<'a> {
    fn of(scan: &Scan<'_>, file: &'a Path) -> Result<Self, RunError> {
        let (schema, proof) = describe(file)?;
        let proven = |w: &Wanted| {
            w.field.refinement.is_none()
                && !matches!(w.field.dtype, DataType::Category { levels: Some(_) })
                && proof(&w.header)
        };
        let proven = scan.wanted.iter().map(proven).collect();
        Ok(Self { file, schema, parts: partition::of(file, scan.base), proven })
    }

    /// Whether one query is that of both files.
    fn is_like(&self, other: &Self) -> bool {
        let plain = self.schema.iter().all(|(_, stored)| stored.is_ok());
        plain && self.schema == other.schema && self.parts == other.parts && self.proven == other.proven
    }

    /// The rows of `files`, which are all like this one.
    fn frame(&self, scan: &Scan<'_>, files: &[&Path]) -> Result<LazyFrame, RunError> {
        let (given, stored) = divided(scan.wanted, &self.schema, &self.parts);
        let proven = |wanted: &Wanted| {
            let at = scan.wanted.iter().position(|w| w.field.name == wanted.field.name);
            at.is_some_and(|at| self.proven[at])
        };
        let origin = Origin::File(self.file);
        let typed = |w: &&Wanted| stored::typed(&self.schema, w, &origin, proven(w), (scan.faults, scan.node));
        let columns = stored.iter().map(typed).collect::<Result<Vec<_>, _>>()?;
        if given.is_empty() {
            return Ok(lazy(files, &self.schema, scan.wanted)?.select(columns));
        }
        let values = given.iter().map(|(w, text)| Ok((*w, partition::value(w, text, self.file)?)));
        let values = values.collect::<Result<Vec<_>, RunError>>()?;
        if stored.is_empty() {
            let height = files.iter().map(|file| rows(file)).sum::<Result<usize, _>>()?;
            let column = |(w, value): &(&Wanted, Value)| {
                let scalar = pl::Scalar::new(polars_type(&w.field.dtype), any_value(value, &w.field.dtype));
                pl::Column::new_scalar(w.field.name.as_str().into(), scalar, height)
            };
            let table = DataFrame::new(height, values.iter().map(column).collect());
            return Ok(table.map_err(engine_error)?.lazy());
        }
        let values: Vec<_> =
            values.iter().map(|(w, value)| literal(value, &w.field.dtype).alias(w.field.name.as_str())).collect();
        let frame = lazy(files, &self.schema, scan.wanted)?.select(columns).with_columns(values);
        Ok(frame.select(scan.wanted.iter().map(|w| udf::col(w.field.name.as_str())).collect::<Vec<_>>()))
    }
}

type Given<'a> = (&'a Wanted, &'a Option<String>);

/// The columns that the file's path gives, because the file does not have them, and those that it has or should have.
fn divided<'a>(
    wanted: &'a [Wanted],
    schema: &Columns,
    parts: &'a [(String, Option<String>)],
) -> (Vec<Given<'a>>, Vec<&'a Wanted>) {
    let (mut given, mut stored) = (Vec::new(), Vec::new());
    for w in wanted {
        match partition::find(parts, &w.header).filter(|_| find(schema, &w.header).is_none()) {
            Some(text) => given.push((w, text)),
            None => stored.push(w),
        }
    }
    (given, stored)
}

fn rows(file: &Path) -> Result<usize, RunError> {
    let mut reader = ParquetReader::new(File::open(file).map_err(|e| unreadable(file, &e.to_string()))?);
    guarded(|| reader.num_rows()).map_err(|e| damaged(file, &e.to_string()))
}

/// The wanted columns as they are stored. Polars' scan stumbles over types that it lacks even in columns that nobody
/// wants; a file that has such is read at once, without them.
fn lazy(files: &[&Path], schema: &Columns, wanted: &[Wanted]) -> Result<LazyFrame, RunError> {
    let file = files[0];
    if schema.iter().any(|(_, stored)| stored.is_err()) {
        let names = wanted.iter().filter(|w| matches!(find(schema, &w.header), Some(Ok(_)))).map(|w| w.header.clone());
        let source = File::open(file).map_err(|e| unreadable(file, &e.to_string()))?;
        let reader = ParquetReader::new(source).with_columns(Some(names.collect()));
        let table = guarded(|| reader.finish()).map_err(|e| damaged(file, &e.to_string()))?;
        return Ok(table.lazy());
    }
    let path = |file: &&Path| match file.to_str() {
        Some(path) => Ok(pl::PlRefPath::from(path)),
        None => Err(unreadable(file, "its name is not valid Unicode")),
    };
    let paths = files.iter().map(path).collect::<Result<Vec<_>, _>>()?;
    let args = ScanArgsParquet { glob: false, ..ScanArgsParquet::default() };
    LazyFrame::scan_parquet_files(paths.into(), args).map_err(|e| damaged(file, &e.to_string()))
}

fn damaged(file: &Path, why: &str) -> RunError {
    RunError::new("E0712", format!("{} is damaged or no Parquet file: {why}", shown(file))).data(place(file))
}

type Proof = Box<dyn Fn(&str) -> bool>;

/// The file's columns, and whether its statistics prove that a column has no nulls.
///
/// Errors: E0701, E0712.
pub(super) fn describe(file: &Path) -> Result<(Columns, Proof), RunError> {
    let open = || File::open(file).map_err(|e| unreadable(file, &e.to_string()));
    let mut reader = ParquetReader::new(open()?);
    let schema = guarded(|| reader.schema()).map_err(|e| damaged(file, &e.to_string()))?;
    let columns = schema.iter_values().map(|field| (field.name.to_string(), stored::of_arrow(field))).collect();
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

/// Reads the wanted columns of one file and checks every value.
pub(super) fn explain(scan: &Scan<'_>, file: &Path) -> Result<(), RunError> {
    let (schema, _) = describe(file)?;
    let parts = partition::of(file, scan.base);
    let (given, stored) = divided(scan.wanted, &schema, &parts);
    given.iter().try_for_each(|(w, text)| partition::value(w, text, file).map(drop))?;
    stored
        .iter()
        .try_for_each(|w| stored::explain(lazy(&[file], &schema, scan.wanted)?, &schema, w, &Origin::File(file)))
}
