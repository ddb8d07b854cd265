use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{DataType, Expr, Field, NodeId, Plan, Schema, Span, Value};

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
    pub algorithm: Algorithm,
    /// Whether the table has the column [`crate::PART`]. Without it all rows are train.
    pub split: bool,
    /// Metrics by catalog name, in the order asked for; those that `require` needs are among them.
    pub metrics: Vec<String>,
    pub require: Vec<Requirement>,
    pub serving: Serving,
    /// Columns that identify rows (key, id) of the table, copied into the stored test predictions.
    pub identify: Vec<String>,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    Classification,
    Regression,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Algorithm {
    pub name: String,
    /// All options of its catalog entry, defaults filled in, checked against their types and ranges.
    pub options: BTreeMap<String, Value>,
    #[serde(skip)]
    pub span: Span,
}

/// A gate. Columns of the expression are metric names (`accuracy`) and baselines (`baseline.accuracy`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Requirement {
    pub expr: Expr,
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
    /// The texts, besides an empty cell, that mean null in a CSV file of such rows: those of the dataset's own file.
    #[serde(default)]
    pub nulls: Vec<String>,
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
    pub requirements: Vec<RequirementResult>,
    pub lineage: Vec<SourceFingerprint>,
    /// SHA-256 of each other file of the package, by its path in it.
    pub files: BTreeMap<String, String>,
    pub seed: i64,
    /// SHA-256 of the manifest's own text with nothing between these quotes.
    pub sha256: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackageStatus {
    /// Every requirement held.
    Promoted,
    /// At least one did not; kept to be looked at, never live.
    Rejected,
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct RowCounts {
    pub train: u64,
    pub valid: u64,
    pub test: u64,
    /// Rows whose output is null: neither learned nor evaluated.
    pub without_output: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MetricValue {
    pub value: f64,
    pub baseline: f64,
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
