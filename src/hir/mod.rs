//! The job resolved and typed: every name is bound, every column has a type and the attributes that machine learning
//! needs (role, taint, origin, maps), every expression is a [`dbjob_plan::Expr`].
//!
//! `check` never stops at the first problem. One cause gives one message: what depends on something broken is not
//! reported again (`Table::broken`, `DataType::Unknown`).

mod argument;
mod bind;
mod branch;
mod call;
mod check;
mod clock;
mod cluster;
mod columns;
mod conditions;
mod constant;
mod dataset;
mod decimal;
mod declared;
mod deploy;
mod expr;
mod facts;
mod fill;
mod finished;
mod fit;
mod fold;
pub mod formula;
mod frame;
mod functions;
mod gate;
mod idle;
mod inline;
mod input;
mod inverse;
mod items;
mod job;
mod known;
mod lint;
mod lost;
mod memory;
mod metric;
mod model;
mod module;
mod needless;
mod never;
mod onnx;
mod options;
mod origin;
mod output;
mod params;
mod quarantine;
mod reach;
mod relied;
mod result;
pub use crate::range;
mod selection;
mod serving;
mod set;
mod setting;
mod source;
pub mod split;
mod statistic;
mod step;
pub mod table;
mod taint;
mod target;
mod test;
mod text;
mod transform;
mod types;
mod unsupervised;
mod unused;
mod value;
mod way;
mod window;

use std::collections::BTreeMap;
use std::sync::Arc;

use dbjob_plan::{Cluster, Environment, FitSpec, ItemKind, Limits, Op, Said, Schema, Span, Target, Value};

pub use check::{Checked, SoundJob, check, check_again, threads};
pub use declared::type_of_text;
pub use memory::Memory;
pub use params::Given;
pub use table::{Column, Role, Shape, Table};
pub use taint::{Taint, TaintKind, TaintSource};

/// A checked job. Items are in an order in which each stands after those that it reads.
#[derive(Debug, Clone, Default)]
pub struct Job {
    pub name: String,
    pub seed: i64,
    /// Microseconds.
    pub run_time: Option<i64>,
    pub items: Vec<Arc<Item>>,
    pub modules: Vec<Module>,
    /// Those of the job's own file, in its order.
    pub tests: Vec<Test>,
    pub clusters: Vec<Cluster>,
    pub cluster: Option<Said<String>>,
    pub retries: Option<Said<u32>>,
    pub environment: Option<Said<Environment>>,
    /// The values that params have, as text; of one from the environment, where it is from.
    pub params: Vec<(String, String)>,
}

#[derive(Debug, Clone)]
pub struct Item {
    pub name: String,
    pub doc: Option<String>,
    pub span: Span,
    pub body: ItemBody,
    /// Position among the items of the program.
    pub position: usize,
}

#[derive(Debug, Clone)]
pub enum ItemBody {
    /// A dataset's first step is `Op::Read`; a transform's first input is the item `input`.
    Table {
        kind: ItemKind,
        input: Option<String>,
        steps: Vec<Step>,
        table: Box<Table>,
    },
    Model(Box<Model>),
    Deploy(Deploy),
}

/// One operation of a table's chain. Its first input is the step before (or the item's input); `others` name the items
/// of further inputs, in order.
#[derive(Debug, Clone)]
pub struct Step {
    pub op: Op,
    pub others: Vec<String>,
    /// The columns behind it.
    pub shape: Shape,
    pub span: Span,
    /// Why it cannot be computed for the one row of a request, if it cannot and its columns are needed there.
    pub served: Served,
}

/// What a step means for a request of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// Computed.
    Computed,
    /// It chooses training rows; a request passes.
    Skipped,
    /// It needs more than one row: the reason in words.
    Not(&'static str),
}

#[derive(Debug, Clone)]
pub struct Model {
    pub input: String,
    /// `serving.lookups` is empty here: the plan's node ids are filled in by `lower` from `lookups`.
    pub spec: FitSpec,
    /// The place of each input.
    pub places: Vec<Span>,
    /// Snapshot name -> item whose table it is.
    pub lookups: Vec<(String, String)>,
    /// The step that stops a request from starting at the dataset, and why.
    pub boundary: Option<(Span, String)>,
    pub schema: Schema,
    pub span: Span,
}

#[derive(Debug, Clone)]
pub struct Deploy {
    pub from: String,
    pub targets: Vec<(Target, Span)>,
    pub schema: Schema,
}

#[derive(Debug, Clone)]
pub struct Module {
    pub name: String,
    pub doc: Option<String>,
    pub role: Option<String>,
    pub runs: Vec<String>,
    pub after: Vec<String>,
    pub limits: Limits,
    pub span: Span,
    /// Position among the items of the program.
    pub position: usize,
}

/// Rows in, rows out.
#[derive(Debug, Clone)]
pub struct Test {
    pub name: String,
    pub doc: Option<String>,
    pub span: Span,
    pub given: Vec<GivenRows>,
    pub expect: Vec<ExpectedRows>,
}

/// Rows that stand for what a dataset reads or a transform gives.
#[derive(Debug, Clone)]
pub struct GivenRows {
    pub node: String,
    /// Whole rows: values of all fields of the schema, hidden ones too, in their order.
    pub rows: Vec<Vec<Value>>,
}

/// Rows that a dataset or transform must give.
#[derive(Debug, Clone)]
pub struct ExpectedRows {
    pub node: String,
    /// The columns that are compared.
    pub columns: Vec<String>,
    /// A value for each column.
    pub rows: Vec<Vec<Value>>,
    /// Whether the order of the rows counts.
    pub ordered: bool,
    pub span: Span,
}

impl Item {
    /// The items that it reads.
    pub fn input_names(&self) -> Vec<&str> {
        match &self.body {
            ItemBody::Table { input, steps, .. } => input
                .iter()
                .map(String::as_str)
                .chain(steps.iter().flat_map(|s| s.others.iter().map(String::as_str)))
                .collect(),
            ItemBody::Model(model) => std::iter::once(model.input.as_str())
                .chain(model.lookups.iter().map(|(_, item)| item.as_str()))
                .collect(),
            ItemBody::Deploy(deploy) => vec![&deploy.from],
        }
    }

    /// The name by which modules and goals speak of it: deployments have a namespace of their own.
    pub fn key(&self) -> String {
        match self.body {
            ItemBody::Deploy(_) => format!("deploy.{}", self.name),
            _ => self.name.clone(),
        }
    }
}

impl Job {
    pub fn item(&self, name: &str) -> Option<&Item> {
        self.items.iter().find(|i| i.name == name).map(|i| &**i)
    }

    /// The tables by name.
    pub fn tables(&self) -> BTreeMap<&str, &Table> {
        self.items
            .iter()
            .filter_map(|i| match &i.body {
                ItemBody::Table { table, .. } => Some((i.name.as_str(), &**table)),
                _ => None,
            })
            .collect()
    }
}
