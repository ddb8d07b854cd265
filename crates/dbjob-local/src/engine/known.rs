//! What a run takes from earlier ones, and what it computes: from the ends of the plan backwards, down to what is known.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use dbjob_plan::{Delivery, Identity, ItemKind, Key, NodeId, Op, Plan, Results, RunContext, TableIdentity, Target};

use super::need::{Need, Needs};
use crate::sink;

/// What is known of the nodes that a run is for. Every other node that is needed is computed.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Tables and models that are kept, under the key of their result.
    pub kept: BTreeMap<NodeId, Key>,
    /// Ends of the plan that are as they were written.
    pub up_to_date: BTreeMap<NodeId, Delivery>,
    pub computed: BTreeSet<NodeId>,
}

impl Known {
    pub fn of(plan: &Plan, needs: &Needs, cx: &RunContext<'_>) -> Self {
        let Some(results) = cx.results else {
            return Self { computed: needs.nodes.keys().copied().collect(), ..Self::default() };
        };
        let mut look = Look { plan, needs, results, base: &cx.base, forced: BTreeSet::new() };
        loop {
            let known = look.from_the_ends();
            // What lies between a split and a fit is computed again for each fold: it must be there.
            let folds = needs.folds.iter().filter(|(fit, _)| known.computed.contains(fit));
            let between: BTreeSet<NodeId> = folds.flat_map(|(_, folds)| folds.between.iter().copied()).collect();
            if between.is_subset(&look.forced) {
                return known;
            }
            look.forced.extend(between);
        }
    }

    /// Whether the run does something with a node.
    pub fn is_active(&self, id: NodeId) -> bool {
        self.computed.contains(&id) || self.kept.contains_key(&id)
    }
}

struct Look<'a> {
    plan: &'a Plan,
    needs: &'a Needs,
    results: &'a dyn Results,
    base: &'a Path,
    /// Computed although they may be kept.
    forced: BTreeSet<NodeId>,
}

impl Look<'_> {
    fn from_the_ends(&self) -> Known {
        let mut known = Known::default();
        let ends = self.needs.nodes.iter().filter(|(_, need)| need.readers == 0);
        let mut open: Vec<NodeId> = ends.map(|(id, _)| *id).collect();
        let mut seen = BTreeSet::new();
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            let need = &self.needs.nodes[&id];
            if need.readers == 0
                && let Some(delivery) =
                    output_key(self.plan, id, need, self.results).and_then(|key| self.results.delivery(&key))
                && !self.is_gone(id)
                && !lost_to_another(&delivery)
            {
                known.up_to_date.insert(id, delivery);
                continue;
            }
            let key = if self.forced.contains(&id) { None } else { kept_key(self.plan, id, need, self.results) };
            match key.filter(|key| self.results.find(key).is_some()) {
                Some(key) => {
                    known.kept.insert(id, key);
                }
                None => {
                    known.computed.insert(id);
                    open.extend(self.plan.inputs(id));
                    if let Some(folds) = self.needs.folds.get(&id) {
                        open.extend(folds.kept.iter().chain(&folds.between));
                    }
                }
            }
            open.extend(self.plan.lookups(id));
        }
        known
    }

    /// Whether what a database was given is not there any more; of files the delivery itself knows.
    fn is_gone(&self, id: NodeId) -> bool {
        match &self.plan.node(id).op {
            Op::Deploy(Target::Service(service)) => sink::database::is_gone(service, self.base),
            _ => false,
        }
    }
}

/// Whether the version that was live when it was judged was better: another one may be live now.
fn lost_to_another(delivery: &Delivery) -> bool {
    let requirements = delivery.model.iter().flat_map(|model| &model.requirements);
    requirements.filter(|r| !r.held).any(|r| r.values.keys().any(|name| name.starts_with("deployed.")))
}

/// The key under which a node's result is kept; `None`: it is never kept, or nobody knows what it is made of.
///
/// Of tables it holds the columns that are needed and how their rows are ordered: that is what is kept of them.
pub(super) fn kept_key(plan: &Plan, id: NodeId, need: &Need, results: &dyn Results) -> Option<Key> {
    match results.identity(id)? {
        // A fit that came to its end is the same whatever time it had.
        Identity::Model { key, whole, fitted, .. } => {
            let there = |judged: &Key, learned: &Key| {
                (results.find(judged).is_some() && results.find(learned).is_some()).then_some(*judged)
            };
            there(whole, fitted).or_else(|| there(key, &unfinished(results, fitted, key)))
        }
        Identity::Table(table) if is_kept(plan, id) => table_key(plan, id, (need, table), results),
        _ => None,
    }
}

/// The key of what was learned by a fit that a limit of time has ended; `key` holds that limit.
pub(super) fn unfinished(results: &dyn Results, fitted: &Key, key: &Key) -> Key {
    results.combine("unfinished", &[*fitted, *key])
}

/// Where what a fit is to learn is kept from an earlier run, whatever was asked of the model then.
pub(super) fn learned(plan: &Plan, needs: &Needs, id: NodeId, results: &dyn Results) -> Option<PathBuf> {
    let (Op::Fit(spec), Some(Identity::Model { fitted, .. })) = (&plan.node(id).op, results.identity(id)) else {
        return None;
    };
    // What folds say is learned by themselves.
    let alone = !spec.refit && !spec.judged_by_folds && !needs.folds.get(&id).is_some_and(|folds| folds.ask());
    if alone { results.find(fitted) } else { None }
}

fn table_key(plan: &Plan, id: NodeId, (need, table): (&Need, &TableIdentity), results: &dyn Results) -> Option<Key> {
    // Columns whose names only the data tell cannot be told from each other by their keys.
    if !plan.node(id).schema.open.is_empty() {
        return None;
    }
    let mut columns: Vec<Key> =
        need.columns.iter().map(|name| table.columns.get(name).copied()).collect::<Option<_>>()?;
    columns.sort_unstable();
    columns.dedup();
    columns.insert(0, table.rows);
    Some(results.combine(&format!("table {:?}", need.order), &columns))
}

/// The key of what an end of the plan gives: what a deployment writes, or the number of rows of a table.
pub(super) fn output_key(plan: &Plan, id: NodeId, need: &Need, results: &dyn Results) -> Option<Key> {
    match results.identity(id)? {
        Identity::Output(key) => Some(*key),
        Identity::Table(table) => {
            let columns = need.columns.iter().filter_map(|name| table.columns.get(name).copied());
            let mut columns: Vec<Key> = columns.collect();
            columns.sort_unstable();
            columns.insert(0, table.rows);
            Some(results.combine(&format!("rows of {}", plan.node(id).item), &columns))
        }
        Identity::Model { .. } => None,
    }
}

/// Results of items, of splits that folds read again and again, and of processes.
fn is_kept(plan: &Plan, id: NodeId) -> bool {
    let node = plan.node(id);
    let item = plan.item(&node.item);
    let result = item.is_some_and(|i| i.output == id && matches!(i.kind, ItemKind::Transform | ItemKind::Dataset));
    match &node.op {
        Op::Read(_) => false,
        Op::Split(_) | Op::Extern(_) => true,
        _ => result,
    }
}
