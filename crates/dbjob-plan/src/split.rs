use serde::{Deserialize, Serialize};

/// Which rows serve what: adds the hidden column [`crate::PART`] and, with folds, [`crate::FOLD`], [`crate::ROW`] and for
/// folds in time [`crate::FOLD_FROM`]. Rows in the gap between two parts are dropped.
///
/// The hash of a row is u = (XXH64(seed 42, S) >> 11) * 2^-53 in [0, 1), with S = `<seed>|<key>` for the parts and
/// `<seed>|folds|<key>` for the folds. Parts lie on [0, 1) in the order train, valid, test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Split {
    pub parts: SplitParts,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folds: Option<SplitFolds>,
}

/// How the parts are told apart. Columns of time, strata and given parts are never null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitParts {
    Hash {
        key: SplitKey,
        shares: Shares,
    },
    /// In every stratum the rows by their hash, ties in row order: exact shares, rounded half up at each end of a part.
    Stratified {
        key: SplitKey,
        column: String,
        shares: Shares,
    },
    /// A part ends where the next begins, or `gap` before it. Microseconds; of a date: its midnight.
    Bounded {
        time: String,
        valid_from: Option<i64>,
        test_from: Option<i64>,
        gap: i64,
    },
    /// Shares of the rows by time. A part begins with the time of the row at its share of all, so rows of one time
    /// stay together; it ends `gap` microseconds before the next begins.
    Ordered {
        time: String,
        shares: Shares,
        gap: i64,
    },
    /// `train`, `valid` or `test` as text, or a bool of which true is test. Other texts are an error of their row.
    Given {
        column: String,
    },
}

/// Folds of the train rows, numbered from 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitFolds {
    /// Fold number: the floor of u times `count`.
    Hash { key: SplitKey, count: u32 },
    /// In every stratum the rows by their hash go to the folds in turn.
    Stratified { key: SplitKey, column: String, count: u32 },
    /// `count` + 1 blocks of the train rows by time, of equal size, rows of one time together. Each block but the first
    /// is a fold, and is learned from the blocks before it, up to `gap` microseconds before it begins.
    Rolling { time: String, count: u32, gap: i64 },
}

impl SplitFolds {
    pub fn count(&self) -> u32 {
        match self {
            Self::Hash { count, .. } | Self::Stratified { count, .. } | Self::Rolling { count, .. } => *count,
        }
    }
}

/// What a row is hashed by.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SplitKey {
    /// Empty: the number of the row, from 0.
    pub columns: Vec<String>,
    /// A declared key, relied upon to tell the rows apart: verified by the engine.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unique: bool,
}

impl SplitKey {
    pub fn by<S: Into<String>>(columns: impl IntoIterator<Item = S>) -> Self {
        Self { columns: columns.into_iter().map(Into::into).collect(), unique: false }
    }
}

/// Shares of train, valid and test; they sum to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Shares {
    pub train: f64,
    pub valid: f64,
    pub test: f64,
}

impl Shares {
    pub const ALL_TRAIN: Self = Self { train: 1.0, valid: 0.0, test: 0.0 };
}

/// Keeps a row if u of `<seed>|sample<number>|<key>` (see [`Split`]) is below `share`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    pub key: SplitKey,
    pub share: f64,
    /// 1 for the first `sample` on the path of the table's rows.
    pub number: u32,
    /// Rows of other parts than train stay.
    pub on_train: bool,
}

impl Split {
    /// The columns that it reads, each once.
    pub fn columns(&self) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        match &self.parts {
            SplitParts::Hash { key, .. } => found.extend(key.columns.iter().map(String::as_str)),
            SplitParts::Stratified { key, column, .. } => {
                found.extend(key.columns.iter().chain([column]).map(String::as_str))
            }
            SplitParts::Bounded { time, .. } | SplitParts::Ordered { time, .. } => found.push(time),
            SplitParts::Given { column } => found.push(column),
        }
        match &self.folds {
            None => {}
            Some(SplitFolds::Hash { key, .. }) => found.extend(key.columns.iter().map(String::as_str)),
            Some(SplitFolds::Stratified { key, column, .. }) => {
                found.extend(key.columns.iter().chain([column]).map(String::as_str));
            }
            Some(SplitFolds::Rolling { time, .. }) => found.push(time),
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Which shares the parts have; of bounds: whether there is a part at all. Given parts are in the data.
    pub fn shares(&self) -> Shares {
        let there = |bound: &Option<i64>| if bound.is_some() { 1.0 } else { 0.0 };
        match &self.parts {
            SplitParts::Hash { shares, .. }
            | SplitParts::Stratified { shares, .. }
            | SplitParts::Ordered { shares, .. } => *shares,
            SplitParts::Bounded { valid_from, test_from, .. } => {
                Shares { train: 1.0, valid: there(valid_from), test: there(test_from) }
            }
            SplitParts::Given { .. } => Shares::ALL_TRAIN,
        }
    }

    /// What the rows are hashed by; a split has one key for parts and folds.
    pub fn key(&self) -> Option<&SplitKey> {
        match (&self.parts, &self.folds) {
            (SplitParts::Hash { key, .. } | SplitParts::Stratified { key, .. }, _)
            | (_, Some(SplitFolds::Hash { key, .. } | SplitFolds::Stratified { key, .. })) => Some(key),
            _ => None,
        }
    }

    /// Whether the number of a row or the order of rows with one hash decides something.
    pub fn is_positional(&self) -> bool {
        self.key().is_some_and(|key| key.columns.is_empty() || !key.unique && self.ranks())
    }

    fn ranks(&self) -> bool {
        matches!(self.parts, SplitParts::Stratified { .. }) || matches!(self.folds, Some(SplitFolds::Stratified { .. }))
    }
}
