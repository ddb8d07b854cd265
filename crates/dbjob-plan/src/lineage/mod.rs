//! Where columns come from. Each operation says in one place what every column of its result is made of, and what
//! decides which rows there are; everything else (the way up to the sources, the way down to the models) follows from it.

mod op;
mod sent;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{NodeId, Plan, Schema};

/// How a column takes part in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// Its values as they are, perhaps under another name.
    Copy,
    /// An expression of its row.
    Value,
    /// The values of several rows.
    Aggregate,
    /// A map.
    Map,
    /// The undoing of maps.
    Unmap,
    /// It finds the row of the other table: a key of a join.
    Key,
    /// It decides which rows there are, in which order, or which of them are taken together.
    Choice,
    /// A model predicts from it.
    Model,
    /// A model learned from it.
    Learned,
}

/// A column of a node's result. Columns whose names only the data tell have one name together: their prefix and `*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnRef {
    pub node: NodeId,
    pub column: String,
}

/// A column that another is made of, or goes into, and how.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    pub column: ColumnRef,
    pub via: Via,
}

/// What the result of one node is made of: columns of its inputs, of lookup tables, and, where an expression reads a
/// column that the same step made, of the node itself. The hidden part of a split is no column here: it is told by `rows`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Derivation {
    /// Every visible column of the result, in order.
    pub columns: Vec<(String, Vec<Edge>)>,
    /// Whether the node decides which rows there are or their order, and by which columns: a `take` does by none.
    pub rows: Option<Vec<Edge>>,
}

impl Derivation {
    pub fn of(plan: &Plan, id: NodeId) -> Self {
        op::derivation(plan, id)
    }

    /// What a column is made of; nothing for one that is not there.
    pub fn column(&self, name: &str) -> &[Edge] {
        self.columns.iter().find(|(column, _)| column == name).map_or(&[], |(_, from)| from)
    }
}

/// The derivations of a whole plan, both ways. Paths have no circles: a plan has none, and within a node a column is made
/// of earlier ones only.
#[derive(Debug, Clone, Default)]
pub struct Lineage {
    nodes: BTreeMap<NodeId, Derivation>,
    /// What each column goes into.
    into: BTreeMap<ColumnRef, Vec<Edge>>,
    /// The nodes whose rows each column decides on.
    decides: BTreeMap<ColumnRef, Vec<NodeId>>,
}

impl Lineage {
    pub fn of(plan: &Plan) -> Self {
        let mut out = Self::default();
        for node in plan.graph.node_indices() {
            let derivation = Derivation::of(plan, node);
            for (column, made_of) in &derivation.columns {
                for source in made_of {
                    let to = Edge { column: ColumnRef { node, column: column.clone() }, via: source.via };
                    out.into.entry(source.column.clone()).or_default().push(to);
                }
            }
            for source in derivation.rows.iter().flatten() {
                let nodes = out.decides.entry(source.column.clone()).or_default();
                if nodes.last() != Some(&node) {
                    nodes.push(node);
                }
            }
            out.nodes.insert(node, derivation);
        }
        out
    }

    /// What a column is made of.
    pub fn made_of(&self, column: &ColumnRef) -> &[Edge] {
        self.nodes.get(&column.node).map_or(&[], |d| d.column(&column.column))
    }

    /// Whether a node decides on its rows beyond what decided on those of its inputs, and by what.
    pub fn rows(&self, node: NodeId) -> Option<&[Edge]> {
        self.nodes.get(&node).and_then(|d| d.rows.as_deref())
    }

    /// The columns that a column goes into, each with how.
    pub fn goes_into(&self, column: &ColumnRef) -> &[Edge] {
        self.into.get(column).map_or(&[], Vec::as_slice)
    }

    /// The nodes whose rows it decides on.
    pub fn decides(&self, column: &ColumnRef) -> &[NodeId] {
        self.decides.get(column).map_or(&[], Vec::as_slice)
    }
}

/// The names of the columns that a user sees, the open ones by their prefix and `*`.
pub fn column_names(schema: &Schema) -> impl Iterator<Item = String> + '_ {
    schema.visible().map(|f| f.name.clone()).chain(schema.open.iter().map(|prefix| format!("{prefix}*")))
}
