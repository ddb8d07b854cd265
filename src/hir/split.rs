//! What is known of the split above a place.

use dbjob_plan::{DataType, FOLD, FOLD_FROM, Field, PART, ROW, Shares, Span, Split, SplitFolds, SplitKey, SplitParts};

#[derive(Debug, Clone, PartialEq)]
pub struct SplitFact {
    /// The split with its columns numbered as `by` is, so that two tables can be compared.
    rule: Box<Split>,
    /// The columns that decide, by the names that they have here; `None` if one is gone or was changed.
    by: Vec<Option<String>>,
    /// Whether a test part is sure, or may be (`split using`).
    pub has_test: bool,
    pub has_valid: bool,
    /// Whether each row is known by its number at the split.
    pub rows: bool,
    pub span: Span,
}

/// The hidden columns of a table, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hidden {
    part: bool,
    fold: bool,
    fold_from: bool,
    row: bool,
}

impl Hidden {
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        [(self.part, PART), (self.fold, FOLD), (self.fold_from, FOLD_FROM), (self.row, ROW)]
            .into_iter()
            .filter_map(|(there, name)| there.then_some(name))
    }

    /// Those that are the same in all rows of one key.
    pub fn of_key(self) -> impl Iterator<Item = &'static str> {
        self.names().filter(|name| *name != ROW)
    }

    pub fn fields(self) -> impl Iterator<Item = Field> {
        self.names().map(|name| Field { hidden: true, ..Field::new(name, DataType::Int, false) })
    }
}

impl SplitFact {
    /// `given`: whether a given column may say valid, and test.
    pub fn new(split: &Split, given: [bool; 2], span: Span) -> Self {
        let columns: Vec<String> = split.columns().into_iter().map(str::to_owned).collect();
        let Shares { valid, test, .. } = split.shares();
        let [given_valid, given_test] = given;
        Self {
            rule: Box::new(numbered(split, &columns)),
            by: columns.into_iter().map(Some).collect(),
            has_test: test > 0.0 || given_test,
            has_valid: valid > 0.0 || given_valid,
            rows: split.folds.is_some(),
            span,
        }
    }

    pub fn hidden(&self) -> Hidden {
        let fold = self.rule.folds.is_some();
        let fold_from = matches!(self.rule.folds, Some(SplitFolds::Rolling { .. }));
        Hidden { part: true, fold, fold_from, row: fold && self.rows }
    }

    pub fn folds(&self) -> Option<&SplitFolds> {
        self.rule.folds.as_ref()
    }

    /// Whether some rows are learned from and others judged.
    pub fn separates(&self) -> bool {
        self.has_test || self.has_valid || self.rule.folds.is_some()
    }

    /// Whether the parts follow each other in time.
    pub fn in_time(&self) -> bool {
        matches!(self.rule.parts, SplitParts::Bounded { .. } | SplitParts::Ordered { .. })
            || matches!(self.rule.folds, Some(SplitFolds::Rolling { .. }))
    }

    /// The columns that have one part and fold for all rows in which they are equal, by the names that they have here.
    /// `None`: there are none, or not any more.
    pub fn key(&self) -> Option<Vec<&str>> {
        let by_number = self.rule.key().is_some_and(|key| key.columns.is_empty());
        let by: Option<Vec<&str>> = self.by.iter().map(Option::as_deref).collect();
        by.filter(|by| !by.is_empty() && !by_number)
    }

    /// The columns that rows are hashed by, by the names that they have here: none where time or a given column decides,
    /// and where rows have a number only. `None`: one is gone or was changed.
    pub fn hashed_by(&self) -> Option<Vec<&str>> {
        let Some(key) = self.rule.key() else { return Some(Vec::new()) };
        let here = |number: &String| number.parse().ok().and_then(|i: usize| self.by.get(i)?.as_deref());
        key.columns.iter().map(here).collect()
    }

    /// What the user split by, for messages.
    pub fn words(&self) -> String {
        let names: Vec<&str> = self.by.iter().map(|name| name.as_deref().unwrap_or("a column that is gone")).collect();
        match (&self.rule.parts, names.as_slice()) {
            (_, []) => "split by row".to_owned(),
            (SplitParts::Bounded { .. } | SplitParts::Ordered { .. }, _) => format!("split at {}", names.join(", ")),
            (SplitParts::Given { .. }, _) => format!("split using {}", names.join(", ")),
            _ => format!("split by {}", names.join(", ")),
        }
    }

    /// Whether equal keys are of one part in both tables, where `pairs` (left, right) are equal in every row that meets.
    pub fn agrees(&self, right: &Self, pairs: &[(String, String)]) -> bool {
        let paired = |(l, r): (&Option<String>, &Option<String>)| match (l, r) {
            (Some(l), Some(r)) => pairs.iter().any(|(left, right)| left == l && right == r),
            _ => false,
        };
        self.is_of_values() && self.rule == right.rule && self.by.iter().zip(&right.by).all(paired)
    }

    /// Whether the rows of one source fall into the same parts, where `same` says which columns are one.
    pub fn parts_alike(&self, other: &Self, same: impl Fn(&str, &str) -> bool) -> bool {
        let one = |(l, r): (&Option<String>, &Option<String>)| {
            l.as_deref().zip(r.as_deref()).is_some_and(|(l, r)| same(l, r))
        };
        self.rule.parts == other.rule.parts && self.by.len() == other.by.len() && self.by.iter().zip(&other.by).all(one)
    }

    /// The same of rows that are appended: the deciding columns have the same names.
    pub fn agrees_by_name(&self, right: &Self) -> bool {
        self.is_of_values() && self.rule == right.rule && self.by == right.by && self.by.iter().all(Option::is_some)
    }

    /// Whether the values of the deciding columns alone decide, in every table.
    fn is_of_values(&self) -> bool {
        let by_values = |key: &SplitKey| !key.columns.is_empty();
        let parts = match &self.rule.parts {
            SplitParts::Hash { key, .. } => by_values(key),
            SplitParts::Bounded { .. } | SplitParts::Given { .. } => true,
            SplitParts::Stratified { .. } | SplitParts::Ordered { .. } => false,
        };
        let folds = match &self.rule.folds {
            None => true,
            Some(SplitFolds::Hash { key, .. }) => by_values(key),
            Some(SplitFolds::Stratified { .. } | SplitFolds::Rolling { .. }) => false,
        };
        parts && folds
    }

    /// A column of that name is gone, or has other values.
    pub fn lose(&mut self, name: &str) {
        self.by.iter_mut().filter(|by| by.as_deref() == Some(name)).for_each(|by| *by = None);
    }

    pub fn rename(&mut self, new_name: impl Fn(&str) -> Option<String>) {
        for by in &mut self.by {
            *by = by.as_deref().and_then(&new_name);
        }
    }
}

/// The split with the positions of its columns in place of their names.
fn numbered(split: &Split, columns: &[String]) -> Split {
    let number = |name: &str| columns.iter().position(|c| c == name).unwrap_or_default().to_string();
    let of_key = |key: &SplitKey| SplitKey::by(key.columns.iter().map(|c| number(c)));
    let parts = match split.parts.clone() {
        SplitParts::Hash { key, shares } => SplitParts::Hash { key: of_key(&key), shares },
        SplitParts::Stratified { key, column, shares } => {
            SplitParts::Stratified { key: of_key(&key), column: number(&column), shares }
        }
        SplitParts::Bounded { time, valid_from, test_from, gap } => {
            SplitParts::Bounded { time: number(&time), valid_from, test_from, gap }
        }
        SplitParts::Ordered { time, shares, gap } => SplitParts::Ordered { time: number(&time), shares, gap },
        SplitParts::Given { column } => SplitParts::Given { column: number(&column) },
    };
    let folds = split.folds.clone().map(|folds| match folds {
        SplitFolds::Hash { key, count } => SplitFolds::Hash { key: of_key(&key), count },
        SplitFolds::Stratified { key, column, count } => {
            SplitFolds::Stratified { key: of_key(&key), column: number(&column), count }
        }
        SplitFolds::Rolling { time, count, gap } => SplitFolds::Rolling { time: number(&time), count, gap },
    });
    Split { parts, folds }
}
