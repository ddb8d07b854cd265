//! Rows that cannot be read in place: brought into files of the state directory first, with bounded memory, and read from
//! there. One file a kind of place.

pub(crate) mod database;
mod head;
mod objects;
mod packed;

use std::path::{Component, Path, PathBuf};

use dbjob_plan::{FetchContext, Format, Origin, RunError, Schema, Source, in_object_store};

use crate::packing::Packing;
use crate::sink::unwritable;
use crate::source::files;

pub(crate) use head::{Depth, Look};

/// Where the rows of a source are at this moment.
///
/// Errors: E0701, E0702, E0740 to E0742.
pub(crate) fn origin(source: &Source, base: &Path) -> Result<Origin, RunError> {
    match &source.format {
        Format::Inline { .. } => return Ok(Origin::Job),
        Format::Database(place) => return database::origin(source, place, base),
        _ if in_object_store(&source.path) => return objects::version(source),
        _ => {}
    }
    let files = files::resolve(base, source)?;
    let packed = |file: &PathBuf| Packing::of(file).is_some() && came_from(file).is_none();
    Ok(if files.iter().any(packed) { Origin::Packed(files) } else { Origin::Files(files) })
}

/// Brings the rows into files of `cx.folder` and gives the source that reads them.
///
/// Errors: those of [`origin`], E0712, E0713, E0718, E0743; of a database those of its read.
pub(crate) fn fetch(source: &Source, wanted: &Schema, cx: &FetchContext<'_>) -> Result<Source, RunError> {
    match &source.format {
        Format::Inline { .. } => {
            Err(RunError::new("E0799", format!("this engine does not fetch {}", source.format.word())))
        }
        Format::Database(place) => database::fetch(source, place, wanted, cx),
        _ if in_object_store(&source.path) => objects::fetch(source, cx),
        _ => packed::fetch(source, cx),
    }
}

/// What a fetch keeps lies in a folder of this name, and below it tells where it came from:
/// `.fetched/000001/s3/bucket/key`, `.fetched/000002/here/data/a.csv.gz`. The number keeps the order.
const FETCHED: &str = ".fetched";
const STORE: &str = "s3";
/// A path of the working directory, and one from the root.
const HERE: &str = "here";
const ROOT: &str = "root";

/// Where the contents of the `number`th file of a source are kept, which came from an object `bucket/key` or from a file.
///
/// Errors: E0713.
fn keep(folder: &Path, number: usize, from: &Kept<'_>) -> Result<PathBuf, RunError> {
    let mut path = folder.join(FETCHED).join(format!("{number:06}"));
    match from {
        Kept::Object(place) => path.extend([STORE, place]),
        Kept::File(file) => {
            let file = match file.components().any(|c| c == Component::ParentDir) {
                true => std::fs::canonicalize(file).unwrap_or_else(|_| file.to_path_buf()),
                false => file.to_path_buf(),
            };
            path.push(if file.is_absolute() { ROOT } else { HERE });
            path.extend(file.components().filter(|c| matches!(c, Component::Normal(_))));
        }
    }
    let parent = path.parent().unwrap_or(folder);
    std::fs::create_dir_all(parent).map_err(|e| unwritable(&path, &e.to_string()))?;
    Ok(path)
}

enum Kept<'a> {
    Object(&'a str),
    File(&'a Path),
}

/// The place that a fetched file came from, as messages call it; `None` of any other file.
pub(crate) fn came_from(file: &Path) -> Option<String> {
    let mut parts = file.components();
    parts.by_ref().find(|c| c.as_os_str() == FETCHED)?;
    let kind = parts.nth(1)?;
    let rest = parts.as_path().display();
    match kind.as_os_str().to_str()? {
        STORE => Some(format!("s3://{rest}")),
        HERE => Some(rest.to_string()),
        ROOT => Some(format!("/{rest}")),
        _ => None,
    }
}

/// The source that reads what was kept in `folder`.
///
/// Errors: E0799.
fn kept(source: &Source, folder: &Path) -> Result<Source, RunError> {
    let path = folder.join(FETCHED);
    let path = path.to_str().ok_or_else(|| {
        RunError::new("E0799", format!("the name of the folder {} is not valid Unicode", folder.display()))
    })?;
    Ok(Source { path: path.to_owned(), outside: None, ..source.clone() })
}

/// Whether a folder has what a fetch kept: all of its files are of the source, whatever they are called.
pub(crate) fn is_kept(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name == FETCHED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fetched_files_tell_where_they_came_from() {
        let folder = tempfile::tempdir().unwrap();
        let keep = |from: Kept<'_>| keep(folder.path(), 1, &from).unwrap();
        for (kept, from) in [
            (keep(Kept::Object("shop/day=2024-01-31/a.csv.gz")), "s3://shop/day=2024-01-31/a.csv.gz"),
            (keep(Kept::File(Path::new("./data/a.csv.gz"))), "data/a.csv.gz"),
            (keep(Kept::File(Path::new("/tmp/x/a.csv.zst"))), "/tmp/x/a.csv.zst"),
        ] {
            assert_eq!(came_from(&kept).as_deref(), Some(from));
        }
        assert_eq!(came_from(Path::new("/tmp/.fetched/000001")), None);
        assert_eq!(came_from(Path::new("data/a.csv")), None);
    }
}
