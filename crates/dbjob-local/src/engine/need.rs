//! What a run needs of a plan: which nodes, which of their columns, and whether the order of rows matters.

use std::collections::{BTreeMap, BTreeSet};

use dbjob_plan::{
    ExpectAction, FOLD, FOLD_FROM, FitSpec, ItemKind, Join, JoinKind, NodeId, Op, PART, Plan, PlanItem, ROW, RunError,
    Schema,
};

use super::folds::Folds;
use crate::step::distinct::any_row_will_do;

/// How much something after a node depends on the order of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Order {
    /// Not at all.
    #[default]
    Free,
    /// It is written or shown: steps that promise to keep the order keep it.
    Kept,
    /// Something is computed from it (`take`, `first`, a split by row number, a fit).
    Exact,
}

/// What is needed of one node.
#[derive(Debug, Clone, Default)]
pub(crate) struct Need {
    pub columns: BTreeSet<String>,
    pub order: Order,
    /// How often its table is read.
    pub readers: usize,
}

/// The nodes of a run with what is needed of each.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    pub nodes: BTreeMap<NodeId, Need>,
    /// Nodes that are wanted for themselves and that nothing else reads: their table is computed and counted.
    pub ends: BTreeSet<NodeId>,
    /// By the model's node.
    pub folds: BTreeMap<NodeId, Folds>,
}

impl Needs {
    /// Errors: E0799 when a goal is no item of the plan.
    pub fn of(plan: &Plan, goal: &[String]) -> Result<Self, RunError> {
        let mut roots = Vec::new();
        for name in goal {
            let item = plan.item(name).ok_or_else(|| RunError::new("E0799", format!("there is no item `{name}`")))?;
            roots.extend(results(plan, item));
        }
        if goal.is_empty() {
            // Datasets that nothing reads stay unread.
            roots.extend(plan.items.iter().filter(|i| i.kind != ItemKind::Dataset).flat_map(|i| results(plan, i)));
        }
        let mut needs = Self::default();
        let mut open = roots.clone();
        while let Some(id) = open.pop() {
            if needs.nodes.insert(id, Need::default()).is_none() {
                open.extend(plan.inputs(id));
            }
        }
        needs.folds = Folds::of_all(plan, &needs.nodes);
        let order = plan.topological();
        for id in order.iter().rev().copied().filter(|id| needs.nodes.contains_key(id)).collect::<Vec<_>>() {
            let node = plan.node(id);
            let unread = needs.nodes[&id].readers == 0;
            if unread && !matches!(node.op, Op::Deploy(_) | Op::Fit(_)) {
                needs.ends.insert(id);
                let need = needs.get(id);
                need.columns.extend(node.schema.fields.iter().map(|f| f.name.clone()));
                need.order = need.order.max(Order::Kept);
            }
            // A table without columns has no rows to count.
            if !matches!(node.op, Op::Deploy(_) | Op::Fit(_)) && needs.nodes[&id].columns.is_empty() {
                needs.get(id).columns.extend(node.schema.fields.first().map(|f| f.name.clone()));
            }
            needs.pass_on(plan, id);
        }
        Ok(needs)
    }

    fn get(&mut self, id: NodeId) -> &mut Need {
        self.nodes.entry(id).or_default()
    }

    fn read(&mut self, id: NodeId, columns: BTreeSet<String>, order: Order) {
        let need = self.get(id);
        need.columns.extend(columns);
        need.order = need.order.max(order);
        need.readers += 1;
    }

    /// Tells the inputs of a node what it needs of them.
    fn pass_on(&mut self, plan: &Plan, id: NodeId) {
        let node = plan.node(id);
        let inputs = plan.inputs(id);
        let Need { columns: live, order, .. } = self.nodes[&id].clone();
        let with = |base: BTreeSet<String>, more: &[&str]| {
            base.into_iter().chain(more.iter().map(|s| (*s).to_string())).collect::<BTreeSet<String>>()
        };
        match &node.op {
            Op::Read(_) | Op::Request | Op::Snapshot { .. } => {}
            Op::Filter { predicate } => self.read(inputs[0], with(live, &predicate.columns()), order),
            Op::Derive { columns } => {
                let mut wanted = live;
                for column in columns.iter().rev() {
                    if wanted.remove(&column.name) {
                        wanted = with(wanted, &column.expr.columns());
                    }
                }
                self.read(inputs[0], wanted, order);
            }
            Op::Project { columns } => {
                let wanted = columns.iter().filter(|p| live.contains(&p.to)).map(|p| p.from.clone()).collect();
                self.read(inputs[0], wanted, order);
            }
            Op::Join(join) => self.join(plan, join, &inputs, &live, order),
            Op::Group { keys, aggregates } => {
                let mut wanted = BTreeSet::new();
                let mut positional = order == Order::Exact;
                for column in keys.iter().chain(aggregates.iter().filter(|a| live.contains(&a.name))) {
                    wanted = with(wanted, &column.expr.columns());
                    column.expr.walk(&mut |e| {
                        if let dbjob_plan::ExprKind::Aggregate { function, .. } = &e.kind {
                            positional |= crate::aggregate::is_positional(function);
                        }
                    });
                }
                self.read(inputs[0], wanted, if positional { Order::Exact } else { Order::Free });
            }
            Op::Window(window) => {
                let is_new = |name: &String| window.columns.iter().any(|c| c.name == *name);
                let mut wanted: BTreeSet<String> = live.iter().filter(|c| !is_new(c)).cloned().collect();
                let columns = window.columns.iter().filter(|c| live.contains(&c.name)).map(|c| &c.expr);
                for expr in window.by.iter().chain(window.order.iter().map(|k| &k.expr)).chain(columns) {
                    wanted = with(wanted, &expr.columns());
                }
                // Peers, positions and the last digits of sums of floats follow the order of the rows.
                self.read(inputs[0], wanted, Order::Exact);
            }
            Op::Pivot(pivot) => {
                let mut wanted: BTreeSet<String> = pivot.keys.iter().chain([&pivot.column]).cloned().collect();
                let mut positional = order == Order::Exact;
                for aggregate in &pivot.aggregates {
                    wanted = with(wanted, &aggregate.expr.columns());
                    aggregate.expr.walk(&mut |e| {
                        if let dbjob_plan::ExprKind::Aggregate { function, .. } = &e.kind {
                            positional |= crate::aggregate::is_positional(function);
                        }
                    });
                }
                self.read(inputs[0], wanted, if positional { Order::Exact } else { Order::Free });
            }
            Op::Unpivot(unpivot) => {
                let kept = unpivot.keep.iter().filter(|c| live.contains(*c));
                self.read(inputs[0], kept.chain(&unpivot.columns).cloned().collect(), order);
            }
            Op::Explode { columns } => {
                self.read(inputs[0], live.into_iter().chain(columns.iter().cloned()).collect(), order);
            }
            Op::Extern(process) => {
                // It gets all columns, and may look at the order of the rows.
                let mut wanted = names(&plan.node(inputs[0]).schema);
                wanted.extend(live.into_iter().filter(|c| !process.returns.contains(c)));
                self.read(inputs[0], wanted, Order::Exact);
            }
            Op::Sort { keys } => {
                let wanted = keys.iter().fold(live, |w, k| with(w, &k.expr.columns()));
                let ties = !decides_all(plan, inputs[0], keys);
                self.read(inputs[0], wanted, if ties { Order::Exact } else { Order::Free });
            }
            Op::Distinct { by, order: keys, .. } => {
                let any = order == Order::Free && any_row_will_do(&node.schema, by, &live);
                let keys = if any { &[] } else { keys.as_slice() };
                let mut wanted = keys.iter().fold(live, |w, k| with(w, &k.expr.columns()));
                match by.as_slice() {
                    [] => wanted.extend(node.schema.visible().map(|f| f.name.clone())),
                    some => wanted.extend(some.iter().cloned()),
                }
                self.read(inputs[0], wanted, if any { Order::Free } else { Order::Exact });
            }
            Op::Take { .. } => self.read(inputs[0], live, Order::Exact),
            Op::Union => inputs.iter().for_each(|input| self.read(*input, live.clone(), order)),
            Op::Split(split) => {
                let mut wanted = live;
                for ours in [PART, FOLD, FOLD_FROM, ROW] {
                    wanted.remove(ours);
                }
                let wanted = with(wanted, &split.columns());
                self.read(inputs[0], wanted, if split.is_positional() { Order::Exact } else { order });
            }
            Op::Sample(sample) => {
                let mut wanted = live;
                wanted.extend(sample.key.columns.iter().cloned());
                wanted.extend(sample.on_train.then(|| PART.to_owned()));
                self.read(inputs[0], wanted, if sample.key.columns.is_empty() { Order::Exact } else { order });
            }
            Op::Map { columns } => {
                let mut wanted = live.clone();
                let alive: Vec<_> = columns.iter().filter(|c| live.contains(&c.out)).collect();
                for column in &alive {
                    wanted.remove(&column.out);
                }
                wanted.extend(alive.iter().flat_map(|c| std::iter::once(&c.column).chain(&c.more)).cloned());
                let encodings = || alive.iter().filter_map(|c| c.out_of_fold.as_ref());
                wanted.extend(encodings().flat_map(|o| std::iter::once(&o.target).chain(&o.key.columns)).cloned());
                // Without a key the number of a row decides on its fold.
                let order = if encodings().any(|o| o.key.columns.is_empty()) { Order::Exact } else { order };
                if alive.iter().any(|c| c.link.fitted) && plan.node(inputs[0]).schema.get(PART).is_some() {
                    wanted.insert(PART.into());
                }
                self.read(inputs[0], wanted, order);
            }
            Op::Unmap { .. } => self.read(inputs[0], live, order),
            Op::Predict { replay, out_of_fold, .. } => {
                let mut wanted: BTreeSet<String> =
                    live.into_iter().filter(|c| plan.node(inputs[0]).schema.get(c).is_some()).collect();
                if let Op::Fit(spec) = &plan.node(inputs[1]).op {
                    if *replay {
                        wanted.extend(spec.serving.request.fields.iter().map(|f| f.name.clone()));
                        self.lookups(spec);
                    } else {
                        wanted.extend(spec.inputs.iter().map(|i| i.column.clone()));
                    }
                }
                if *out_of_fold {
                    wanted.extend([PART, ROW].map(str::to_owned));
                }
                self.read(inputs[0], wanted, order);
                self.get(inputs[1]).readers += 1;
            }
            Op::Expect(rule) => {
                let wanted = with(live, &rule.predicate.columns());
                let mut wanted = with(wanted, &rule.unique.iter().map(String::as_str).collect::<Vec<_>>());
                let keeps = rule.action == ExpectAction::Quarantine;
                if keeps {
                    wanted.extend(node.schema.visible().map(|f| f.name.clone()));
                }
                self.read(inputs[0], wanted, if keeps { Order::Exact } else { order });
            }
            Op::Fit(spec) => {
                let mut wanted: BTreeSet<String> = spec.inputs.iter().map(|i| i.column.clone()).collect();
                wanted.extend(spec.target().map(str::to_owned));
                wanted.extend(spec.weight.iter().chain(&spec.identify).cloned());
                let hidden = plan.node(inputs[0]).schema.fields.iter().filter(|f| f.hidden);
                if spec.split {
                    wanted.insert(PART.into());
                }
                wanted.extend(spec.slice_columns().into_iter().map(str::to_owned));
                if let Some(folds) = self.folds.get(&id) {
                    wanted.extend(hidden.map(|f| f.name.clone()));
                    for (split, columns) in folds.to_cut(plan) {
                        self.get(split).columns.extend(columns.into_iter().map(str::to_owned));
                    }
                }
                self.read(inputs[0], wanted, Order::Exact);
            }
            Op::Deploy(_) => match &plan.node(inputs[0]).op {
                Op::Fit(spec) => {
                    self.lookups(spec);
                    self.get(inputs[0]).readers += 1;
                }
                _ => self.read(inputs[0], names(&plan.node(inputs[0]).schema), Order::Kept),
            },
        }
    }

    fn join(&mut self, plan: &Plan, join: &Join, inputs: &[NodeId], live: &BTreeSet<String>, order: Order) {
        let left = &plan.node(inputs[0]).schema;
        let from_right = |name: &String| join.right_columns.iter().any(|p| p.to == *name);
        let mut wanted: BTreeSet<String> =
            live.iter().filter(|c| left.get(c).is_some() || !from_right(c)).cloned().collect();
        wanted.extend(join.on.iter().map(|(l, _)| l.clone()).chain(join.asof.iter().map(|a| a.left.clone())));
        self.read(inputs[0], wanted, order);
        let mut wanted: BTreeSet<String> = join.on.iter().map(|(_, r)| r.clone()).collect();
        wanted.extend(join.asof.iter().map(|a| a.right.clone()));
        let copies = !matches!(join.kind, JoinKind::Semi | JoinKind::Anti);
        if copies {
            wanted.extend(join.right_columns.iter().filter(|p| live.contains(&p.to)).map(|p| p.from.clone()));
        }
        let right_order = match join.kind {
            // Of several rows with one time the last is taken.
            JoinKind::Asof => Order::Exact,
            // The matches of one left row come in right order.
            _ if copies && !join.verify_unique_right => order,
            _ => Order::Free,
        };
        self.read(inputs[1], wanted, right_order);
    }

    /// Whether the folds of a model read this node's table again and again.
    pub fn keeps_for_folds(&self, id: NodeId) -> bool {
        self.folds.values().any(|folds| folds.kept.contains(&id))
    }

    /// The tables that travel with a model are computed for it.
    fn lookups(&mut self, spec: &FitSpec) {
        for (name, id) in &spec.serving.lookups {
            let schema = snapshot_schema(spec, name);
            self.read(*id, schema.map(names).unwrap_or_default(), Order::Kept);
        }
    }
}

/// What a serving plan reads of one of its lookup tables.
pub(crate) fn snapshot_schema<'a>(spec: &'a FitSpec, name: &str) -> Option<&'a Schema> {
    let plan = &spec.serving.plan;
    plan.topological()
        .into_iter()
        .map(|id| plan.node(id))
        .find(|node| matches!(&node.op, Op::Snapshot { name: n } if n == name))
        .map(|node| &node.schema)
}

fn names(schema: &Schema) -> BTreeSet<String> {
    schema.fields.iter().map(|f| f.name.clone()).collect()
}

/// Whether the sort keys tell all rows apart, because they hold all keys of a group or `distinct` above.
fn decides_all(plan: &Plan, input: NodeId, keys: &[dbjob_plan::SortKey]) -> bool {
    let mut columns: BTreeSet<&str> = keys
        .iter()
        .filter_map(|k| match &k.expr.kind {
            dbjob_plan::ExprKind::Column(name) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    let mut at = input;
    loop {
        let node = plan.node(at);
        match &node.op {
            Op::Group { keys: group, .. } => return group.iter().all(|g| columns.contains(g.name.as_str())),
            Op::Distinct { by, .. } if by.is_empty() => {
                return node.schema.visible().all(|f| columns.contains(f.name.as_str()));
            }
            Op::Distinct { by, .. } => return by.iter().all(|name| columns.contains(name.as_str())),
            Op::Derive { columns: derived } => derived.iter().for_each(|d| {
                columns.remove(d.name.as_str());
            }),
            Op::Project { columns: kept } => {
                columns = kept.iter().filter(|p| columns.contains(p.to.as_str())).map(|p| p.from.as_str()).collect();
            }
            Op::Filter { .. } | Op::Sort { .. } => {}
            _ => return false,
        }
        at = plan.inputs(at)[0];
    }
}

/// The nodes that an item is run for: its result, and each target of a deployment.
fn results(plan: &Plan, item: &PlanItem) -> Vec<NodeId> {
    let targets = plan.graph.node_indices().filter(|id| {
        let node = plan.node(*id);
        node.item == item.name && *id != item.output && matches!(node.op, Op::Deploy(_))
    });
    targets.chain([item.output]).collect()
}
