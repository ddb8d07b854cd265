use std::collections::BTreeMap;

use dbjob_plan::{
    Field, FitSpec, Format, ItemKind, NodeId, Op, Plan, PlanItem, Refinement, Source, Span, Target, Task, Value,
};
use serde::Serialize;

use crate::lineage::one_line;
use crate::source::SourceMap;

/// A plan as people think of it: its items, each with what went into it and what comes out.
#[derive(Debug, Serialize)]
pub struct Outline {
    pub job: String,
    pub seed: i64,
    /// As written: `2h`.
    pub run_time: Option<String>,
    pub items: Vec<Item>,
    pub modules: Vec<Module>,
}

#[derive(Debug, Serialize)]
pub struct Item {
    pub name: String,
    pub kind: ItemKind,
    pub doc: Option<String>,
    pub module: Option<String>,
    /// The items that it reads, in order of use.
    pub inputs: Vec<String>,
    /// The file of a dataset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<FileSource>,
    /// The statements of a transform, and the expectations of a dataset, as written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<Model>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<To>,
    /// Of the table that it gives; of a model the columns that a prediction adds.
    pub columns: Vec<Column>,
}

#[derive(Debug, Serialize)]
pub struct FileSource {
    pub format: &'static str,
    pub path: String,
}

#[derive(Debug, Serialize)]
pub struct Column {
    pub name: String,
    #[serde(rename = "type")]
    pub ty: String,
    pub nullable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refinement: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub key: bool,
}

#[derive(Debug, Serialize)]
pub struct Model {
    pub task: Task,
    pub inputs: Vec<Column>,
    pub output: Column,
    pub algorithm: String,
    pub options: BTreeMap<String, serde_json::Value>,
    pub metrics: Vec<String>,
    pub require: Vec<String>,
    /// What a caller of the deployed model sends, and the dataset that it is a row of.
    pub request: Vec<Column>,
    pub request_dataset: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct To {
    pub kind: &'static str,
    pub path: String,
}

#[derive(Debug, Serialize)]
pub struct Module {
    pub name: String,
    pub runs: Vec<String>,
}

impl Outline {
    pub fn new(plan: &Plan, sources: &SourceMap) -> Self {
        let items: Vec<Item> = plan.items.iter().map(|item| Item::new(plan, item, sources)).collect();
        let mut modules: Vec<Module> = Vec::new();
        for item in &plan.items {
            let Some(name) = &item.module else { continue };
            let runs = item.name.clone();
            match modules.iter_mut().find(|m| m.name == *name) {
                Some(module) => module.runs.push(runs),
                None => modules.push(Module { name: name.clone(), runs: vec![runs] }),
            }
        }
        let run_time = plan.run_time.map(|us| Value::Duration(us).to_string());
        Self { job: plan.job.clone(), seed: plan.seed, run_time, items, modules }
    }
}

impl Item {
    fn new(plan: &Plan, item: &PlanItem, sources: &SourceMap) -> Self {
        let nodes = nodes_of(plan, item);
        let mut out = Self {
            name: item.name.clone(),
            kind: item.kind,
            doc: item.doc.clone(),
            module: item.module.clone(),
            inputs: inputs(plan, item, &nodes),
            source: None,
            steps: if item.kind == ItemKind::Model { Vec::new() } else { steps(plan, &nodes, sources) },
            model: None,
            targets: Vec::new(),
            columns: Vec::new(),
        };
        let mut keys: &[String] = &[];
        for id in &nodes {
            match &plan.node(*id).op {
                Op::Read(source) => {
                    out.source = Some(FileSource { format: format_word(source), path: source.path.clone() });
                    keys = &source.key;
                }
                Op::Fit(fit) => out.model = Some(Model::new(fit)),
                Op::Deploy(target) => out.targets.push(To::new(target)),
                _ => {}
            }
        }
        let schema = &plan.node(item.output).schema;
        if item.kind != ItemKind::Deploy {
            out.columns = schema.visible().map(|f| Column { key: keys.contains(&f.name), ..Column::new(f) }).collect();
            out.columns.extend(schema.open.iter().map(|prefix| Column {
                name: format!("{prefix}*"),
                ty: "float".into(),
                nullable: true,
                refinement: None,
                key: false,
            }));
        }
        out
    }
}

/// The nodes of an item in order of computation. Two items of different kinds may have one name.
fn nodes_of(plan: &Plan, item: &PlanItem) -> Vec<NodeId> {
    let deploys = item.kind == ItemKind::Deploy;
    plan.topological()
        .into_iter()
        .filter(|id| {
            let node = plan.node(*id);
            node.item == item.name && matches!(node.op, Op::Deploy(_)) == deploys
        })
        .collect()
}

/// The table that a model learns from comes before those that travel with it.
fn inputs(plan: &Plan, item: &PlanItem, nodes: &[NodeId]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut order = nodes.to_vec();
    order.sort_by_key(|id| !matches!(plan.node(*id).op, Op::Fit(_)));
    for input in order.iter().flat_map(|id| plan.inputs(*id)).filter(|id| !nodes.contains(id)) {
        let name = &plan.node(input).item;
        if (*name != item.name || item.kind == ItemKind::Deploy) && !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// The statements that the nodes come from, each once: one statement may take several nodes.
fn steps(plan: &Plan, nodes: &[NodeId], sources: &SourceMap) -> Vec<String> {
    let mut spans: Vec<Span> = Vec::new();
    for id in nodes {
        let node = plan.node(*id);
        let is_step = !matches!(node.op, Op::Read(_) | Op::Fit(_) | Op::Deploy(_));
        if is_step && !node.span.is_empty() && !spans.contains(&node.span) {
            spans.push(node.span);
        }
    }
    spans.into_iter().map(|span| one_line(sources.slice(span))).collect()
}

impl Column {
    fn new(field: &Field) -> Self {
        Self {
            name: field.name.clone(),
            ty: field.dtype.to_string(),
            nullable: field.nullable,
            refinement: field.refinement.as_ref().map(refinement),
            key: false,
        }
    }

    /// `age: int? in 0..=120 key`
    pub fn display_type(&self) -> String {
        let null = if self.nullable { "?" } else { "" };
        let refinement = self.refinement.as_ref().map(|r| format!(" in {r}")).unwrap_or_default();
        format!("{}{null}{refinement}{}", self.ty, if self.key { " key" } else { "" })
    }
}

fn refinement(refinement: &Refinement) -> String {
    match refinement {
        Refinement::OneOf(values) => Value::List(values.clone()).to_string(),
        Refinement::Range { low, high, inclusive } => {
            let bound = |v: &Option<Value>| v.as_ref().map(Value::to_string).unwrap_or_default();
            let dots = if *inclusive && high.is_some() { "..=" } else { ".." };
            format!("{}{dots}{}", bound(low), bound(high))
        }
    }
}

impl Model {
    fn new(fit: &FitSpec) -> Self {
        let plain = |name: &str, ty: String, nullable| Column {
            name: name.to_owned(),
            ty,
            nullable,
            refinement: None,
            key: false,
        };
        Self {
            task: fit.task,
            inputs: fit.inputs.iter().map(|i| plain(&i.column, i.dtype.to_string(), i.nullable)).collect(),
            output: plain(&fit.output.column, fit.output.dtype.to_string(), false),
            algorithm: fit.algorithm.name.clone(),
            options: fit.algorithm.options.iter().map(|(k, v)| (k.clone(), json(v))).collect(),
            metrics: fit.metrics.clone(),
            require: fit.require.iter().map(|r| one_line(&r.text)).collect(),
            request: fit.serving.request.visible().map(Column::new).collect(),
            request_dataset: fit.serving.dataset.clone(),
        }
    }
}

/// Numbers, texts and words as JSON has them; what JSON lacks, as it is written in a job.
fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Int(i) => (*i).into(),
        Value::Float(x) => (*x).into(),
        Value::Bool(b) => (*b).into(),
        Value::String(s) | Value::Word(s) => s.as_str().into(),
        Value::List(items) => items.iter().map(json).collect(),
        other => other.to_string().into(),
    }
}

impl To {
    fn new(target: &Target) -> Self {
        let (kind, path) = match target {
            Target::Registry { path, .. } => ("registry", path),
            Target::Csv { path } => ("csv", path),
            Target::Parquet { path } => ("parquet", path),
            Target::Ndjson { path } => ("ndjson", path),
        };
        Self { kind, path: path.clone() }
    }
}

fn format_word(source: &Source) -> &'static str {
    match source.format {
        Format::Csv(_) => "csv",
        Format::Parquet => "parquet",
        Format::Ndjson => "ndjson",
    }
}
