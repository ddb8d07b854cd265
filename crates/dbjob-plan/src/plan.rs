use std::collections::BTreeMap;

use petgraph::Direction;
use petgraph::stable_graph::{NodeIndex, StableDiGraph};
use petgraph::visit::EdgeRef;
use serde::{Deserialize, Serialize};

use crate::{
    Cluster, DataType, Environment, Expr, FitSpec, Limits, MapLink, Said, Sample, Schema, Source, Span, Split,
    SplitKey, Target, Value, Window,
};

/// A node of a [`Plan`]; stable while the plan is edited.
pub type NodeId = NodeIndex<u32>;

/// What a job does: a directed acyclic graph of operations. An edge `a -> b` with weight `i` says that the table
/// (or model) of `a` is input number `i` of `b`.
///
/// Invariants: acyclic; every node has exactly the inputs that its [`Op`] documents; each schema is what the node really
/// gives, hidden columns included; no `DataType::Unknown` anywhere.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Plan {
    pub job: String,
    pub seed: i64,
    /// The limit on the whole run, in microseconds.
    pub run_time: Option<i64>,
    pub graph: StableDiGraph<Node, usize>,
    /// The named items in file order: what progress, `describe` and reports speak of.
    pub items: Vec<PlanItem>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<PlanModule>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clusters: Vec<Cluster>,
    /// The cluster of what no module places.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Said<String>>,
    /// How often a failed node is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<Said<u32>>,
    /// What processes of the job see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Said<Environment>>,
}

/// A named group of items.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlanModule {
    pub name: String,
    /// The name under which its workers run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Names of items.
    pub runs: Vec<String>,
    /// Modules that run before.
    pub after: Vec<String>,
    #[serde(flatten)]
    pub limits: Limits,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
}

/// A dataset, transform, model or deployment: a chain of nodes under the name that the user gave.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlanItem {
    pub name: String,
    pub kind: ItemKind,
    /// The node whose result is the item's result.
    pub output: NodeId,
    /// The module that runs it, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// The `##` comment above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    Dataset,
    Transform,
    Model,
    Deploy,
}

impl ItemKind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Dataset => "dataset",
            Self::Transform => "transform",
            Self::Model => "model",
            Self::Deploy => "deploy",
        }
    }
}

/// One operation. `schema` is that of its result; for `Fit` the prediction columns under the prefix `prediction`,
/// for `Deploy` that of its input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Node {
    /// The name of the item that it belongs to.
    pub item: String,
    pub op: Op,
    pub schema: Schema,
    /// The step in the `.dbjob` file, for messages at run time.
    #[serde(skip)]
    pub span: Span,
}

/// Inputs are tables unless it says otherwise.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// No input.
    Read(Source),
    /// No input: the rows of a request. Only as the root of a [`crate::Serving`] plan.
    Request,
    /// No input: a table that was stored with a model at training. Only in a [`crate::Serving`] plan.
    Snapshot { name: String },
    /// 1 input. Keeps the rows where it is true.
    Filter { predicate: Expr },
    /// 1 input. Adds or replaces columns; a later one sees the earlier ones.
    Derive { columns: Vec<NamedExpr> },
    /// 1 input. Exactly these columns (and the open ones), in this order, under their new names.
    Project { columns: Vec<Projection> },
    /// 2 inputs: left, right.
    Join(Join),
    /// 1 input. One row for each combination of keys; null is a group of its own. Without keys: one row.
    Group { keys: Vec<NamedExpr>, aggregates: Vec<NamedExpr> },
    /// 1 input. Adds columns; rows keep their order.
    Window(Window),
    /// 1 input. Stable; nulls last in both directions.
    Sort { keys: Vec<SortKey> },
    /// 1 input. One row for each combination of `by` (all visible columns when empty): the first or last in `order`
    /// (in row order when that is empty).
    Distinct { by: Vec<String>, keep: Keep, order: Vec<SortKey> },
    /// 1 input. The first `count` rows.
    Take { count: u64 },
    /// 1 input. As `Group` by `keys`, with each aggregate once for the rows of each value.
    Pivot(Pivot),
    /// 1 input. For each row one row a column: `keep`, the column's name, its value.
    Unpivot(Unpivot),
    /// 1 input. For each row one row an item: the lists in `columns` become items, the others are repeated. A null or
    /// empty list gives one row with null. The lists of one row have one length.
    Explode { columns: Vec<String> },
    /// 1 input. A process gets the visible columns and gives further ones.
    Extern(Extern),
    /// 2 or more inputs with the columns of the result, in any order, of its types or of such as convert to them: rows of
    /// the first, then of the next.
    Union,
    /// 1 input. Adds the hidden columns of the parts.
    Split(Split),
    /// 1 input. A share of the rows, by a hash.
    Sample(Sample),
    /// 1 input. All of one link of a `map` statement: independent columns, fitted in one pass.
    Map { columns: Vec<MapColumn> },
    /// 1 input. Undoes maps: for each column its links, the last applied first.
    Unmap { columns: Vec<UnmapColumn> },
    /// 2 inputs: the table, the model (a `Fit` node). Adds the prediction columns named from `prefix`.
    ///
    /// `out_of_fold`: a train row gets what the model says that was fitted without its fold, found by [`crate::ROW`];
    /// null if its fold is never held out. Rows of other parts get what the whole model says.
    Predict { prefix: String, replay: bool, out_of_fold: bool },
    /// 1 input. Checks rows or the whole table.
    Expect(Expectation),
    /// 1 input: the table to learn from. Gives a model.
    Fit(Box<FitSpec>),
    /// 1 input: a table or a model (a `Fit` node).
    Deploy(Target),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NamedExpr {
    pub name: String,
    pub expr: Expr,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Projection {
    pub from: String,
    pub to: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SortKey {
    pub expr: Expr,
    pub descending: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    First,
    Last,
}

/// The result has `keys`, then for each aggregate one column a value, named `<aggregate>_<name of the value>`. A row whose
/// value is not among `values` counts for none, but makes a row of the result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pivot {
    /// Columns; none: one row. Null is a group of its own.
    pub keys: Vec<String>,
    pub column: String,
    pub values: Vec<PivotValue>,
    pub aggregates: Vec<NamedExpr>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PivotValue {
    /// Of the column's type; null is a value like any other.
    pub value: Value,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unpivot {
    /// All of the type of the result's `value`, after an implicit conversion where that is wider.
    pub columns: Vec<String>,
    /// The columns that are repeated, the hidden ones too.
    pub keep: Vec<String>,
    pub name: String,
    pub value: String,
}

/// A process that reads an Arrow IPC stream of the visible columns on its standard input and writes one on its standard
/// output: as many rows, in the same order, with the columns `returns` of the types of the node's schema.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Extern {
    /// Program and arguments as a shell would split them; there is no shell.
    pub command: String,
    pub returns: Vec<String>,
}

/// Null never matches. The result has the left columns, then `right_columns` (already free of the right keys that the
/// left ones stand for); rows in left order, for `Right`-less kinds. `Semi` and `Anti` keep the left columns only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Join {
    pub kind: JoinKind,
    /// Pairs (left column, right column) that must be equal; empty for `Cross` and perhaps for `Asof`. Both sides have one
    /// type.
    pub on: Vec<(String, String)>,
    /// The right columns that come over, with their names in the result. With `Full`, a key that only the right side
    /// has fills the left key column, unless the right key is among these columns.
    pub right_columns: Vec<Projection>,
    /// The right side must have at most one row a key: proven by `check` from a declared `key`, verified by the engine.
    pub verify_unique_right: bool,
    /// The same of the left side.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub verify_unique_left: bool,
    /// In a serving plan: a row without a match is an error of that row, also for `Inner`.
    pub lookup: bool,
    /// Of an `Asof` join, and of no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asof: Option<Asof>,
}

/// The time of an asof join. Of the right rows with equal `on` columns and a time at or before the left row's, the latest
/// one matches: at most one; of several with one time the last in row order. Null matches nothing, on either side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asof {
    /// Columns of one type: int, date or datetime.
    pub left: String,
    pub right: String,
    /// Only before the left row's time, not at it.
    pub strict: bool,
    /// How far back the match may lie at most, this far included: microseconds, for ints their unit.
    pub within: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinKind {
    Inner,
    Left,
    Full,
    Semi,
    Anti,
    Cross,
    /// As `Left`, by [`Join::asof`] besides `on`.
    Asof,
}

/// One map on one column. `out == column` replaces in place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MapColumn {
    pub column: String,
    pub out: String,
    pub link: MapLink,
    /// The further columns of a map of several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<String>,
    /// What a target encoder learns from. Not in a serving plan: nothing is learned there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_of_fold: Option<OutOfFold>,
}

impl MapColumn {
    /// A map of one column that is no target encoder.
    pub fn new(column: impl Into<String>, out: impl Into<String>, link: MapLink) -> Self {
        Self { column: column.into(), out: out.into(), link, more: Vec::new(), out_of_fold: None }
    }
}

/// How a target encoder learns: a train row is encoded from the folds that it is not in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutOfFold {
    /// The column whose means stand for the levels.
    pub target: String,
    /// What decides on the fold: the floor of u of `<seed>|folds|<key>` times `folds`.
    pub key: SplitKey,
    pub folds: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnmapColumn {
    pub column: String,
    /// In the order of undoing: the last applied first.
    pub links: Vec<MapLink>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Expectation {
    /// Over rows: a boolean of the row. Over the table (`has_aggregate`): one boolean.
    pub predicate: Expr,
    /// `expect unique(a, b)`: these columns, instead of the predicate.
    pub unique: Vec<String>,
    pub action: ExpectAction,
    /// Where `Quarantine` writes the rows that fail, by its ending as CSV, Parquet or NDJSON, with the rule in a column
    /// `rule` behind the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<String>,
    /// The rule as written, for counts and messages.
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpectAction {
    Fail,
    Drop,
    Warn,
    /// Drop, and keep what was dropped in a file.
    Quarantine,
}

impl ExpectAction {
    pub fn word(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Drop => "drop",
            Self::Warn => "warn",
            Self::Quarantine => "quarantine",
        }
    }

    /// Whether rows that fail are not there afterwards.
    pub fn drops(self) -> bool {
        matches!(self, Self::Drop | Self::Quarantine)
    }
}

impl Plan {
    pub fn add(&mut self, node: Node, inputs: &[NodeId]) -> NodeId {
        let id = self.graph.add_node(node);
        for (position, input) in inputs.iter().enumerate() {
            self.graph.add_edge(*input, id, position);
        }
        id
    }

    /// Lets `reader` read another node as its first input.
    pub fn redirect(&mut self, reader: NodeId, input: NodeId) {
        let first = self.graph.edges_directed(reader, Direction::Incoming).find(|e| *e.weight() == 0).map(|e| e.id());
        if let Some(first) = first {
            self.graph.remove_edge(first);
        }
        self.graph.add_edge(input, reader, 0);
    }

    /// Panics if `id` is not of this plan.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.graph[id]
    }

    /// The inputs of a node in order.
    pub fn inputs(&self, id: NodeId) -> Vec<NodeId> {
        let mut edges: Vec<_> =
            self.graph.edges_directed(id, Direction::Incoming).map(|e| (*e.weight(), e.source())).collect();
        edges.sort_unstable();
        edges.into_iter().map(|(_, source)| source).collect()
    }

    /// The tables that a model takes along to a deployment, or to a prediction that replays its steps: read by the node
    /// besides its inputs.
    pub fn lookups(&self, id: NodeId) -> Vec<NodeId> {
        if !matches!(self.node(id).op, Op::Deploy(_) | Op::Predict { replay: true, .. }) {
            return Vec::new();
        }
        let of_model = |input: NodeId| match &self.node(input).op {
            Op::Fit(spec) => spec.serving.lookups.iter().map(|(_, lookup)| *lookup).collect(),
            _ => Vec::new(),
        };
        self.inputs(id).into_iter().flat_map(of_model).collect()
    }

    /// The nodes that read this one's result, each once.
    pub fn consumers(&self, id: NodeId) -> Vec<NodeId> {
        let mut ids: Vec<_> = self.graph.neighbors_directed(id, Direction::Outgoing).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Every node after all of its inputs; ties in order of creation.
    pub fn topological(&self) -> Vec<NodeId> {
        let mut waiting: BTreeMap<NodeId, usize> =
            self.graph.node_indices().map(|id| (id, self.inputs(id).len())).collect();
        let mut order = Vec::with_capacity(waiting.len());
        while let Some(id) = waiting.iter().find(|(_, open)| **open == 0).map(|(id, _)| *id) {
            waiting.remove(&id);
            for edge in self.graph.edges_directed(id, Direction::Outgoing) {
                if let Some(open) = waiting.get_mut(&edge.target()) {
                    *open -= 1;
                }
            }
            order.push(id);
        }
        debug_assert!(waiting.is_empty(), "a plan has no cycles");
        order
    }

    /// Whether a plan that comes from outside keeps the first invariant.
    pub fn is_acyclic(&self) -> bool {
        !petgraph::algo::is_cyclic_directed(&self.graph)
    }

    /// The cluster that a setting names.
    pub fn cluster(&self, name: &Said<String>) -> Option<&Cluster> {
        self.clusters.iter().find(|c| c.name == name.value)
    }

    pub fn item(&self, name: &str) -> Option<&PlanItem> {
        self.items.iter().find(|i| i.name == name)
    }
}

/// Names of the columns that a prediction adds: the value, then the probabilities.
/// Binary (`bool`): one, of true. Other classes: one a level.
pub fn probability_column(prefix: &str, output: &DataType, level: &Value) -> String {
    match (output, level) {
        (DataType::Bool, _) => format!("{prefix}_probability"),
        (_, Value::String(level)) => format!("{prefix}_probability_{level}"),
        (_, level) => format!("{prefix}_probability_{level}"),
    }
}
