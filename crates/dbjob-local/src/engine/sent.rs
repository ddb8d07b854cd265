//! The rows that a model learned from, as its callers would have sent them.
//!
//! Maps and steps change columns on the way from the request to the fit. So the way is walked once more, by a copy of the
//! plan in which hidden copies of the request's columns go along; the rows are then those of the fit's table, in its order.

use dbjob_plan::{
    Event, Expr, Field, FitSpec, ItemKind, NamedExpr, Node, NodeId, Op, PART, Plan, PlanItem, Projection, RunContext,
    RunError, Schema,
};
use polars::prelude::{Column, DataFrame};

use super::folds::upstream;
use super::need::Needs;
use super::run::Run;
use super::walk;
use crate::fault::engine_error;

/// How the copies are called.
const SENT: &str = "__sent_";

/// The item of the copy of the plan whose rows are wanted.
const ITEM: &str = "__sent";

/// The rows of a fit's table.
pub(super) struct Sent {
    /// What callers would have sent, under the names that they see; in the order of the request's fields.
    pub request: DataFrame,
    /// [`PART`], where the table is split, and the model's inputs.
    pub table: DataFrame,
}

impl Run<'_> {
    /// `None`: a step on the way makes other rows, a process must not see further columns, or other models would have to be
    /// fitted again.
    pub(super) fn sent(&self, fit: NodeId) -> Result<Option<Sent>, RunError> {
        let Op::Fit(spec) = &self.plan.node(fit).op else { return Ok(None) };
        // Predictions of other models on the way: unless these are kept they would be fitted again.
        let others =
            upstream(self.plan, fit).into_iter().any(|id| id != fit && matches!(self.plan.node(id).op, Op::Fit(_)));
        if others && self.cx.results.is_none() {
            return Ok(None);
        }
        let Some(plan) = with_copies(self.plan, fit, spec) else { return Ok(None) };
        let quiet = |_: Event| {};
        let cx = RunContext {
            cancel: self.cx.cancel.clone(),
            threads: self.cx.threads,
            // Sources that were brought from elsewhere are there already.
            results: self.cx.results,
            outputs: self.cx.outputs.clone(),
            ..RunContext::new(self.cx.base.clone(), &quiet)
        };
        let needs = Needs::of(&plan, &[ITEM.to_owned()])?;
        let wanted = plan.item(ITEM).map(|item| item.output).expect("it was added");
        let rows = walk(&plan, &cx, &needs, |mut run| {
            run.quiet = true;
            run.rows_of(wanted)
        })?;
        let columns = rows.columns();
        let sent = |field: &Field| -> Result<Column, RunError> {
            let column = rows.column(&format!("{SENT}{}", field.name)).map_err(engine_error)?;
            Ok(column.clone().with_name(field.name.as_str().into()))
        };
        let request: Vec<Column> = spec.serving.request.visible().map(sent).collect::<Result<_, _>>()?;
        let table: Vec<Column> = columns.iter().filter(|c| !c.name().starts_with(SENT)).cloned().collect();
        let height = rows.height();
        Ok(Some(Sent {
            request: DataFrame::new(height, request).map_err(engine_error)?,
            table: DataFrame::new(height, table).map_err(engine_error)?,
        }))
    }
}

/// The plan with hidden copies of the request's columns on the way to the fit, and an item that has them.
fn with_copies(plan: &Plan, fit: NodeId, spec: &FitSpec) -> Option<Plan> {
    let input = *plan.inputs(fit).first()?;
    let (mut way, mut boundary) = (Vec::new(), input);
    for _ in 0..spec.serving.behind {
        way.push(boundary);
        boundary = *plan.inputs(boundary).first()?;
    }
    way.reverse();
    let mut plan = plan.clone();
    let from = plan.node(boundary).clone();
    let (mut copies, mut hidden) = (Vec::new(), Vec::new());
    for field in spec.serving.request.visible() {
        let column = from.schema.get(column_of(spec, &field.name))?;
        let name = format!("{SENT}{}", field.name);
        let expr = Expr::column(column.name.clone(), column.dtype.clone(), column.nullable, from.span);
        copies.push(NamedExpr { name: name.clone(), expr });
        hidden.push(Field { hidden: true, ..Field::new(name, column.dtype.clone(), column.nullable) });
    }
    let schema = with(&from.schema, &hidden);
    let copy = Node { item: from.item.clone(), op: Op::Derive { columns: copies }, schema, span: from.span };
    let copy = plan.add(copy, &[boundary]);
    if let Some(first) = way.first() {
        plan.redirect(*first, copy);
    }
    for id in &way {
        let node = &mut plan.graph[*id];
        match &mut node.op {
            Op::Project { columns } => {
                columns.extend(hidden.iter().map(|f| Projection { from: f.name.clone(), to: f.name.clone() }));
            }
            Op::Filter { .. } | Op::Derive { .. } | Op::Join(_) | Op::Map { .. } | Op::Unmap { .. } => {}
            Op::Expect(_) | Op::Sort { .. } | Op::Distinct { .. } | Op::Take { .. } | Op::Split(_) | Op::Sample(_) => {}
            Op::Window(_) | Op::Predict { .. } | Op::Explode { .. } => {}
            _ => return None,
        }
        node.schema = with(&node.schema, &hidden);
    }
    let last = way.last().copied().unwrap_or(copy);
    let schema = &plan.node(last).schema;
    let inputs = spec.inputs.iter().map(|i| i.column.as_str());
    let part = schema.get(PART).map(|_| PART);
    let names = hidden.iter().map(|f| f.name.as_str()).chain(part).chain(inputs);
    let mut fields: Vec<Field> = Vec::new();
    for name in names {
        if fields.iter().all(|f| f.name != name) {
            fields.push(schema.get(name)?.clone());
        }
    }
    let columns = fields.iter().map(|f| Projection { from: f.name.clone(), to: f.name.clone() }).collect();
    let wanted = Node { item: ITEM.into(), op: Op::Project { columns }, schema: Schema::new(fields), span: from.span };
    let output = plan.add(wanted, &[last]);
    plan.items.push(PlanItem { name: ITEM.into(), kind: ItemKind::Transform, output, module: None, doc: None });
    Some(plan)
}

/// The column of the table that a caller knows by this name.
fn column_of<'a>(spec: &'a FitSpec, name: &'a str) -> &'a str {
    let plan = &spec.serving.plan;
    let request = plan.topological().into_iter().find(|id| matches!(plan.node(*id).op, Op::Request));
    let renamed = request.into_iter().flat_map(|id| plan.consumers(id)).find_map(|id| match &plan.node(id) {
        // Callers' names come before all steps of the job.
        Node { item, op: Op::Project { columns }, .. } if item == "request" => {
            columns.iter().find(|c| c.from == name).map(|c| c.to.as_str())
        }
        _ => None,
    });
    renamed.unwrap_or(name)
}

fn with(schema: &Schema, more: &[Field]) -> Schema {
    Schema { fields: schema.fields.iter().chain(more).cloned().collect(), open: schema.open.clone() }
}
