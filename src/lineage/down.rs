use std::collections::VecDeque;

use dbjob_plan::{ColumnRef, Edge, NodeId, Op, Via, column_names};

use super::trace::{Key, Trace};
use super::{Job, Target};

/// What a target reaches.
pub(super) fn trace(job: &Job<'_>, target: &Target) -> Trace {
    let mut walk = Walk { job, trace: Trace::default(), open: VecDeque::new() };
    walk.root(target);
    while let Some((from, column)) = walk.open.pop_front() {
        walk.follow(from, &column);
    }
    walk.trace
}

struct Walk<'j, 'a> {
    job: &'j Job<'a>,
    trace: Trace,
    /// Columns whose way goes on, with the vertex that it goes on from.
    open: VecDeque<(usize, ColumnRef)>,
}

impl Walk<'_, '_> {
    fn root(&mut self, target: &Target) {
        let at = match target {
            Target::Column(column) => {
                let made = self.job.maker(column);
                let (at, _) = self.trace.vertex(Key::Column(made.clone()), || self.job.column_vertex(&made));
                self.open.push_back((at, self.job.begin(column)));
                at
            }
            Target::Input { fit, column } => {
                let key = Key::Input(*fit, column.clone());
                let (at, _) = self.trace.vertex(key, || self.job.input_vertex(*fit, column));
                let model = self.model(*fit);
                self.trace.link(at, model, Via::Model);
                at
            }
            Target::Model { fit } => self.model(*fit),
            Target::Deploy { nodes } => {
                for node in nodes {
                    let (at, _) = self.trace.vertex(Key::Deploy(*node), || self.job.deploy_vertex(*node));
                    self.trace.roots.push(at);
                }
                return;
            }
            Target::Table(columns) => return columns.iter().for_each(|column| self.root(column)),
        };
        self.trace.roots.push(at);
    }

    /// Links a vertex to all that a column goes into, past what only passes it on.
    fn follow(&mut self, from: usize, column: &ColumnRef) {
        for node in self.job.lineage.decides(column).to_vec() {
            // The keys of a join or group are told by the columns that come of it.
            if self.chooses(node) {
                let (to, _) = self.trace.vertex(Key::Rows(node), || self.job.rows_vertex(node));
                self.trace.link(from, to, Via::Choice);
            }
        }
        for Edge { column: next, via } in self.job.lineage.goes_into(column).to_vec() {
            match &self.job.plan.node(next.node).op {
                Op::Deploy(_) => {
                    let (to, _) = self.trace.vertex(Key::Deploy(next.node), || self.job.deploy_vertex(next.node));
                    self.trace.link(from, to, via);
                }
                Op::Fit(_) => {
                    let to = self.model(next.node);
                    self.trace.link(from, to, via);
                }
                _ if self.passes_on(column, &next) => self.open.push_back((from, next)),
                _ => {
                    let next = self.job.statement_end(next, via);
                    let (to, known) = self.trace.vertex(Key::Column(next.clone()), || self.job.column_vertex(&next));
                    self.trace.link(from, to, via);
                    if !known {
                        self.open.push_back((to, next));
                    }
                }
            }
        }
    }

    /// Whether the step does nothing to the column.
    fn passes_on(&self, column: &ColumnRef, next: &ColumnRef) -> bool {
        matches!(self.job.lineage.made_of(next), [Edge { via: Via::Copy, .. }]) && next.column == column.column
    }

    fn chooses(&self, node: NodeId) -> bool {
        !matches!(self.job.plan.node(node).op, Op::Group { .. })
    }

    fn model(&mut self, fit: NodeId) -> usize {
        let (vertex, known) = self.trace.vertex(Key::Model(fit), || self.job.model_vertex(fit));
        if !known {
            let columns = column_names(&self.job.plan.node(fit).schema);
            self.open.extend(columns.map(|column| (vertex, ColumnRef { node: fit, column })));
        }
        vertex
    }
}

impl Job<'_> {
    /// Where a column's way through its item begins: steps of the item itself read it too.
    fn begin(&self, column: &ColumnRef) -> ColumnRef {
        let item = &self.plan.node(column.node).item;
        let mut at = column.clone();
        while let [Edge { column: before, via: Via::Copy }] = self.lineage.made_of(&at) {
            if before.column != at.column || self.plan.node(before.node).item != *item {
                break;
            }
            at = before.clone();
        }
        at
    }

    /// The last node of a statement of several maps.
    fn statement_end(&self, mut at: ColumnRef, via: Via) -> ColumnRef {
        let span = self.plan.node(at.node).span;
        while let (Via::Map, [Edge { column, via: Via::Map }]) = (via, self.lineage.goes_into(&at)) {
            if self.plan.node(column.node).span != span {
                break;
            }
            at = column.clone();
        }
        at
    }
}
