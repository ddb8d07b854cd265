//! What callers of a model send, with the reasons: which inputs need a field and through which steps, why it is never
//! null, which rules a row is held to, and which steps of training a request does not pass.

use std::collections::{BTreeMap, HashSet};

use dbjob_plan::contract::rules;
use dbjob_plan::{ColumnRef, Edge, ExprKind, Field, FitSpec, JoinKind, NodeId, Op, Plan, Refinement, Schema, Via};
use serde::Serialize;

use super::{Decision, Job, Place};
use crate::source::SourceMap;

/// The request of one model, told.
#[derive(Debug, Serialize)]
pub struct Request {
    pub model: String,
    /// The dataset that a row is one of; none when callers send the inputs or a row of a later table.
    pub dataset: Option<String>,
    pub fields: Vec<RequestField>,
    /// A row for which one does not hold is refused.
    pub rules: Vec<RequestRule>,
    pub lookups: Vec<Lookup>,
    /// Steps that choose or judge rows of training.
    pub not_applied: Vec<Decision>,
    /// What a prediction has.
    pub response: Vec<ResponseField>,
}

#[derive(Debug, Serialize)]
pub struct RequestField {
    /// As callers know it.
    pub name: String,
    /// Its name in the job, where that is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    #[serde(rename = "type")]
    pub ty: String,
    pub nullable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refinement: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
    pub needed_by: Vec<Need>,
    /// The step by which it is never null in training, if the dataset has nulls in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_null_by: Option<Decision>,
}

/// An input of the model that needs a field, and the steps between, the first first.
#[derive(Debug, Serialize)]
pub struct Need {
    pub input: String,
    pub through: Vec<Decision>,
}

#[derive(Debug, Serialize)]
pub struct RequestRule {
    pub text: String,
    pub place: Option<Place>,
    /// The expression that relies on it, if it is not an `expect` of the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relied_on_by: Option<String>,
    /// The step that may give null, where steps behind it rely on a value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub may_be_null_by: Option<String>,
    /// The step by which it holds in training.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holds_by: Option<Decision>,
}

/// A table that travels with the model.
#[derive(Debug, Serialize)]
pub struct Lookup {
    pub table: String,
    pub keys: Vec<String>,
    pub columns: Vec<String>,
    /// Whether a row without a match is refused; otherwise its columns are null.
    pub required: bool,
    pub place: Option<Place>,
}

#[derive(Debug, Serialize)]
pub struct ResponseField {
    /// With `*` for the columns of classes that only the data tell.
    pub name: String,
    #[serde(rename = "type")]
    pub ty: String,
}

impl Request {
    /// Of the model that is fitted at `fit`.
    pub fn of(job: &Job<'_>, fit: NodeId, spec: &FitSpec) -> Self {
        let served = Served::new(spec, job.sources);
        let chain = chain(job.plan, fit, spec);
        let fields = spec.serving.request.visible().map(|f| served.field(job, f, &chain)).collect();
        let lookups = served.lookups();
        Self {
            model: spec.model.clone(),
            dataset: spec.serving.dataset.clone(),
            fields,
            rules: served.rules(job, &chain),
            lookups,
            not_applied: not_applied(job, &served, &chain),
            response: response(&job.plan.node(fit).schema),
        }
    }
}

/// The serving plan of a model.
struct Served<'a> {
    job: Job<'a>,
    spec: &'a FitSpec,
    /// For each field of the request, the inputs that need it.
    needs: BTreeMap<String, Vec<Need>>,
}

impl<'a> Served<'a> {
    fn new(spec: &'a FitSpec, sources: &'a SourceMap) -> Self {
        let mut served = Self { job: Job::new(&spec.serving.plan, sources), spec, needs: BTreeMap::new() };
        for input in &spec.inputs {
            served.trace(&input.column);
        }
        served
    }

    /// Finds the fields that an input needs, each by one way.
    fn trace(&mut self, input: &str) {
        let mut seen: HashSet<ColumnRef> = HashSet::new();
        let start = ColumnRef { node: self.spec.serving.output, column: input.to_owned() };
        let mut open = vec![(start, Vec::<Decision>::new())];
        while let Some((at, way)) = open.pop() {
            let at = self.job.maker(&at);
            if !seen.insert(at.clone()) {
                continue;
            }
            let node = self.job.plan.node(at.node);
            if matches!(node.op, Op::Request) {
                let need = Need { input: input.to_owned(), through: way };
                self.needs.entry(at.column).or_default().push(need);
                continue;
            }
            let vertex = self.job.column_vertex(&at);
            let step = Decision { item: vertex.item, text: vertex.text, place: vertex.place };
            let way: Vec<Decision> = (!step.text.is_empty()).then_some(step).into_iter().chain(way).collect();
            open.extend(self.job.before_statement(&at).into_iter().rev().map(|e| (e.column, way.clone())));
        }
    }

    fn field(&self, job: &Job<'_>, field: &Field, chain: &[NodeId]) -> RequestField {
        let column = self.column_of(&field.name);
        let not_null_by = if field.nullable { None } else { not_null_by(job, chain, &column) };
        RequestField {
            name: field.name.clone(),
            ty: field.dtype.to_string(),
            nullable: field.nullable,
            refinement: field.refinement.as_ref().map(Refinement::to_string),
            doc: self.spec.serving.docs.get(&field.name).cloned(),
            needed_by: self.needs.get(&field.name).into_iter().flatten().map(Need::copied).collect(),
            not_null_by,
            column: Some(column).filter(|c| *c != field.name),
        }
    }

    /// The job's name of a field: the first step gives it where a caller's name is another.
    fn column_of(&self, field: &str) -> String {
        let plan = self.job.plan;
        let root = plan.graph.node_indices().find(|id| matches!(plan.node(*id).op, Op::Request));
        let first = root.and_then(|root| plan.consumers(root).into_iter().next()).map(|id| plan.node(id));
        match first.map(|node| (&node.op, node.span.is_empty())) {
            Some((Op::Project { columns }, true)) => {
                columns.iter().find(|c| c.from == field).map_or(field, |c| &c.to).to_owned()
            }
            _ => field.to_owned(),
        }
    }

    fn rules(&self, job: &Job<'_>, chain: &[NodeId]) -> Vec<RequestRule> {
        let declared = |span| {
            chain.iter().any(|id| job.plan.node(*id).span == span && matches!(job.plan.node(*id).op, Op::Expect(_)))
        };
        let mut out: Vec<RequestRule> = Vec::new();
        for rule in rules(&self.spec.serving) {
            let span = self.job.plan.node(rule.node).span;
            let (text, place) = (rule.text.clone(), self.job.place(span));
            let declared = declared(span);
            let of_null = matches!(rule.expectation.predicate.kind, ExprKind::Not(_));
            let columns = rule.expectation.predicate.columns();
            let holds_by = chain.iter().find(|id| match &job.plan.node(**id).op {
                Op::Filter { predicate } => columns.iter().any(|c| predicate.columns().contains(c)),
                _ => false,
            });
            if out.iter().any(|r| r.text == text) {
                continue;
            }
            out.push(RequestRule {
                text,
                place,
                relied_on_by: (!declared && !of_null).then(|| self.job.text(span)),
                may_be_null_by: (!declared && of_null).then(|| self.job.text(span)),
                holds_by: holds_by.filter(|_| !declared).map(|id| job.decision(*id)),
            });
        }
        out
    }

    fn lookups(&self) -> Vec<Lookup> {
        let plan = self.job.plan;
        let joins = plan.topological().into_iter().filter_map(|id| match &plan.node(id).op {
            Op::Join(join) => Some((id, join)),
            _ => None,
        });
        joins
            .map(|(id, join)| {
                let table = plan.inputs(id).get(1).map(|right| match &plan.node(*right).op {
                    Op::Snapshot { name } => name.clone(),
                    _ => plan.node(*right).item.clone(),
                });
                let times = join.asof.iter().map(|asof| asof.right.clone());
                Lookup {
                    table: table.unwrap_or_default(),
                    keys: join.on.iter().map(|(_, right)| right.clone()).chain(times).collect(),
                    columns: join.right_columns.iter().map(|c| c.from.clone()).collect(),
                    required: join.kind == JoinKind::Inner,
                    place: self.job.place(plan.node(id).span),
                }
            })
            .collect()
    }
}

impl Need {
    fn copied(&self) -> Self {
        Self { input: self.input.clone(), through: self.through.clone() }
    }
}

/// The steps from the first input on to the fit's table, the first first; those above a boundary have no say.
fn chain(plan: &Plan, fit: NodeId, spec: &FitSpec) -> Vec<NodeId> {
    let mut chain = Vec::new();
    let mut at = plan.inputs(fit).first().copied();
    // Where callers send rows of a later table, its columns are there in these forms.
    let begins = |id: NodeId| {
        spec.serving.dataset.is_none() && {
            let schema = &plan.node(id).schema;
            !spec.serving.request.visible().all(|f| schema.get(&f.name).is_some())
        }
    };
    while let Some(id) = at {
        if begins(id) && !chain.is_empty() && spec.inputs.iter().all(|i| i.name == i.column) {
            break;
        }
        chain.push(id);
        at = plan.inputs(id).first().copied();
    }
    chain.reverse();
    chain
}

/// The first step after which a column of the root is never null.
fn not_null_by(job: &Job<'_>, chain: &[NodeId], column: &str) -> Option<Decision> {
    let (first, rest) = chain.split_first()?;
    if !job.plan.node(*first).schema.get(column)?.nullable {
        return None;
    }
    let mut name = column.to_owned();
    for id in rest {
        let node = job.plan.node(*id);
        let here = ColumnRef { node: *id, column: name.clone() };
        // Renamed, or made anew.
        if let Op::Project { columns } = &node.op {
            name.clone_from(&columns.iter().find(|c| c.from == name)?.to);
        } else if !matches!(job.lineage.made_of(&here), [Edge { via: Via::Copy, .. }]) {
            return None;
        }
        if !node.schema.get(&name)?.nullable {
            return Some(job.decision(*id));
        }
    }
    None
}

/// The steps of training that a request does not pass although they decide on rows or judge them.
fn not_applied(job: &Job<'_>, served: &Served<'_>, chain: &[NodeId]) -> Vec<Decision> {
    let kept: HashSet<_> = served.job.plan.graph.node_weights().map(|n| n.span).collect();
    let mut told = HashSet::new();
    let steps = chain.iter().filter(|id| {
        let node = job.plan.node(**id);
        let decides = job.lineage.rows(**id).is_some() || matches!(node.op, Op::Expect(_));
        decides && !kept.contains(&node.span) && told.insert(node.span)
    });
    steps.map(|id| job.decision(*id)).collect()
}

fn response(schema: &Schema) -> Vec<ResponseField> {
    let fields = schema.visible().map(|f| ResponseField { name: f.name.clone(), ty: f.dtype.to_string() });
    let open = schema.open.iter().map(|p| ResponseField { name: format!("{p}*"), ty: "float".into() });
    fields.chain(open).collect()
}
