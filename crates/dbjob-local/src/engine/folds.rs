//! Folds: everything between a split and a fit is done again for each fold, so that fitted maps, and models whose
//! predictions are inputs, learn from the fold's train rows alone.

use std::collections::{BTreeMap, BTreeSet};

use dbjob_plan::{
    Event, FOLD, FOLD_FROM, FitSpec, NodeId, Op, PART, PART_NONE, PART_TEST, PART_TRAIN, Plan, RunContext, RunError,
};
use polars::prelude::{self as pl, DataFrame, IntoColumn};

use super::Stop;
use super::need::Need;
use super::run::Run;
use super::table::Table;
use crate::fault::engine_error;
use crate::learn::{Fresh, HeldOut};

/// What the folds of one model need of a plan.
#[derive(Debug, Clone)]
pub(super) struct Folds {
    /// The splits that the model's rows come from; they agree.
    pub splits: Vec<NodeId>,
    /// What lies between them and the fit, in order of running.
    pub between: Vec<NodeId>,
    /// What is read again for each fold, and therefore kept in memory.
    pub kept: BTreeSet<NodeId>,
    /// Whether predictions out of fold are asked for.
    asked: bool,
}

impl Folds {
    /// Of each model that needs its folds: it is judged by them, or asked out of fold.
    pub fn of_all(plan: &Plan, needed: &BTreeMap<NodeId, Need>) -> BTreeMap<NodeId, Self> {
        let asked = |id: NodeId| {
            let out_of_fold = |c: &NodeId| matches!(plan.node(*c).op, Op::Predict { out_of_fold: true, .. });
            plan.consumers(id).iter().any(|c| needed.contains_key(c) && out_of_fold(c))
        };
        let mut all = BTreeMap::new();
        for id in needed.keys() {
            let Op::Fit(spec) = &plan.node(*id).op else { continue };
            let judged = spec.judged_by_folds && !(spec.metrics.is_empty() && spec.require.is_empty());
            if spec.folds.is_some() && (judged || asked(*id)) {
                all.insert(*id, Self::of(plan, *id, asked(*id)));
            }
        }
        all
    }

    fn of(plan: &Plan, fit: NodeId, asked: bool) -> Self {
        let is_split = |id: &NodeId| matches!(&plan.node(*id).op, Op::Split(split) if split.folds.is_some());
        let is_model = |id: &NodeId| matches!(plan.node(*id).op, Op::Fit(_));
        // A model that is asked in between may have learned from another table: its split is none of these rows.
        let tables = upstream_by(plan, fit, |id| !is_model(id));
        let splits: Vec<NodeId> = tables.into_iter().filter(is_split).collect();
        let above = upstream(plan, fit);
        let mut below: BTreeSet<NodeId> = splits.iter().copied().collect();
        let mut between = Vec::new();
        let mut kept = below.clone();
        for id in plan.topological().into_iter().filter(|id| *id != fit && above.contains(id)) {
            let inputs = inputs_and_lookups(plan, id);
            if inputs.iter().any(|i| below.contains(i)) && !splits.contains(&id) {
                below.insert(id);
                between.push(id);
                kept.extend(inputs.into_iter().filter(|i| !is_model(i)));
            }
        }
        kept.retain(|id| splits.contains(id) || !below.contains(id));
        Self { splits, between, kept, asked }
    }
}

/// The node and all that it is made of.
pub(super) fn upstream(plan: &Plan, id: NodeId) -> BTreeSet<NodeId> {
    upstream_by(plan, id, |_| true)
}

/// The same over inputs of which `along` holds.
fn upstream_by(plan: &Plan, id: NodeId, along: impl Fn(&NodeId) -> bool) -> BTreeSet<NodeId> {
    let mut seen = BTreeSet::new();
    let mut open = vec![id];
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            open.extend(inputs_and_lookups(plan, id).into_iter().filter(&along));
        }
    }
    seen
}

/// Its inputs; of a prediction also the tables that the model takes along.
fn inputs_and_lookups(plan: &Plan, id: NodeId) -> Vec<NodeId> {
    let mut inputs = plan.inputs(id);
    if let Op::Predict { replay: true, .. } = plan.node(id).op
        && let Some(Op::Fit(spec)) = inputs.get(1).map(|model| &plan.node(*model).op)
    {
        inputs.extend(spec.serving.lookups.iter().map(|(_, lookup)| *lookup));
    }
    inputs
}

impl Run<'_> {
    /// For each fold the rows that it holds out, with the predictions of a model that was fitted without them, as
    /// `whole` names its classes.
    pub(super) fn held_out(&self, fit: NodeId, spec: &FitSpec, whole: &Fresh) -> Result<Vec<HeldOut>, Stop> {
        // Nobody judges in a fold.
        let wanted = self.needs.folds.get(&fit).filter(|folds| folds.asked || !self.quiet);
        let Some(folds) = wanted else { return Ok(Vec::new()) };
        let count = spec.folds.unwrap_or_default();
        let spec = &unjudged(spec);
        // What a fold tells would be told once more for each of them.
        let quiet = |_: Event| {};
        let cx = RunContext {
            base: self.cx.base.clone(),
            observer: &quiet,
            cancel: self.cx.cancel.clone(),
            goal: Vec::new(),
            threads: self.cx.threads,
        };
        let input = self.plan.inputs(fit)[0];
        let mut held = Vec::new();
        for fold in 0..count {
            let mut run = Run::new(self.plan, &cx, self.needs, self.exact);
            run.quiet = true;
            run.maps.clone_from(&self.maps);
            run.models.clone_from(&self.models);
            run.tables.clone_from(&self.tables);
            folds.between.iter().for_each(|id| {
                run.tables.remove(id);
            });
            for split in &folds.splits {
                let rows = run.rows(*split)?;
                run.tables.insert(*split, Table::of(one_fold(&rows, i64::from(fold))?));
            }
            for id in &folds.between {
                run.go_on()?;
                let (node, need) = (self.plan.node(*id), &self.needs.nodes[id]);
                run.node(*id, node, need).map_err(|stop| named(stop, fold, count, node.span))?;
            }
            let rows = run.rows(input)?;
            if !has_part(&rows, PART_TEST)? {
                continue;
            }
            let fitted = Fresh::fit(spec, &rows, &run.maps, &cx, &self.plan.node(fit).item);
            let found = fitted.and_then(|model| model.held_out(&rows, &run.maps, whole));
            held.push(found.map_err(|e| named(e.into(), fold, count, self.plan.node(fit).span))?);
        }
        Ok(held)
    }
}

/// What is to be fitted, without metrics and gates.
pub(super) fn unjudged(spec: &FitSpec) -> FitSpec {
    FitSpec { metrics: Vec::new(), require: Vec::new(), ..spec.clone() }
}

/// Says in which fold something failed.
fn named(stop: Stop, fold: u32, count: u32, span: dbjob_plan::Span) -> Stop {
    match stop {
        Stop::Failed(error) if error.code != "E0718" => {
            let message = format!("in fold {} of {count}: {}", fold + 1, error.message);
            Stop::Failed(RunError { message, ..error }.or_span(span))
        }
        other => other,
    }
}

/// The table of a split as one fold sees it: the train rows of the fold are held out as its test part; the others are
/// learned from or, where the fold comes too early for them, of no part, as are the test rows.
fn one_fold(rows: &DataFrame, fold: i64) -> Result<DataFrame, RunError> {
    let ints = |name: &str| rows.column(name).and_then(|c| c.i64().cloned()).map_err(engine_error);
    let (parts, folds) = (ints(PART)?, ints(FOLD)?);
    let from = rows.column(FOLD_FROM).ok().map(|c| c.i64().cloned()).transpose().map_err(engine_error)?;
    let part = |row: usize| {
        let learns = from.as_ref().is_none_or(|from| from.get(row).is_some_and(|from| from <= fold));
        match (parts.get(row)?, folds.get(row)?) {
            (PART_TRAIN, own) if own == fold => Some(PART_TEST),
            (PART_TRAIN, _) if !learns => Some(PART_NONE),
            (PART_TEST, _) => Some(PART_NONE),
            (part, _) => Some(part),
        }
    };
    let column: pl::Int64Chunked = (0..rows.height()).map(part).collect();
    let mut rows = rows.clone();
    rows.with_column(column.into_column().with_name(PART.into())).map_err(engine_error)?;
    Ok(rows)
}

fn has_part(rows: &DataFrame, part: i64) -> Result<bool, RunError> {
    let parts = rows.column(PART).and_then(|c| c.i64().cloned()).map_err(engine_error)?;
    Ok(parts.iter().any(|p| p == Some(part)))
}
