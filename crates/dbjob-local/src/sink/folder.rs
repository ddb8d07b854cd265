//! Tables as files in a folder: `mode = append` and `partition = day`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use dbjob_plan::{Folder, RunError};
use polars::prelude::{self as pl, AnyValue, Column, DataFrame, IdxCa, IdxSize};

use super::{Sink, unwritable};
use crate::fault::engine_error;
use crate::source::partition::NULL;
use crate::types::value_of;

/// Writes the rows into `path`; their number. A folder that is replaced appears whole; of an append each file does.
///
/// Errors: E0713, also when the folder that would be replaced holds something else.
pub(crate) fn write(rows: &DataFrame, columns: &pl::Schema, folder: &Folder, path: &Path) -> Result<u64, RunError> {
    let wrong = |path: &Path, e: &std::io::Error| unwritable(path, &e.to_string());
    if path.is_file() {
        return Err(unwritable(path, "it is a file, and `mode` and `partition` want a folder"));
    }
    if folder.append {
        fs::create_dir_all(path).map_err(|e| wrong(path, &e))?;
        return parts(rows, columns, folder, path);
    }
    let ending = folder.format.word();
    if let Some(other) = something_else(path, ending) {
        let message = format!("it holds {}, which is no file of such a table", other.display());
        return Err(unwritable(path, &message).help("write to a folder of its own, or say `mode = append`"));
    }
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(|e| wrong(parent, &e))?;
    let temporary = || tempfile::Builder::new().prefix(&dbjob_plan::temp_prefix()).tempdir_in(parent);
    let (new, old) = (temporary().map_err(|e| wrong(path, &e))?, temporary().map_err(|e| wrong(path, &e))?);
    let inside = new.path().join("new");
    fs::create_dir(&inside).map_err(|e| wrong(path, &e))?;
    let count = parts(rows, columns, folder, &inside)?;
    if path.exists() {
        fs::rename(path, old.path().join("old")).map_err(|e| wrong(path, &e))?;
    }
    if let Err(e) = fs::rename(&inside, path) {
        // What was there stays.
        fs::rename(old.path().join("old"), path).ok();
        return Err(wrong(path, &e));
    }
    Ok(count)
}

/// Something in a folder that [`write`] did not put there.
fn something_else(folder: &Path, ending: &str) -> Option<PathBuf> {
    fs::read_dir(folder).ok()?.flatten().find_map(|entry| {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            return if name.contains('=') { something_else(&path, ending) } else { Some(path) };
        }
        let part = name.starts_with("part-") && name.ends_with(&format!(".{ending}"));
        (!part).then_some(path)
    })
}

/// One file a combination of the partition's values, in a folder for it. All are written before the first gets its name.
fn parts(rows: &DataFrame, columns: &pl::Schema, folder: &Folder, path: &Path) -> Result<u64, RunError> {
    let mut sinks = Vec::new();
    for (below, part) in partitioned(rows, &folder.partition)? {
        let place = path.join(below);
        let sink = Sink::create(&place.join("part"))?;
        sink.fill(&part, columns, folder.format)?;
        sinks.push((place, sink));
    }
    let mut count = 0;
    for (place, sink) in sinks {
        count += sink.finish_as(|n| place.join(format!("part-{n:05}.{}", folder.format.word())))?;
    }
    Ok(count)
}

/// The rows of each combination of values, in the order of their first rows, with the folders that stand for it.
fn partitioned(rows: &DataFrame, by: &[String]) -> Result<Vec<(PathBuf, DataFrame)>, RunError> {
    if by.is_empty() {
        return Ok(vec![(PathBuf::new(), rows.clone())]);
    }
    let keys: Vec<&Column> = by.iter().map(|name| rows.column(name)).collect::<Result<_, _>>().map_err(engine_error)?;
    let mut places: HashMap<PathBuf, usize> = HashMap::new();
    let mut groups: Vec<(PathBuf, Vec<IdxSize>)> = Vec::new();
    for row in 0..rows.height() {
        let mut place = PathBuf::new();
        for (name, key) in by.iter().zip(&keys) {
            let value = key.get(row).map_err(engine_error)?;
            place.push(format!("{}={}", escaped(name), text_of(&value)));
        }
        let at = *places.entry(place.clone()).or_insert_with(|| {
            groups.push((place, Vec::new()));
            groups.len() - 1
        });
        groups[at].1.push(row as IdxSize);
    }
    let take = |indices: Vec<IdxSize>| rows.take(&IdxCa::from_vec("".into(), indices)).map_err(engine_error);
    groups.into_iter().map(|(place, indices)| Ok((place, take(indices)?))).collect()
}

fn text_of(value: &AnyValue<'_>) -> String {
    match value_of(value) {
        dbjob_plan::Value::Null => NULL.to_owned(),
        dbjob_plan::Value::String(text) => escaped(&text),
        other => escaped(other.to_string().trim_start_matches('@')),
    }
}

/// What may not stand in the name of a folder, as `%` and two hexadecimal digits a byte.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (i, c) in text.char_indices() {
        let fine = c.is_alphanumeric() || matches!(c, '-' | '_' | ' ' | '+' | ',') || (c == '.' && i > 0);
        if fine {
            out.push(c);
        } else {
            for byte in c.to_string().bytes() {
                write!(out, "%{byte:02X}").expect("writing to a string cannot fail");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn names_of_folders() {
        assert_eq!(escaped("2024-01-31"), "2024-01-31");
        assert_eq!(escaped("a/b=c"), "a%2Fb%3Dc");
        assert_eq!(escaped("..é"), "%2E.é");
    }
}
