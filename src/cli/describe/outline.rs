use std::collections::BTreeMap;

use dbjob_plan::{
    DataType, Field, FitSpec, ItemKind, Limits, NodeId, Op, Plan, PlanItem, PlanModule, Span, Target, Task, Value,
};
use serde::Serialize;

use super::choice::{self, Search};
use super::column::{Attributes, Column};
use crate::diagnostic::Problem;
use crate::hir::{ItemBody, Job};
use crate::lineage::{self, Natures, one_line};
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
    /// What nobody has promised and `check` took as it is.
    pub unchecked: Vec<Unchecked>,
}

/// A note of `check`.
#[derive(Debug, Serialize)]
pub struct Unchecked {
    pub code: &'static str,
    pub message: String,
    pub place: Option<String>,
}

impl Unchecked {
    fn new(note: &Problem, sources: &SourceMap) -> Self {
        let place = note.span.map(|span| {
            let file = sources.get(span.file);
            format!("{}:{}", file.path.display(), file.position(span.start).0)
        });
        Self { code: note.code.as_str(), message: note.message.clone(), place }
    }
}

/// What an outline is made from.
struct Context<'a> {
    job: &'a Job,
    plan: &'a Plan,
    lineage: &'a lineage::Job<'a>,
    natures: &'a Natures,
    sources: &'a SourceMap,
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
pub struct Model {
    pub task: Task,
    pub inputs: Vec<Column>,
    pub output: Column,
    pub algorithm: String,
    pub options: BTreeMap<String, serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<Search>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<String>,
    /// How probabilities are put right.
    pub calibrate: Option<&'static str>,
    /// How much of the truth lies in the interval of a predicted number.
    pub conformal: Option<f64>,
    /// How much of the bootstrap's values the interval of each metric covers.
    pub intervals: Option<f64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub refit: bool,
    pub metrics: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub slices: Vec<String>,
    pub require: Vec<String>,
    /// What a caller of the deployed model sends, and the dataset that it is a row of.
    pub request: Vec<Column>,
    pub request_dataset: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct To {
    pub kind: String,
    pub path: String,
}

#[derive(Debug, Serialize)]
pub struct Module {
    pub name: String,
    pub doc: Option<String>,
    pub role: Option<String>,
    pub runs: Vec<String>,
    /// The modules that must have run before.
    pub after: Vec<String>,
    #[serde(flatten)]
    pub limits: Limits,
}

impl Module {
    fn new(module: &PlanModule) -> Self {
        let PlanModule { name, role, runs, after, limits, doc } = module.clone();
        Self { name, doc, role, runs, after, limits }
    }
}

impl Outline {
    pub fn new(job: &Job, lineage: &lineage::Job<'_>, notes: &[Problem]) -> Self {
        let (plan, sources) = (lineage.plan, lineage.sources);
        let natures = Natures::of(plan, &|dataset, column| match job.item(dataset).map(|i| &i.body) {
            Some(ItemBody::Table { table, .. }) => table.get(column).is_some_and(|c| c.unchecked),
            _ => false,
        });
        let cx = Context { job, plan, lineage, natures: &natures, sources };
        let items: Vec<Item> = plan.items.iter().map(|item| Item::new(&cx, item)).collect();
        let modules = plan.modules.iter().map(Module::new).collect();
        let run_time = plan.run_time.map(|us| Value::Duration(us).to_string());
        let unchecked =
            notes.iter().filter(|note| !note.code.is_about_use()).map(|note| Unchecked::new(note, sources)).collect();
        Self { job: plan.job.clone(), seed: plan.seed, run_time, items, modules, unchecked }
    }
}

impl Outline {
    /// Says of each column which columns of other items it comes from.
    pub fn add_links(&mut self, lineage: &lineage::Job<'_>) {
        for (item, described) in lineage.plan.items.iter().zip(&mut self.items) {
            for (name, links) in lineage.between_items(item) {
                let columns: Vec<&mut Column> = match &mut described.model {
                    Some(model) => model.inputs.iter_mut().chain([&mut model.output]).collect(),
                    None => described.columns.iter_mut().collect(),
                };
                columns.into_iter().filter(|c| c.name == name).for_each(|c| c.from = Some(links.clone()));
            }
        }
    }
}

impl Item {
    fn new(cx: &Context<'_>, item: &PlanItem) -> Self {
        let nodes = nodes_of(cx.plan, item);
        let mut out = Self {
            name: item.name.clone(),
            kind: item.kind,
            doc: item.doc.clone(),
            module: item.module.clone(),
            inputs: inputs(cx.plan, item, &nodes),
            source: None,
            steps: if item.kind == ItemKind::Model { Vec::new() } else { steps(cx, &nodes) },
            model: None,
            targets: Vec::new(),
            columns: Vec::new(),
        };
        for id in &nodes {
            match &cx.plan.node(*id).op {
                Op::Read(source) => {
                    out.source = Some(FileSource { format: source.format.word(), path: source.written() });
                }
                Op::Fit(fit) => out.model = Some(Model::new(cx, *id, fit)),
                Op::Deploy(target) => out.targets.push(To::new(target)),
                _ => {}
            }
        }
        if item.kind != ItemKind::Deploy {
            out.columns = columns(cx, item);
        }
        out
    }
}

/// The columns of what an item gives.
fn columns(cx: &Context<'_>, item: &PlanItem) -> Vec<Column> {
    let schema = &cx.plan.node(item.output).schema;
    let known = match cx.job.item(&item.name).map(|i| &i.body) {
        Some(ItemBody::Table { table, .. }) => Some(table),
        _ => None,
    };
    let column = |field: &Field| {
        let nature = cx.natures.get(item.output, &field.name);
        let attributes = known.and_then(|table| table.get(&field.name)).map(|c| Attributes::new(c, cx.sources));
        Column { nature: Some(nature.into()), attributes, ..Column::new(field) }
    };
    let mut columns: Vec<Column> = schema.visible().map(column).collect();
    for prefix in &schema.open {
        let name = format!("{prefix}*");
        let nature = cx.natures.get(item.output, &name);
        let field = Field::new(name, DataType::Float, true);
        columns.push(Column { nature: Some(nature.into()), ..Column::new(&field) });
    }
    columns
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
fn steps(cx: &Context<'_>, nodes: &[NodeId]) -> Vec<String> {
    let mut spans: Vec<Span> = Vec::new();
    let mut steps = Vec::new();
    for id in nodes {
        let node = cx.plan.node(*id);
        let is_step = !matches!(node.op, Op::Read(_) | Op::Fit(_) | Op::Deploy(_));
        if is_step && !spans.contains(&node.span) {
            spans.push(node.span);
            steps.extend(cx.lineage.statements(*id));
        }
    }
    steps
}

impl Model {
    fn new(cx: &Context<'_>, id: NodeId, fit: &FitSpec) -> Self {
        let table = cx.plan.inputs(id)[0];
        let plain = |name: &str, dtype: &DataType, nullable| Column::new(&Field::new(name, dtype.clone(), nullable));
        Self {
            task: fit.task,
            inputs: fit
                .inputs
                .iter()
                .map(|i| Column {
                    nature: Some(cx.natures.get(table, &i.column).into()),
                    ..plain(&i.column, &i.dtype, i.nullable)
                })
                .collect(),
            output: plain(&fit.output.column, &fit.output.dtype, false),
            algorithm: fit.algorithm.name.clone(),
            options: fit.algorithm.options.iter().map(|(k, v)| (k.clone(), json(v))).collect(),
            search: Search::of(fit),
            threshold: choice::threshold(fit),
            calibrate: choice::calibrate(fit),
            conformal: fit.conformal.map(|conformal| conformal.coverage),
            refit: fit.refit,
            metrics: fit.metrics.clone(),
            intervals: fit.intervals,
            slices: choice::slices(fit),
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
        Self { kind: target.word().to_owned(), path: target.place() }
    }
}
