use std::collections::{BTreeSet, VecDeque};

use dbjob_plan::{ColumnRef, Edge, NodeId, Op, Span, Via, column_names};

use super::trace::{Key, Trace};
use super::{Job, Target};

/// Where a target comes from.
pub(super) fn trace(job: &Job<'_>, target: &Target) -> Trace {
    let mut walk = Walk { job, trace: Trace::default(), open: VecDeque::new() };
    let mut tables: Vec<NodeId> = Vec::new();
    walk.root(target, &mut tables);
    walk.run();
    let mut trace = walk.trace;
    trace.rows = job.decisions(tables);
    trace
}

struct Walk<'j, 'a> {
    job: &'j Job<'a>,
    trace: Trace,
    /// Vertices whose links are not found yet, with what they are made of.
    open: VecDeque<(usize, Vec<Edge>)>,
}

impl Walk<'_, '_> {
    fn root(&mut self, target: &Target, tables: &mut Vec<NodeId>) {
        let at = match target {
            Target::Column(column) => {
                tables.push(column.node);
                self.column(&self.job.maker(column))
            }
            Target::Input { fit, column } => {
                let table = self.job.plan.inputs(*fit)[0];
                tables.push(table);
                let key = Key::Input(*fit, column.clone());
                let (at, known) = self.trace.vertex(key, || self.job.input_vertex(*fit, column));
                if !known {
                    let column = ColumnRef { node: table, column: column.clone() };
                    self.open.push_back((at, vec![Edge { column, via: Via::Copy }]));
                }
                at
            }
            Target::Model { fit } => {
                tables.push(self.job.plan.inputs(*fit)[0]);
                self.model(*fit)
            }
            Target::Deploy { nodes } => {
                for node in nodes {
                    self.deploy(*node, tables);
                }
                return;
            }
            Target::Table(columns) => return columns.iter().for_each(|column| self.root(column, tables)),
        };
        if !self.trace.roots.contains(&at) {
            self.trace.roots.push(at);
        }
    }

    fn deploy(&mut self, node: NodeId, tables: &mut Vec<NodeId>) {
        let input = self.job.plan.inputs(node)[0];
        let (at, _) = self.trace.vertex(Key::Deploy(node), || self.job.deploy_vertex(node));
        self.trace.roots.push(at);
        let input_node = self.job.plan.node(input);
        tables.push(if matches!(input_node.op, Op::Fit(_)) { self.job.plan.inputs(input)[0] } else { input });
        let columns = column_names(&input_node.schema)
            .map(|column| Edge { column: ColumnRef { node: input, column }, via: Via::Copy });
        self.open.push_back((at, columns.collect()));
    }

    fn run(&mut self) {
        while let Some((from, edges)) = self.open.pop_front() {
            for edge in edges {
                let to = self.column(&self.job.maker(&edge.column));
                self.trace.link(from, to, edge.via);
            }
        }
    }

    /// The vertex of the step that makes a column.
    fn column(&mut self, at: &ColumnRef) -> usize {
        if matches!(self.job.plan.node(at.node).op, Op::Fit(_)) {
            return self.model(at.node);
        }
        let (vertex, known) = self.trace.vertex(Key::Column(at.clone()), || self.job.column_vertex(at));
        if !known {
            let edges = self.job.before_statement(at);
            self.open.push_back((vertex, edges));
        }
        vertex
    }

    fn model(&mut self, fit: NodeId) -> usize {
        let (vertex, known) = self.trace.vertex(Key::Model(fit), || self.job.model_vertex(fit));
        if !known && let Some(name) = column_names(&self.job.plan.node(fit).schema).next() {
            let edges = self.job.lineage.made_of(&ColumnRef { node: fit, column: name });
            self.open.push_back((vertex, edges.to_vec()));
        }
        vertex
    }
}

impl Job<'_> {
    /// The step that made a column: what only passes it on is not it.
    pub(super) fn maker(&self, at: &ColumnRef) -> ColumnRef {
        let mut at = at.clone();
        while let [Edge { column, via: Via::Copy }] = self.lineage.made_of(&at) {
            if column.column != at.column {
                break;
            }
            at = column.clone();
        }
        at
    }

    /// What a column is made of. A statement like `map a with log1p, standardize` takes several nodes and is one step.
    pub(super) fn before_statement(&self, at: &ColumnRef) -> Vec<Edge> {
        let span = self.plan.node(at.node).span;
        let mut edges = self.lineage.made_of(at);
        while let [Edge { column, via: Via::Map }] = edges {
            let before = self.maker(column);
            let node = self.plan.node(before.node);
            if node.span != span || span == Span::default() || !matches!(node.op, Op::Map { .. }) {
                break;
            }
            edges = self.lineage.made_of(&before);
        }
        edges.to_vec()
    }

    /// The steps above these tables that decide on their rows, in order of computation. What a model learned from does
    /// not decide on the rows that it predicts.
    fn decisions(&self, tables: Vec<NodeId>) -> Vec<super::Decision> {
        let mut open = tables;
        let mut seen: BTreeSet<NodeId> = BTreeSet::new();
        while let Some(node) = open.pop() {
            if !matches!(self.plan.node(node).op, Op::Fit(_)) && seen.insert(node) {
                open.extend(self.plan.inputs(node));
            }
        }
        let mut spans: BTreeSet<Span> = BTreeSet::new();
        let deciding = self.plan.topological().into_iter().filter(|id| seen.contains(id));
        deciding
            .filter(|id| self.lineage.rows(*id).is_some())
            .filter(|id| spans.insert(self.plan.node(*id).span))
            .map(|id| self.decision(id))
            .collect()
    }
}
