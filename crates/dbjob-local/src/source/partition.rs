//! Columns that the folders of a path give, as Hive names them: `day=2024-01-31/country=DE/part-00001.parquet`.

use std::path::{Path, PathBuf};

use dbjob_plan::{DataLocation, DataType, Field, RunError, Value};

use super::files::{place, shown};
use super::infer::Guess;
use super::{Wanted, check, csv, expected};

/// What the folder of a null is called, as other tools call it.
pub(crate) const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// The names and values of the folders of a file, from the outside inwards. The folder of the job is none of them.
pub(super) fn of(file: &Path, base: &Path) -> Vec<(String, Option<String>)> {
    let called = crate::fetch::came_from(file).map_or_else(|| file.to_path_buf(), PathBuf::from);
    let folders = called.strip_prefix(base).unwrap_or(&called).parent().unwrap_or(Path::new(""));
    let folder = |part: &str| {
        let (name, value) = part.split_once('=').filter(|(name, _)| !name.is_empty())?;
        Some((decoded(name), (value != NULL).then(|| decoded(value))))
    };
    folders.components().filter_map(|part| folder(part.as_os_str().to_str()?)).collect()
}

/// The value of a column that a file itself does not have; of two folders of one name the inner one counts.
pub(super) fn find<'a>(parts: &'a [(String, Option<String>)], header: &str) -> Option<&'a Option<String>> {
    parts.iter().rev().find(|(name, _)| name == header).map(|(_, value)| value)
}

/// The value in the column's type.
///
/// Errors: E0704, E0706, E0707.
pub(super) fn value(w: &Wanted, text: &Option<String>, file: &Path) -> Result<Value, RunError> {
    let at = || DataLocation { column: Some(w.header.clone()), value: text.clone(), ..place(file) };
    let from = || format!("column {:?}, which the path of {} gives", w.header, shown(file));
    let value = match text {
        None => Value::Null,
        Some(text) => match &w.field.dtype {
            DataType::List { .. } | DataType::Vector { .. } | DataType::Duration => None,
            dtype => csv::cell(text, dtype),
        }
        .ok_or_else(|| {
            let message = format!("{text:?} is not {}: {}", expected(&w.field.dtype), from());
            RunError::new("E0704", message)
                .help(format!("declare `{}: string`, or rename the folder", w.field.name))
                .data(at())
        })?,
    };
    check::value(&w.field, &value)
        .map_err(|broken| RunError::new(broken.code, format!("{}: {}", broken.message, from())).data(at()))?;
    Ok(value)
}

/// The names that the folders of the first file give besides the columns that are there.
pub(super) fn names(files: &[PathBuf], base: &Path, there: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in files.first().map(|file| of(file, base)).unwrap_or_default() {
        if !there.contains(&name) && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Adds the columns that the folders give, each of the narrowest type that all of its values have.
pub(super) fn add(files: &[PathBuf], base: &Path, fields: &mut Vec<Field>) {
    let there: Vec<String> = fields.iter().map(|f| f.name.clone()).collect();
    let names = names(files, base, &there);
    if names.is_empty() {
        return;
    }
    let mut guesses: Vec<Guess> = names.iter().map(|_| Guess::new()).collect();
    for file in files {
        let parts = of(file, base);
        for (name, guess) in names.iter().zip(&mut guesses) {
            // A file without that folder stops the run, whatever the type.
            if let Some(value) = find(&parts, name) {
                guess.see(value.as_deref(), false);
            }
        }
    }
    fields.extend(names.into_iter().zip(guesses).map(|(name, guess)| Field::new(name, guess.dtype(), guess.nulls)));
}

/// `%2F` is the byte that it stands for; what is no such triple stands for itself.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 3).filter(|d| *byte == b'%' && d.iter().all(u8::is_ascii_hexdigit));
        let code = digits.and_then(|d| u8::from_str_radix(std::str::from_utf8(d).ok()?, 16).ok());
        out.push(code.unwrap_or(*byte));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_columns() {
        let parts = |path: &str| of(Path::new(path), Path::new("jobs/x=1"));
        let some = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
        assert_eq!(
            parts("jobs/x=1/sales/day=2024-01-31/a%2Fb=50%25 %é%zz/k=__HIVE_DEFAULT_PARTITION__/c=d.parquet"),
            [some("day", "2024-01-31"), some("a/b", "50% %é%zz"), ("k".to_owned(), None)]
        );
        assert_eq!(parts("jobs/x=1/sales/=a/b/c.parquet"), []);
        assert_eq!(find(&parts("a=1/a=2/f"), "a"), Some(&Some("2".to_owned())));
        // Half of a character is no text.
        assert_eq!(parts("a=%C3/f"), [some("a", "%C3")]);
    }
}
