use std::collections::HashMap;
use std::path::PathBuf;

use dbjob_plan::{ColumnRef, NodeId, Via};
use serde::Serialize;

/// A graph of steps without circles. Upwards links point from what is made to what it is made of, downwards from a
/// column to what it goes into.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Trace {
    /// Where the way begins; positions in `vertices`.
    pub roots: Vec<usize>,
    pub vertices: Vec<Vertex>,
    pub links: Vec<Link>,
    /// The steps on the way up that decide which rows there are or their order, the first first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<Decision>,
    #[serde(skip)]
    known: HashMap<Key, usize>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Vertex {
    pub kind: Step,
    /// The item that the step belongs to: `flown`, `deploy.prod`.
    pub item: String,
    /// The column that it makes, or reads; none of a whole model, a deployment and a choice of rows.
    pub column: Option<String>,
    /// With its `?`: `int?`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub ty: Option<String>,
    /// As written, on one line.
    pub text: String,
    pub place: Option<Place>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// A column of a source.
    Source,
    /// A column made by a step.
    Column,
    /// A column that a model takes or learns.
    Input,
    Model,
    Deploy,
    /// A choice or order of rows.
    Rows,
}

/// A link of a [`Trace`]: positions of vertices, and how the one is part of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Link {
    pub from: usize,
    pub to: usize,
    pub via: Via,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decision {
    pub item: String,
    pub text: String,
    pub place: Option<Place>,
}

/// The line of a step in a `.dbjob` file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    pub file: PathBuf,
    /// 1-based.
    pub line: usize,
}

/// What a vertex stands for, so that each thing has one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Column(ColumnRef),
    /// An input or the output of a model.
    Input(NodeId, String),
    Model(NodeId),
    Deploy(NodeId),
    Rows(NodeId),
}

impl Trace {
    /// The vertex of a thing, and whether it was there before.
    pub(super) fn vertex(&mut self, key: Key, make: impl FnOnce() -> Vertex) -> (usize, bool) {
        if let Some(at) = self.known.get(&key) {
            return (*at, true);
        }
        self.vertices.push(make());
        self.known.insert(key, self.vertices.len() - 1);
        (self.vertices.len() - 1, false)
    }

    pub(super) fn link(&mut self, from: usize, to: usize, via: Via) {
        let link = Link { from, to, via };
        if from != to && !self.links.contains(&link) {
            self.links.push(link);
        }
    }

    /// The links of each vertex, in the order in which they were found.
    pub fn children(&self) -> Vec<Vec<Link>> {
        let mut children = vec![Vec::new(); self.vertices.len()];
        for link in &self.links {
            children[link.from].push(*link);
        }
        children
    }
}

impl Vertex {
    /// `flown.local`, `model lands_late`, `deploy prod`, `choice of rows in flown`.
    pub fn label(&self) -> String {
        match (self.kind, &self.column) {
            (Step::Model, _) => format!("model {}", self.item),
            (Step::Deploy, _) => format!("deploy {}", self.item.strip_prefix("deploy.").unwrap_or(&self.item)),
            (_, Some(column)) => format!("{}.{column}", self.item),
            (_, None) => format!("choice of rows in {}", self.item),
        }
    }
}
