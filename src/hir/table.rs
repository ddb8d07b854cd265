use std::collections::BTreeSet;
use std::sync::Arc;

use dbjob_plan::{DataType, Field, MapLink, Refinement, Schema, Span};

use super::clock::{Clock, Pace};
use super::columns::Columns;
use super::conditions::Conditions;
use super::lost::Lost;
use super::origin;
use super::range::Range;
use super::split::{Hidden, SplitFact};
use super::statistic::{Copies, Statistic, Statistics};
use super::taint::Taint;

/// The columns of a table at one place of a job, with what is known about each, and what is known about its rows.
#[derive(Debug, Clone, Default)]
pub struct Table {
    pub columns: Columns,
    /// Sets of columns that are unique together.
    pub keys: Vec<BTreeSet<String>>,
    /// The split above this place.
    pub split: Option<SplitFact>,
    /// Ids that came by a join: (the columns that it was on, the id). Equal values there give equal ids.
    pub follows: Vec<(Vec<String>, String)>,
    /// Ids that were dropped although several rows may have one.
    pub dropped_ids: Vec<Column>,
    /// How many `sample` steps its rows have passed.
    pub samples: u32,
    /// Where it was told that a split is missing, or that the one above is wrong.
    pub unsplit: Option<Span>,
    /// Prefixes of columns whose names only data tell (see [`Schema::open`]).
    pub open: Vec<String>,
    /// A declaration or step above is wrong: its columns are not known, and names that are missing are not reported.
    pub broken: bool,
    /// Names that a broken statement would have declared.
    pub lost: Arc<Lost>,
    /// Names that a broken step above would have given.
    pub missing: Arc<BTreeSet<String>>,
    /// The labels and late columns that chose its rows.
    pub chosen_by: Taint,
    /// The sources that its rows are made of: a path, or the name of a dataset without one.
    pub rows: BTreeSet<String>,
    /// What holds of its rows because others were left out.
    pub conditions: Conditions,
    /// Rows of other tables that stand at several rows here.
    pub repeats: Vec<Repeat>,
    /// The time, if it was dropped.
    pub dropped_time: Option<Column>,
    /// Whether a row of them stands here several times.
    pub copies: Option<Copies>,
}

/// That a join gave one row of another table to several rows.
#[derive(Debug, Clone)]
pub struct Repeat {
    pub span: Span,
    /// The columns that it was on, as they were called there.
    pub on: Vec<Column>,
    /// The source columns that came along.
    pub brought: BTreeSet<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Feature,
    Key,
    Id,
    Time,
    Label,
    Weight,
}

#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    pub dtype: DataType,
    pub nullable: bool,
    pub role: Role,
    /// Of a date or datetime: which time of its row it is.
    pub clock: Option<Clock>,
    /// The function of a time of its row that it is, if it never falls.
    pub pace: Option<Pace>,
    /// The group whose aggregate it is, in the row of that group.
    pub aggregate: Option<Arc<Statistic>>,
    pub taint: Taint,
    /// The source columns that it derives from: (dataset, column).
    pub origin: BTreeSet<(String, String)>,
    /// Those of them of which only other rows' values went into it: a `lag`, what lies strictly before or after.
    pub elsewhere: BTreeSet<(String, String)>,
    /// Whether it is a source column as it is, under whatever name.
    pub plain: bool,
    /// The statistics over several rows that it derives from.
    pub statistics: Statistics,
    /// The maps that it carries, the first applied first, each with the place that applied it.
    pub maps: Vec<(MapLink, Span)>,
    /// What `derive replace` made of it by itself, as maps. Only `unmap` undoes these: what a column is replaced by is
    /// what it means from there on, for a model too.
    pub replaced: Vec<(MapLink, Span)>,
    /// What is known of its numbers.
    pub range: Range,
    pub refinement: Option<Refinement>,
    /// The `##` comment above its declaration.
    pub doc: Option<Arc<str>>,
    /// Nobody promises what it is: taken as the file has it, or made by a process.
    pub unchecked: bool,
    /// Whether it is known to be the same in every row, beside what its range and the conditions of its table tell.
    pub constant: bool,
    /// Of a copy, and of what was copied: the number of the copying, and what was done to it since.
    pub copied: Option<(u32, Vec<String>)>,
    /// Where it was declared or derived.
    pub span: Span,
}

impl Column {
    pub fn new(name: impl Into<String>, dtype: DataType, nullable: bool, span: Span) -> Self {
        Self {
            name: name.into(),
            dtype,
            nullable,
            role: Role::Feature,
            clock: None,
            pace: None,
            aggregate: None,
            taint: Taint::new(),
            origin: BTreeSet::new(),
            elsewhere: BTreeSet::new(),
            plain: false,
            statistics: Statistics::default(),
            maps: Vec::new(),
            replaced: Vec::new(),
            range: Range::ALL,
            refinement: None,
            doc: None,
            unchecked: false,
            constant: false,
            copied: None,
            span,
        }
    }

    /// What was done to a copy besides: another one to which the same was done has equal values still.
    pub fn changed(&mut self, words: impl FnOnce() -> String) {
        if let Some((_, changes)) = &mut self.copied {
            changes.push(words());
        }
    }

    /// The source columns whose values in the same row went into it.
    pub fn own(&self) -> impl Iterator<Item = &(String, String)> {
        self.origin.difference(&self.elsewhere)
    }

    /// The function of a time of its row that it is; a time is one, too.
    pub fn paced(&self) -> Option<Pace> {
        self.pace.clone().or_else(|| self.clock.clone().map(Pace::of_time))
    }

    /// Adds the origin of another.
    pub fn absorb_origin(&mut self, other: &Column) {
        origin::absorb((&mut self.origin, &mut self.elsewhere), (&other.origin, &other.elsewhere));
    }

    /// Whether it is a function of source columns of its row alone.
    pub fn of_row(&self) -> bool {
        self.elsewhere.is_empty() && self.statistics.is_empty() && !self.unchecked && !self.origin.is_empty()
    }

    pub fn field(&self) -> Field {
        Field {
            name: self.name.clone(),
            dtype: self.dtype.clone(),
            nullable: self.nullable,
            refinement: self.refinement.clone(),
            hidden: false,
        }
    }
}

impl Table {
    pub fn broken() -> Self {
        Self { broken: true, ..Self::default() }
    }

    /// Whether a column of it has one value, which is not null, in all rows.
    pub fn is_constant(&self, column: &Column) -> bool {
        let one_level = matches!(&column.dtype, DataType::Category { levels: Some(levels) } if levels.len() == 1);
        let one_number = column.dtype.is_numeric() && column.range.is_one();
        let chosen = column.maps.is_empty() && self.conditions.leave_one_value(column.span);
        !column.nullable && !column.unchecked && (column.constant || one_level || one_number || chosen)
    }

    /// Whether a missing column of that name was told already, by what is broken above.
    pub fn excuses(&self, name: &str) -> bool {
        self.broken || self.is_lost(name)
    }

    /// Whether something that could not be read would have declared the name.
    pub fn is_lost(&self, name: &str) -> bool {
        self.missing.contains(name) || self.lost.contains(name)
    }

    pub fn get(&self, name: &str) -> Option<&Column> {
        self.columns.get(name)
    }

    /// To change what is known of a column, not its name.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Column> {
        self.columns.get_mut(name)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|c| c.name.as_str())
    }

    /// Adds a column, or replaces the one of that name where it stands.
    pub fn put(&mut self, column: Column) {
        self.columns.put(column);
    }

    /// The column that says when a row came to be.
    pub fn time(&self) -> Option<&Column> {
        self.columns.iter().find(|c| c.role == Role::Time)
    }

    /// Whether these columns determine a row: some key is among them.
    pub fn unique_by<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> bool {
        let columns: BTreeSet<&str> = columns.into_iter().collect();
        self.keys.iter().any(|key| key.iter().all(|name| columns.contains(name.as_str())))
    }

    /// Forgets keys that lost a column or had one replaced; the split's too.
    pub fn forget_keys_with(&mut self, changed: &str) {
        self.keys.retain(|key| !key.contains(changed));
        self.follows.retain(|(on, id)| id != changed && !on.iter().any(|c| c == changed));
        if let Some(split) = &mut self.split {
            split.lose(changed);
        }
    }

    /// Whether an id is the same wherever `columns` are equal.
    pub fn follows(&self, id: &str, columns: &[&str]) -> bool {
        self.follows.iter().any(|(on, name)| name == id && on.iter().all(|c| columns.contains(&c.as_str())))
    }

    /// The step makes other rows: they are not those that the split numbered.
    pub fn forget_rows(&mut self) {
        if let Some(split) = &mut self.split {
            split.rows = false;
        }
    }

    pub fn hidden(&self) -> Hidden {
        self.split.as_ref().map(SplitFact::hidden).unwrap_or_default()
    }

    /// The columns as they are here, at the cost of a pointer.
    pub fn shape(&self) -> Shape {
        Shape { columns: self.columns.clone(), hidden: self.hidden(), open: self.open.clone() }
    }

    pub fn schema(&self) -> Schema {
        self.shape().schema()
    }
}

/// The columns behind a step, shared with the steps around it as long as none changes them.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    pub columns: Columns,
    pub hidden: Hidden,
    pub open: Vec<String>,
}

impl Shape {
    /// As the plan sees it, the hidden columns last.
    pub fn schema(&self) -> Schema {
        let mut fields: Vec<Field> = self.columns.iter().map(Column::field).collect();
        fields.extend(self.hidden.fields());
        Schema { fields, open: self.open.clone() }
    }

    /// The column as the plan sees it; not a hidden one.
    pub fn field(&self, name: &str) -> Option<Field> {
        self.columns.get(name).map(Column::field)
    }
}
