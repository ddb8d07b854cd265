//! A lock as text: JSON that reads well in a review, one line a column, everything in order.

use std::collections::BTreeMap;
use std::fmt;

use dbjob_plan::Format;
use serde::{Deserialize, Serialize};

use super::{Lock, Locked, LockedColumn, LockedKey};

/// Of this layout.
const FORMAT: u32 = 1;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u32,
    jobs: BTreeMap<String, BTreeMap<String, Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    path: String,
    source: Format,
    rows: String,
    key: Option<Key>,
    columns: Vec<Column>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    columns: Vec<String>,
    unique: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Column {
    name: String,
    r#type: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    taken: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    levels: Option<Vec<String>>,
}

impl Lock {
    /// Reads a lock.
    ///
    /// Errors: what is wrong with the text, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File = serde_json::from_str(text).map_err(|e| e.to_string())?;
        if file.format != FORMAT {
            return Err(format!("it has the format {}, and this version of dbjob reads {FORMAT}", file.format));
        }
        let mut lock = Lock::default();
        for (job, datasets) in file.jobs {
            let mut locked = BTreeMap::new();
            for (name, entry) in datasets {
                locked.insert(name, Locked::try_from(entry)?);
            }
            lock.jobs.insert(job, locked);
        }
        Ok(lock)
    }
}

impl TryFrom<Entry> for Locked {
    type Error = String;

    fn try_from(entry: Entry) -> Result<Self, String> {
        let columns = entry.columns.into_iter().map(LockedColumn::try_from).collect::<Result<_, _>>()?;
        let key = entry.key.map(|k| LockedKey { columns: k.columns, unique: k.unique });
        Ok(Self { path: entry.path, format: entry.source, rows: entry.rows, key, columns })
    }
}

impl TryFrom<Column> for LockedColumn {
    type Error = String;

    fn try_from(column: Column) -> Result<Self, String> {
        let (dtype, nullable) = crate::hir::type_of_text(&column.r#type)
            .ok_or_else(|| format!("`{}` of the column `{}` is no type", column.r#type, column.name))?;
        Ok(Self { name: column.name, dtype, nullable, taken: column.taken, levels: column.levels })
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{{\n  \"format\": {FORMAT},")?;
        block(f, 1, "jobs", &self.jobs, |f, (job, datasets)| {
            block(f, 2, job, datasets, |f, (name, locked)| entry(f, name, locked))
        })?;
        writeln!(f, "\n}}")
    }
}

/// `"name": { … }` of entries one below the other, without a line end behind it.
fn block<'a, T: 'a>(
    f: &mut fmt::Formatter<'_>,
    depth: usize,
    name: &str,
    entries: impl IntoIterator<Item = T>,
    each: impl Fn(&mut fmt::Formatter<'_>, T) -> fmt::Result,
) -> fmt::Result {
    let indent = "  ".repeat(depth);
    write!(f, "{indent}{}: {{", json(name))?;
    for (index, item) in entries.into_iter().enumerate() {
        writeln!(f, "{}", if index > 0 { "," } else { "" })?;
        each(f, item)?;
    }
    write!(f, "\n{indent}}}")
}

fn entry(f: &mut fmt::Formatter<'_>, name: &str, locked: &Locked) -> fmt::Result {
    writeln!(f, "      {}: {{", json(name))?;
    writeln!(f, "        \"path\": {},", json(&locked.path))?;
    writeln!(f, "        \"source\": {},", spaced(&json(&locked.format)))?;
    writeln!(f, "        \"rows\": {},", json(&locked.rows))?;
    if let Some(key) = &locked.key {
        let key = Key { columns: key.columns.clone(), unique: key.unique };
        writeln!(f, "        \"key\": {},", spaced(&json(&key)))?;
    }
    write!(f, "        \"columns\": [")?;
    for (index, column) in locked.columns.iter().enumerate() {
        let column = Column {
            name: column.name.clone(),
            r#type: column.shown_type(),
            taken: column.taken,
            levels: column.levels.clone(),
        };
        write!(f, "{}\n          {}", if index > 0 { "," } else { "" }, spaced(&json(&column)))?;
    }
    write!(f, "\n        ]\n      }}")
}

fn json(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).expect("texts, lists and plain structs are JSON")
}

/// Compact JSON with the spaces that people put in.
fn spaced(json: &str) -> String {
    let (mut out, mut quoted, mut escaped) = (String::new(), false, false);
    for c in json.chars() {
        match c {
            '{' if !quoted => out.push_str("{ "),
            '}' if !quoted => out.push_str(" }"),
            ',' | ':' if !quoted => {
                out.push(c);
                out.push(' ');
            }
            _ => out.push(c),
        }
        quoted ^= c == '"' && !escaped;
        escaped = quoted && c == '\\' && !escaped;
    }
    out
}

/// The types that are found in data are written as in a job.
#[cfg(test)]
#[test]
fn every_type_is_read_again() {
    use dbjob_plan::DataType;

    for dtype in [
        DataType::Int,
        DataType::Float,
        DataType::Bool,
        DataType::String,
        DataType::Date,
        DataType::Datetime,
        DataType::Duration,
        DataType::Decimal { precision: 12, scale: 3 },
        DataType::Category { levels: None },
        DataType::Category { levels: Some(vec!["a \"b\"".into(), "é".into()]) },
        DataType::List { item: Box::new(DataType::Int) },
        DataType::Vector { width: Some(3) },
    ] {
        for nullable in [false, true] {
            let text = format!("{dtype}{}", if nullable { "?" } else { "" });
            assert_eq!(crate::hir::type_of_text(&text), Some((dtype.clone(), nullable)), "{text}");
        }
    }
    assert_eq!(crate::hir::type_of_text("number"), None);
    assert_eq!(crate::hir::type_of_text("int\nparam b: int"), None);
}
