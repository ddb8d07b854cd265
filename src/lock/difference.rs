use std::fmt;

use super::{Locked, LockedColumn};

/// What is not as it was locked.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    pub what: What,
    /// Whether a job that relies on the lock must not run on such data.
    pub stops: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// Another path or other options.
    Source {
        old: String,
        new: String,
    },
    Gone {
        column: String,
        ty: String,
    },
    New {
        column: String,
        ty: String,
    },
    Type {
        column: String,
        old: String,
        new: String,
    },
    /// Levels that an open category did not have.
    Levels {
        column: String,
        new: Vec<String>,
    },
    /// Levels that it has no more.
    LostLevels {
        column: String,
        gone: Vec<String>,
    },
    Key {
        old: String,
        new: String,
    },
    Rows {
        old: String,
        new: String,
    },
}

/// Everything in which `new` is not `old`. `reads`: the headers of the columns that the job reads.
pub fn differences(old: &Locked, new: &Locked, reads: &[String]) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut add = |what: What, stops: bool| found.push(Difference { what, stops });
    if old.path != new.path || old.format != new.format {
        let source = |l: &Locked| format!("{}({:?})", l.format.word(), l.path);
        add(What::Source { old: source(old), new: source(new) }, false);
    }
    for column in &old.columns {
        let name = column.name.clone();
        match new.column(&name) {
            None => {
                let stops = reads.contains(&name);
                add(What::Gone { column: name, ty: column.shown_type() }, stops);
            }
            Some(now) => compare(column, now, reads.contains(&name), &mut add),
        }
    }
    for column in new.columns.iter().filter(|c| old.column(&c.name).is_none()) {
        add(What::New { column: column.name.clone(), ty: column.shown_type() }, false);
    }
    if old.key != new.key {
        let shown = |l: &Locked| match &l.key {
            None => "none".to_owned(),
            Some(key) => format!("{}, {}", key.columns.join(", "), if key.unique { "unique" } else { "not unique" }),
        };
        let unique = |l: &Locked| l.key.as_ref().is_some_and(|k| k.unique);
        add(What::Key { old: shown(old), new: shown(new) }, unique(old) && !unique(new) && new.key.is_some());
    }
    if old.rows != new.rows {
        add(What::Rows { old: old.rows.clone(), new: new.rows.clone() }, false);
    }
    found
}

fn compare(old: &LockedColumn, new: &LockedColumn, read: bool, add: &mut impl FnMut(What, bool)) {
    let column = old.name.clone();
    if (&old.dtype, old.nullable) != (&new.dtype, new.nullable) {
        // What the job declares is held against each value while it is read; only what it takes from the data is not.
        let narrower = old.dtype == new.dtype && old.nullable;
        let (was, is) = (old.shown_type(), new.shown_type());
        add(What::Type { column: column.clone(), old: was, new: is }, read && old.taken && !narrower);
    }
    let (Some(was), Some(is)) = (&old.levels, &new.levels) else { return };
    let without = |a: &[String], b: &[String]| a.iter().filter(|l| !b.contains(l)).cloned().collect::<Vec<_>>();
    let (gone, more) = (without(was, is), without(is, was));
    if !more.is_empty() {
        // An open category may meet new levels: they are told, and treated as unseen.
        add(What::Levels { column: column.clone(), new: more }, false);
    }
    if !gone.is_empty() {
        add(What::LostLevels { column, gone }, false);
    }
}

/// One line, `-` what was and `+` what is.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |levels: &[String]| levels.iter().map(|l| format!("{l:?}")).collect::<Vec<_>>().join(", ");
        match &self.what {
            What::Source { old, new } => write!(f, "the source: {old} is now {new}"),
            What::Gone { column, ty } => write!(f, "- {column}: {ty}"),
            What::New { column, ty } => write!(f, "+ {column}: {ty}"),
            What::Type { column, old, new } => write!(f, "  {column}: {old} is now {new}"),
            What::Levels { column, new } => write!(f, "  {column} has new levels: {}", quoted(new)),
            What::LostLevels { column, gone } => write!(f, "  {column} has no more: {}", quoted(gone)),
            What::Key { old, new } => write!(f, "  the key: {old}; now {new}"),
            What::Rows { old, new } => write!(f, "  rows: {old}, now {new}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use dbjob_plan::DataType;

    use super::super::tests::example;
    use super::*;

    fn changed(change: impl FnOnce(&mut Locked)) -> Vec<(String, bool)> {
        let old = example().jobs["people.dbjob"]["people"].clone();
        let mut new = old.clone();
        change(&mut new);
        let reads: Vec<String> = ["id", "größe \"cm\"", "plan"].map(str::to_owned).into();
        differences(&old, &new, &reads).iter().map(|d| (d.to_string(), d.stops)).collect()
    }

    #[test]
    fn what_a_job_relies_on_stops_it() {
        assert_eq!(changed(|_| ()), []);
        assert_eq!(changed(|l| drop(l.columns.remove(0))), [("- id: int".to_owned(), true)]);
        // A column that the job does not read may go, and new ones may come.
        assert!(!changed(|l| drop(l.columns.pop()))[0].1);
        assert!(!changed(|l| l.columns.push(LockedColumn { name: "new".into(), ..l.columns[0].clone() }))[0].1);
        // A type that the job takes from the data may not change, but for nulls that are gone.
        let taken = changed(|l| l.columns[1].dtype = DataType::String);
        assert_eq!(taken, [("  größe \"cm\": float? is now string?".to_owned(), true)]);
        assert!(!changed(|l| l.columns[1].nullable = false)[0].1);
        // What is declared is checked cell by cell.
        assert!(!changed(|l| l.columns[0].nullable = true)[0].1);
        let key = changed(|l| l.key.as_mut().expect("a key").unique = false);
        assert_eq!(key, [("  the key: id, unique; now id, not unique".to_owned(), true)]);
        let levels = changed(|l| l.columns[2].levels = Some(vec!["free".into(), "gold".into()]));
        assert_eq!(levels.iter().map(|(_, stops)| *stops).collect::<Vec<_>>(), [false, false]);
    }
}
