//! Values that are computed over several rows, and rows that stand several times: what of them the two sides of a split
//! would share.
//!
//! An aggregate alone shares nothing, for its rows are what is split later. It leaks once a join hands it to many rows of
//! the table that it was computed from, as a window does at once, unless rows of different parts never share it: its
//! keys contain those of the split.

use std::collections::BTreeSet;
use std::sync::Arc;

use dbjob_plan::Span;

use super::check::Context;
use super::clock::Pace;
use super::columns::Columns;
use super::conditions::Conditions;
use super::split::SplitFact;
use super::table::{Column, Table};
use super::way::Way;
use crate::diagnostic::{Code, Diagnostic};

/// A value computed over several rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistic {
    /// Where it was computed.
    pub span: Span,
    /// The sources whose rows it was computed over.
    pub rows: BTreeSet<String>,
    /// What holds of these rows.
    conditions: Conditions,
    /// The source columns of its keys: rows that agree in them share the value.
    pub keys: BTreeSet<(String, String)>,
    /// The key, by the place that made it, that tells how late its rows are: none is later than that.
    until: Option<(Span, Pace)>,
    /// Where several rows got it; none of one for each row yet.
    pub shared: Option<Span>,
}

/// That of one source row several stand in a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Copies {
    pub span: Span,
    pub words: &'static str,
    /// Columns that all copies of a row have in common.
    pub common: BTreeSet<String>,
}

/// The statistics that a value derives from, each with its way to it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Statistics(Vec<(Arc<Statistic>, Way)>);

impl Statistics {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// A statistic that is computed here.
    pub fn push(&mut self, statistic: Arc<Statistic>) {
        self.0.push((statistic, Way::default()));
    }

    /// Takes over those of another value; of two ways of one the first is kept.
    pub fn absorb(&mut self, other: &Statistics) {
        for (statistic, way) in &other.0 {
            if !self.0.iter().any(|(s, _)| Arc::ptr_eq(s, statistic) || s == statistic) {
                self.0.push((statistic.clone(), way.clone()));
            }
        }
    }

    /// Leaves one out.
    pub fn forget(&mut self, statistic: &Arc<Statistic>) {
        self.0.retain(|(s, _)| !Arc::ptr_eq(s, statistic));
    }

    /// The same, one step further.
    pub fn through(&self, span: Span, words: &str) -> Self {
        Self(self.0.iter().map(|(statistic, way)| (statistic.clone(), way.further(span, words))).collect())
    }

    /// Those of a column of the right table, once a join at `span` brings them to the rows of `left`.
    pub fn joined(&self, left: &Table, span: Span, words: &str) -> Self {
        let joined =
            |(statistic, way): &(Arc<Statistic>, Way)| (statistic.joined(left, span), way.further(span, words));
        Self(self.0.iter().map(joined).collect())
    }
}

/// The source columns of key columns. A computed key counts as what it is computed from only if that is one column: the
/// month of a day tells less than the day.
fn sources<'a>(columns: impl Iterator<Item = &'a Column>) -> BTreeSet<(String, String)> {
    columns.filter(|c| c.plain).flat_map(|c| c.origin.iter().cloned()).collect()
}

impl Statistic {
    fn over<'a>(table: &Table, keys: impl Iterator<Item = &'a Column>, span: Span, shared: Option<Span>) -> Self {
        let (rows, conditions) = (table.rows.clone(), table.conditions.clone());
        Self { span, rows, conditions, keys: sources(keys), until: None, shared }
    }

    /// Of a group: one value for each combination of its keys.
    pub fn of_group(table: &Table, keys: &Columns, span: Span) -> Arc<Self> {
        let until = keys.iter().find_map(|key| Some((key.span, key.paced()?)));
        Arc::new(Self { until, ..Self::over(table, keys.iter(), span, None) })
    }

    /// Whether all of its rows are earlier than a row whose time, at this pace, is beyond the value of `key`.
    pub fn ends_before(&self, pace: &Pace, key: &Column) -> bool {
        let as_made = key.maps.is_empty() && key.replaced.is_empty();
        as_made && self.until.as_ref().is_some_and(|(made, until)| *made == key.span && until == pace)
    }

    /// Of a window: all rows of a partition see the others' values.
    pub fn of_window<'a>(table: &Table, partition: impl Iterator<Item = &'a Column>, span: Span) -> Arc<Self> {
        Arc::new(Self::over(table, partition, span, Some(span)))
    }

    /// The same after a join that gives it to the rows of `left`: shared if it was computed over these very rows.
    fn joined(self: &Arc<Self>, left: &Table, span: Span) -> Arc<Self> {
        if self.shared.is_some() || self.rows.is_disjoint(&left.rows) || self.conditions.exclude(&left.conditions) {
            return self.clone();
        }
        Arc::new(Self { shared: Some(span), ..(**self).clone() })
    }

    /// Whether rows of different parts share it.
    fn crosses(&self, split: &SplitFact, table: &Table, cx: &Context<'_>) -> bool {
        let within = |c: &Column| c.plain && !c.origin.is_empty() && c.origin.is_subset(&self.keys);
        let keys: Vec<&str> = table.columns.iter().filter(|c| within(c)).map(|c| c.name.as_str()).collect();
        // An id that came by a join on the keys is one for all rows that agree in them.
        // So is what stands beside a key of its dataset.
        let beside_key = |key: &str| {
            let of_dataset = |(dataset, _): &(String, String)| {
                let has =
                    |key: &BTreeSet<String>| key.iter().all(|k| self.keys.contains(&(dataset.clone(), k.clone())));
                cx.tables.get(dataset).is_some_and(|t| t.keys.iter().any(has))
            };
            table.get(key).is_some_and(|c| c.of_row() && c.origin.iter().all(of_dataset))
        };
        let inside = |key: &str| keys.contains(&key) || table.follows(key, &keys) || beside_key(key);
        self.shared.is_some() && !split.key().is_some_and(|key| key.into_iter().all(inside))
    }
}

/// Why a column must not be an input: rows of train and test share a statistic in it.
pub(super) fn leak(column: &Column, table: &Table, at: Span, cx: &Context<'_>) -> Option<Diagnostic> {
    let split = table.split.as_ref().filter(|split| split.separates())?;
    let (statistic, way) = column.statistics.0.iter().find(|(s, _)| s.crosses(split, table, cx))?;
    let name = &column.name;
    let message = format!("`{name}` holds a statistic over rows of all parts, test rows among them");
    let mut diagnostic = Diagnostic::error(Code::E0406, at, message)
        .label("train rows see test rows in it")
        .related(statistic.span, "computed over several rows");
    if let Some(shared) = statistic.shared.filter(|s| *s != statistic.span && !way.passes(*s)) {
        diagnostic = diagnostic.related(shared, "given to each of these rows");
    }
    diagnostic = way.tell(diagnostic).related(split.span, "split here");
    let help = match split.key() {
        None => "split by a key that its keys contain, or compute it from earlier rows only".to_owned(),
        Some(by) => format!("let its keys contain {}, or compute it from earlier rows only", by.join(", ")),
    };
    Some(diagnostic.help(help))
}

/// What a split at `span` does to copies of one row: it may put them on both sides.
pub fn torn_apart(table: &Table, split: &SplitFact) -> Option<Diagnostic> {
    let copies = table.copies.as_ref()?;
    let together = split.key().is_some_and(|key| key.into_iter().all(|column| copies.common.contains(column)));
    if together || !split.separates() {
        return None;
    }
    let diagnostic = Diagnostic::warning(Code::W0411, split.span, "copies of one row may fall into train and test")
        .label("splits them apart")
        .related(copies.span, copies.words);
    Some(diagnostic.help("split by a key that the copies have in common: `split by KEY { train 80%, test 20% }`"))
}
