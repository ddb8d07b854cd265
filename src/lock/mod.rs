//! `dbjob.lock`: what the data of a folder's jobs were like when somebody looked. With it a check opens nothing, and a run
//! that meets other data stops.

mod difference;
mod file;

use std::collections::BTreeMap;

use dbjob_plan::{DataType, Field, Format, Schema, Source};

pub use difference::{Difference, differences};

/// The name of the file, in the folder of the jobs.
pub const FILE: &str = "dbjob.lock";

/// The datasets of each job by the names of its file and of the dataset.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lock {
    pub jobs: BTreeMap<String, Datasets>,
}

/// The datasets of a job by name.
pub type Datasets = BTreeMap<String, Locked>;

/// A dataset as its data were found.
#[derive(Debug, Clone, PartialEq)]
pub struct Locked {
    /// As the job writes it.
    pub path: String,
    pub format: Format,
    /// Of the rows by their number, such as `100 to 999`: growth alone is no change.
    pub rows: String,
    /// The declared key, if there is one.
    pub key: Option<LockedKey>,
    /// All columns of the data, in their order, by their headers.
    pub columns: Vec<LockedColumn>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct LockedKey {
    pub columns: Vec<String>,
    pub unique: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct LockedColumn {
    pub name: String,
    pub dtype: DataType,
    pub nullable: bool,
    /// The job takes it with this type: it declares no other.
    pub taken: bool,
    /// Of a declared open category: the levels that it had, sorted.
    pub levels: Option<Vec<String>>,
}

impl LockedColumn {
    /// `int?`
    fn shown_type(&self) -> String {
        format!("{}{}", self.dtype, if self.nullable { "?" } else { "" })
    }
}

impl Locked {
    pub fn schema(&self) -> Schema {
        Schema::new(self.columns.iter().map(|c| Field::new(&c.name, c.dtype.clone(), c.nullable)).collect())
    }

    /// Whether it speaks of these data.
    pub fn is_of(&self, source: &Source) -> bool {
        self.path == source.written() && self.format == source.format
    }

    pub fn column(&self, name: &str) -> Option<&LockedColumn> {
        self.columns.iter().find(|c| c.name == name)
    }
}

/// `0`, `1 to 9`, `10 to 99`, …
pub fn row_class(rows: u64) -> String {
    match rows.checked_ilog10() {
        None => "0".into(),
        Some(digits) => format!("{} to {}", 10u64.pow(digits), (10u128.pow(digits + 1) - 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub fn example() -> Lock {
        let column = |name: &str, dtype, nullable, taken, levels| LockedColumn {
            name: (*name).into(),
            dtype,
            nullable,
            taken,
            levels,
        };
        let people = Locked {
            path: "people.csv".into(),
            format: Format::Csv(dbjob_plan::CsvOptions::default()),
            rows: row_class(344),
            key: Some(LockedKey { columns: vec!["id".into()], unique: true }),
            columns: vec![
                column("id", DataType::Int, false, false, None),
                column("größe \"cm\"", DataType::Float, true, true, None),
                column("plan", DataType::String, true, false, Some(vec!["free".into(), "paid".into()])),
                column("price", DataType::Decimal { precision: 10, scale: 2 }, false, true, None),
                column("tags", DataType::List { item: Box::new(DataType::String) }, true, true, None),
            ],
        };
        Lock { jobs: [("people.dbjob".to_owned(), [("people".to_owned(), people)].into())].into() }
    }

    #[test]
    fn a_lock_is_read_as_it_was_written() {
        let lock = example();
        let text = lock.to_string();
        assert_eq!(Lock::parse(&text), Ok(lock));
        assert!(text.lines().any(|l| l.trim() == r#"{ "name": "id", "type": "int" },"#), "{text}");
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
    }

    #[test]
    fn what_is_no_lock_says_why() {
        for (text, why) in [
            ("", "EOF"),
            ("{}", "format"),
            ("{ \"format\": 99, \"jobs\": {} }", "format 99"),
            (&example().to_string().replace("\"int\"", "\"number\""), "number"),
            (&example().to_string().replace("\"rows\"", "\"lines\""), "lines"),
        ] {
            let error = Lock::parse(text).unwrap_err();
            assert!(error.contains(why), "{error}: {why}");
        }
    }

    #[test]
    fn rows_are_told_by_their_digits() {
        let classes = [0, 1, 9, 10, 344, u64::MAX].map(row_class);
        assert_eq!(classes[..5], ["0", "1 to 9", "1 to 9", "10 to 99", "100 to 999"]);
        assert!(classes[5].starts_with("10000000000000000000 to 99999999999999999999"));
    }
}
