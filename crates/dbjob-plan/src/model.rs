use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{DataType, Expr, Field, Key, NodeId, Plan, Schema, Span, Value};

/// One map that a column carries. `id` is unique in a plan: the state that fitting finds is kept under it, so the same
/// link undoes what it did, in `unmap`, in predictions and in a served model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MapLink {
    pub id: u32,
    /// The map's name in the catalog: `standardize`.
    pub map: String,
    /// Its options, all of them, defaults filled in.
    pub options: BTreeMap<String, Value>,
    pub from: DataType,
    pub from_nullable: bool,
    pub to: DataType,
    pub to_nullable: bool,
    /// Whether it learns from the train part.
    pub fitted: bool,
    /// What it computes, if it is an expression; else engines know it by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formula: Option<Box<Formula>>,
}

/// The column that a [`Formula`] speaks of.
pub const MAPPED: &str = "__x";

/// A map that is an expression of the language.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Formula {
    /// Of the type [`MapLink::to`], over the column [`MAPPED`] of the type [`MapLink::from`].
    pub forward: Expr,
    pub undo: Undo,
    /// Whether a value for which there is no result (null, where it is not null itself) stops the run.
    pub strict: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undo {
    /// Of the type [`MapLink::from`], over the column [`MAPPED`] of the type [`MapLink::to`].
    By(Expr),
    /// There is no inverse: why, in words.
    Never(String),
}

/// What to learn, from which columns, with what, and how to judge it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FitSpec {
    pub model: String,
    pub inputs: Vec<Input>,
    pub output: Output,
    pub task: Task,
    /// A column of non-negative weights.
    pub weight: Option<String>,
    /// What is fitted; where something is searched, the first candidate with the first of its searched values.
    pub algorithm: Algorithm,
    /// Several candidates, or options with several values: the best is fitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Search>,
    /// Once judged, learn again from all rows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refit: bool,
    /// From which probability of `true` on the answer is `true`; 0.5 when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Threshold>,
    /// How probabilities are put right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// Between which numbers the truth lies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conformal: Option<Conformal>,
    /// Whether the table has the column [`crate::PART`]. Without it all rows are train.
    pub split: bool,
    /// The number of folds, if the table has the column [`crate::FOLD`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folds: Option<u32>,
    /// Judged by the rows that each fold held out, because the split has folds and no test part.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub judged_by_folds: bool,
    /// Metrics by catalog name, `auc` or `quantile_loss(0.9)`, in the order asked for; those that `require` needs are
    /// among them.
    pub metrics: Vec<String>,
    /// How much of the bootstrap's values the interval of each metric covers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intervals: Option<f64>,
    /// Metrics of the test rows of each value of a column.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slices: Vec<Slice>,
    pub require: Vec<Requirement>,
    pub serving: Serving,
    /// Columns that identify rows (key, id) of the table, copied into the stored test predictions.
    pub identify: Vec<String>,
}

impl FitSpec {
    /// The column that is learned; `None` where there is none.
    pub fn target(&self) -> Option<&str> {
        (self.task != Task::Clustering).then_some(self.output.column.as_str())
    }

    /// From which probability of `true` on the answer is `true`, if that is said.
    pub fn fixed_threshold(&self) -> Option<f64> {
        match self.threshold {
            Some(Threshold::Fixed(share)) => Some(share),
            _ => None,
        }
    }

    /// Whether anybody asks how good the model is.
    pub fn is_judged(&self) -> bool {
        !(self.metrics.is_empty() && self.require.is_empty() && self.slices.is_empty())
    }

    /// Whether something is chosen before the fit, on rows that are not learned from meanwhile.
    pub fn chooses(&self) -> bool {
        self.search.is_some() || self.settles() || self.algorithm.stops_early()
    }

    /// Whether something of it is found out from rows that a fit has not learned from.
    pub fn settles(&self) -> bool {
        matches!(self.threshold, Some(Threshold::Best(_)))
            || self.calibration.as_ref().is_some_and(|c| c.curves.is_empty())
            || self.conformal.is_some_and(|c| c.radius.is_none())
    }

    /// The columns that stand before the truth in the stored test predictions, in this order.
    pub fn beside_predictions(&self) -> impl Iterator<Item = &String> {
        let weight = self.weight.iter().filter(|w| !self.identify.contains(w));
        self.identify.iter().chain(weight).filter(|name| Some(name.as_str()) != self.target())
    }

    /// The columns whose values tell slices apart, each once.
    pub fn slice_columns(&self) -> BTreeSet<&str> {
        let gates = self.require.iter().filter_map(|r| r.for_each.as_deref());
        self.slices.iter().map(|s| s.column.as_str()).chain(gates).collect()
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// The column of the fit's table.
    pub column: String,
    /// The name that callers see: `input user_id as "user-id"`.
    pub name: String,
    pub dtype: DataType,
    pub nullable: bool,
}

/// What predictions are. Of clusters it is the number of one, and `column` is no column of the table: `cluster`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Output {
    pub column: String,
    /// The type of the column as the learner sees it.
    pub learned: DataType,
    /// The type that callers see: after `unmap`.
    pub dtype: DataType,
    /// The links to undo on a prediction, the last applied first; empty for `raw` or an unmapped column.
    pub unmap: Vec<MapLink>,
}

impl Output {
    /// That of a model that learns without an output.
    pub fn cluster() -> Self {
        Self { column: "cluster".to_owned(), learned: DataType::Int, dtype: DataType::Int, unmap: Vec::new() }
    }

    /// Whether a number may be predicted that no value was mapped to: null in the caller's units.
    pub fn may_be_lost(&self) -> bool {
        let partial = |link: &MapLink| match link.formula.as_ref().map(|formula| &formula.undo) {
            Some(Undo::By(back)) => back.nullable,
            _ => false,
        };
        self.unmap.iter().any(partial)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    Classification,
    Regression,
    /// Groups of rows, without an output.
    Clustering,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Algorithm {
    pub name: String,
    /// All options of its catalog entry, defaults filled in, checked against their types and ranges.
    pub options: BTreeMap<String, Value>,
    #[serde(skip)]
    pub span: Span,
}

impl Algorithm {
    /// Whether rows that are not learned from say when the fit ends.
    pub fn stops_early(&self) -> bool {
        !matches!(self.options.get("stop_early"), None | Some(Value::Null))
    }
}

/// What is tried before the fit, on train rows only: judged on the `valid` part, or by 5 folds of train without one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Search {
    pub candidates: Vec<Candidate>,
    pub strategy: Strategy,
    /// The metric that chooses.
    pub metric: String,
    #[serde(skip)]
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    pub algorithm: Algorithm,
    /// The options written with `in`, by name.
    pub spaces: BTreeMap<String, Space>,
}

/// The values of an option that are tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Space {
    OneOf(Vec<Value>),
    /// Both ends are included.
    Ints {
        low: i64,
        high: i64,
    },
    /// Uniform, or uniform of the logarithm. Not for a grid.
    Floats {
        low: f64,
        high: f64,
        log: bool,
    },
}

impl Space {
    /// Of how many values it is; `None` without end.
    pub fn count(&self) -> Option<u64> {
        match self {
            Self::OneOf(values) => Some(values.len() as u64),
            Self::Ints { low, high } => Some(high.abs_diff(*low).saturating_add(1)),
            Self::Floats { .. } => None,
        }
    }

    pub fn first(&self) -> Value {
        match self {
            Self::OneOf(values) => values.first().cloned().unwrap_or(Value::Null),
            Self::Ints { low, .. } => Value::Int(*low),
            Self::Floats { low, .. } => Value::Float(*low),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Every combination of every candidate.
    Grid,
    /// So many combinations of each candidate, drawn by the seed.
    Random(u64),
    /// The same, first tried on few rows; the best third is tried on three times as many, until all rows are used.
    Halving(u64),
    /// So many combinations of each candidate, each chosen by the values of those before it.
    Guided(u64),
}

/// As it is written.
impl std::fmt::Display for Strategy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Grid => f.write_str("grid"),
            Self::Random(trials) => write!(f, "random({trials})"),
            Self::Halving(trials) => write!(f, "halving({trials})"),
            Self::Guided(trials) => write!(f, "guided({trials})"),
        }
    }
}

/// How probabilities are put right: what is said to be 70 % then happens in 70 %.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    pub method: CalibrationMethod,
    /// What was learned; empty before. Of two classes the second has one, of more each; then they are scaled to sum to 1.
    #[serde(default)]
    pub curves: Vec<ClassCurve>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalibrationMethod {
    Sigmoid,
    Isotonic,
}

impl CalibrationMethod {
    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sigmoid => "sigmoid",
            Self::Isotonic => "isotonic",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassCurve {
    /// In the caller's units.
    pub class: Value,
    pub curve: Curve,
}

/// From the probability that the learner gives to the one that callers get.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Curve {
    /// 1 / (1 + e^-(slope · z + intercept)), z the log-odds, from -14 to 14, or the probability itself.
    Sigmoid { of_log_odds: bool, slope: f64, intercept: f64 },
    /// Linear between these points, neither of which falls; as at the ends beyond them.
    Points { from: Vec<f64>, to: Vec<f64> },
}

/// A prediction ± `radius` holds the truth in so large a share of new rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Conformal {
    pub coverage: f64,
    /// In the caller's units; `None` before it is learned.
    pub radius: Option<f64>,
}

/// The columns that stand behind a number: the ends of its interval.
pub fn interval_columns(prefix: &str) -> [String; 2] {
    [format!("{prefix}_low"), format!("{prefix}_high")]
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    Fixed(f64),
    /// The one with the best value of this metric on the rows that choose.
    Best(String),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    pub metric: String,
    pub column: String,
}

/// A gate. Columns of the expression are metric names (`accuracy`), baselines (`baseline.accuracy`) and the metrics of the
/// version that is live (`deployed.accuracy`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Requirement {
    pub expr: Expr,
    /// It must hold on the test rows of each value of this column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_each: Option<String>,
    /// As written.
    pub text: String,
    #[serde(skip)]
    pub span: Span,
}

/// The row-wise steps between what a caller sends and what the learner takes: the very nodes of training.
///
/// `plan` has one `Request` node, `Snapshot` nodes for lookup tables, and only row-wise ops (`Derive`, `Project`, `Join`
/// with `lookup`, `Map`, `Unmap`, `Expect` over rows). The schema of `output` holds every `Input::column`. Its `job` and
/// `seed` are those of the training plan: the fit's random choices come from that seed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Serving {
    pub plan: Plan,
    pub request: Schema,
    pub output: NodeId,
    /// Each snapshot's name and the node of the training plan whose table it is.
    pub lookups: Vec<(String, NodeId)>,
    /// The dataset whose rows a caller sends; `None`: rows of a later table, because a step between cannot be computed
    /// for one row.
    pub dataset: Option<String>,
    /// How many nodes of the training plan lie between the rows that a caller sends and the table of the fit.
    #[serde(default)]
    pub behind: usize,
    /// The texts, besides an empty cell, that mean null in a CSV file of such rows: those of the dataset's own file.
    #[serde(default)]
    pub nulls: Vec<String>,
    /// The doc comments of the request's columns, by the names that callers see.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub docs: BTreeMap<String, String>,
}

/// A model package's description, `manifest.json`. The other files of a package: `weights.safetensors`,
/// `maps.json` (fitted state by link id), `lookup/NAME.parquet`, `test_predictions.parquet`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this format.
    pub format: u32,
    pub dbjob: String,
    pub job: String,
    pub model: String,
    pub version: u64,
    /// RFC 3339, UTC.
    pub created: String,
    pub status: PackageStatus,
    pub task: Task,
    pub algorithm: Algorithm,
    /// From which probability of `true` on the answer is `true`, where it is not 0.5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// How the learner's probabilities become those that callers get.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conformal: Option<Conformal>,
    pub inputs: Vec<Input>,
    pub output: Output,
    /// The classes in the order of the probabilities, in the caller's units; empty for regression.
    pub classes: Vec<Value>,
    /// The features in the order of the weights: input column, or `column=level` for the width of a vector.
    pub features: Vec<String>,
    pub request: Vec<Field>,
    pub serving: Serving,
    pub rows: RowCounts,
    /// Metric name -> (of the test part, of the baseline on it).
    pub metrics: BTreeMap<String, MetricValue>,
    /// Of a classifier of few classes that was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confusion: Option<Confusion>,
    pub requirements: Vec<RequirementResult>,
    /// What the `time` of its module did not suffice for: the model is the best that there was by then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unfinished: Vec<Unfinished>,
    pub lineage: Vec<SourceFingerprint>,
    /// SHA-256 of each other file of the package, by its path in it.
    pub files: BTreeMap<String, String>,
    pub seed: i64,
    /// What was deployed: a version is not made twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// SHA-256 of the manifest's own text with nothing between these quotes.
    pub sha256: String,
}

/// A part of a fit that ended before its end: `137 of 500 trees`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unfinished {
    pub done: u64,
    /// At most.
    pub of: u64,
    /// `trees`, `epochs`, `iterations`, `trials`, `folds`.
    pub what: String,
}

impl std::fmt::Display for Unfinished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} {}", self.done, self.of, self.what)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackageStatus {
    /// Every requirement held, and callers of the version that was live may go on.
    Promoted,
    /// Every requirement held, but it breaks callers of the version that was live: live only when somebody says so.
    HeldBack,
    /// At least one did not; kept to be looked at, never live.
    Rejected,
}

impl PackageStatus {
    pub fn word(self) -> &'static str {
        match self {
            Self::Promoted => "promoted",
            Self::HeldBack => "held back",
            Self::Rejected => "rejected",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct RowCounts {
    pub train: u64,
    pub valid: u64,
    pub test: u64,
    /// Train rows that were held out in their turn and judged, where folds judge.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub out_of_fold: u64,
    /// Rows whose output is null: neither learned nor evaluated.
    pub without_output: u64,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MetricValue {
    pub value: f64,
    pub baseline: f64,
    /// Of the bootstrap, where the model asks for it and it is defined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<(f64, f64)>,
}

impl MetricValue {
    /// Without an interval.
    pub fn new(value: f64, baseline: f64) -> Self {
        Self { value, baseline, interval: None }
    }
}

/// How many rows that a classifier is judged by are of each class, and of which they are predicted to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Confusion {
    /// In the order of the probabilities, in the caller's units.
    pub classes: Vec<Value>,
    /// A list a true class: rows by their predicted class. Rows of a class that the model does not know are not there.
    pub rows: Vec<Vec<u64>>,
}

/// A metric of the rows of one value of a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SliceMetric {
    pub metric: String,
    pub column: String,
    pub of: Value,
    pub rows: u64,
    /// `None`: not defined on these rows.
    pub value: Option<f64>,
}

/// One of the fits that a search tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    pub algorithm: String,
    /// The options that are searched.
    pub options: BTreeMap<String, Value>,
    /// The metric that chooses, the mean over the folds; `None`: not defined.
    pub value: Option<f64>,
    /// How much of the train rows it learned from, where that is not all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequirementResult {
    pub text: String,
    pub held: bool,
    /// The values that it was judged by: `accuracy = 0.97`, `baseline.accuracy = 0.44`.
    pub values: BTreeMap<String, f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceFingerprint {
    pub dataset: String,
    pub path: String,
    pub bytes: u64,
    /// Of the file's bytes; for a glob, of the sorted list of (path, sha256).
    pub sha256: String,
}
