//! One walk over a plan, in topological order. Everything between two points where rows are wanted is one lazy query.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Instant;

use dbjob_plan::{
    Delivery, Event, ExpectAction, ItemKind, Join, Node, NodeId, Op, Plan, PlanItem, RunContext, RunError, RunReport,
    SearchReport, Source, SplitKey, TableReport,
};
use polars::prelude::{self as pl, DataFrame, IntoLazy, LazyFrame};

use super::crew::{Clocks, Crew};
use super::fetched::Fetched;
use super::known::Known;
use super::need::{Need, Needs, Order};
use super::quarantine::Quarantine;
use super::table::Table;
use super::tried::AllTried;
use super::{Stop, explain};
use crate::fault::{Faults, engine_error, guarded};
use crate::learn::Learned;
use crate::map::{self, MapStates};
use crate::process;
use crate::source::{self, Scan};
use crate::step::{self, Step, asof, expect, join, repeated, split, window};
use crate::udf::col;

pub(super) struct Run<'a> {
    pub plan: &'a Plan,
    pub cx: &'a RunContext<'a>,
    pub needs: &'a Needs,
    pub known: &'a Known,
    /// The CSV sources that are read exactly.
    pub exact: &'a BTreeSet<NodeId>,
    pub fetched: &'a Fetched,
    pub clocks: &'a Clocks,
    /// Who works on it, of one of many runs for a model; else each item has its own.
    pub crew: Option<Crew>,
    /// One of many runs over the same rows, for a fold: nothing is told, written or judged, and no rule fails again.
    pub quiet: bool,
    /// The node whose rows the run is for.
    pub wanted: Option<NodeId>,
    pub faults: Faults,
    pub maps: MapStates,
    pub tables: HashMap<NodeId, Table>,
    pub models: HashMap<NodeId, Learned>,
    /// The values of trials, each by what it is made of.
    pub tried: AllTried,
    /// What was tried for them.
    pub searches: HashMap<NodeId, SearchReport>,
    pub quarantine: Quarantine,
    pub done: BTreeSet<NodeId>,
    pub started: BTreeMap<String, Instant>,
    pub report: RunReport,
}

impl<'a> Run<'a> {
    pub fn new(
        plan: &'a Plan,
        cx: &'a RunContext<'a>,
        (needs, known): (&'a Needs, &'a Known),
        (exact, clocks, fetched): (&'a BTreeSet<NodeId>, &'a Clocks, &'a Fetched),
    ) -> Self {
        Self {
            plan,
            cx,
            needs,
            known,
            exact,
            fetched,
            clocks,
            crew: None,
            quiet: false,
            wanted: None,
            quarantine: Quarantine::default(),
            faults: Faults::default(),
            maps: MapStates::default(),
            tables: HashMap::new(),
            models: HashMap::new(),
            tried: AllTried::default(),
            searches: HashMap::new(),
            done: BTreeSet::new(),
            started: BTreeMap::new(),
            report: RunReport::default(),
        }
    }

    pub fn all(mut self) -> Result<RunReport, Stop> {
        self.walk(None)?;
        Ok(self.report)
    }

    /// The rows of a node that the run is for.
    pub fn rows_of(mut self, id: NodeId) -> Result<DataFrame, Stop> {
        let rows = self.walk(Some(id))?;
        rows.ok_or_else(|| RunError::new("E0799", "the rows of this item were not computed").into())
    }

    /// Goes over all nodes and gives the rows of one.
    fn walk(&mut self, wanted: Option<NodeId>) -> Result<Option<DataFrame>, Stop> {
        self.wanted = wanted;
        let (mut kept, mut order) = (None, self.plan.topological());
        order.retain(|id| self.needs.nodes.contains_key(id));
        while !order.is_empty() {
            let (mut waiting, mut later) = (Vec::new(), Vec::new());
            for id in order {
                self.go_on()?;
                if let Some(delivery) = self.known.up_to_date.get(&id) {
                    self.up_to_date(self.plan.node(id), delivery);
                }
                if let Some(key) = self.known.kept.get(&id) {
                    self.read_back(id, key)?;
                    self.done.insert(id);
                    self.release();
                }
                if !self.known.computed.contains(&id) {
                    continue;
                }
                if self.hangs_on(id, &[&waiting, &later]) {
                    later.push(id);
                } else if self.may_wait(id) {
                    waiting.push(id);
                } else {
                    kept = self.compute(id)?.or(kept);
                }
            }
            self.learn_together(waiting)?;
            order = later;
        }
        Ok(kept)
    }

    /// Does the work of a node; its rows, if the run is for these.
    pub(super) fn compute(&mut self, id: NodeId) -> Result<Option<DataFrame>, Stop> {
        let (node, need) = (self.plan.node(id), &self.needs.nodes[&id]);
        let placed = |stop| placed(stop, node);
        self.go_on()?;
        self.start(node);
        self.enter(id, node);
        self.attempt(id, node, need).map_err(placed)?;
        let rows = if self.wanted == Some(id) { Some(self.rows(id).map_err(placed)?) } else { None };
        self.done.insert(id);
        self.finish(id);
        self.release();
        Ok(rows)
    }

    /// Nothing begins, and nothing that is done is put in its place, after the run was asked to stop.
    pub fn go_on(&self) -> Result<(), Stop> {
        if self.cx.cancel.is_cancelled() { Err(RunError::new("E0718", "the run was stopped").into()) } else { Ok(()) }
    }

    pub fn item(&self, name: &str) -> Option<&'a PlanItem> {
        self.plan.item(name)
    }

    pub(super) fn start(&mut self, node: &Node) {
        if !self.started.contains_key(&node.item) {
            self.started.insert(node.item.clone(), Instant::now());
            if let Some(item) = self.item(&node.item) {
                self.cx.emit(Event::ItemStarted { item: item.name.clone(), kind: item.kind });
            }
        }
    }

    pub(super) fn finish(&mut self, id: NodeId) {
        let node = self.plan.node(id);
        let Some(item) = self.item(&node.item).filter(|i| i.output == id) else { return };
        let seconds = self.started.get(&item.name).map_or(0.0, |t| t.elapsed().as_secs_f64());
        let rows = match item.kind {
            ItemKind::Deploy => self.report.tables.iter().find(|t| t.item == item.name).map(|t| t.rows),
            ItemKind::Model => None,
            _ => self.tables.get(&id).and_then(|t| t.height),
        };
        let counted = self.report.tables.iter().find(|t| t.item == item.name).map(|t| t.rows);
        self.cx.emit(Event::ItemFinished { item: item.name.clone(), kind: item.kind, rows: rows.or(counted), seconds });
    }

    /// Lets go of tables that nothing will read again. What lies before a query that is still to run stays: should the
    /// query fail, it tells where.
    pub(super) fn release(&mut self) {
        let waits = |id: &NodeId| self.known.is_active(*id) && !self.done.contains(id);
        let mut open: Vec<NodeId> = self
            .done
            .iter()
            .copied()
            .filter(|id| self.plan.consumers(*id).iter().any(waits) || self.travels(*id) || self.waits_for_folds(*id))
            .collect();
        let mut keep = BTreeSet::new();
        while let Some(id) = open.pop() {
            let runs_later = self.tables.get(&id).is_some_and(|t| t.height.is_none());
            if keep.insert(id) && runs_later {
                open.extend(self.plan.inputs(id));
            }
        }
        self.tables.retain(|id, _| keep.contains(id));
    }

    /// Whether the folds of a model that is still to be fitted read this node's table.
    fn waits_for_folds(&self, id: NodeId) -> bool {
        let waits = |fit: &NodeId| self.known.computed.contains(fit) && !self.done.contains(fit);
        self.needs.folds.iter().any(|(fit, folds)| waits(fit) && folds.kept.contains(&id))
    }

    /// Whether a model that is still to be deployed or asked takes this node's table along.
    fn travels(&self, id: NodeId) -> bool {
        self.needs.nodes.keys().any(|n| match &self.plan.node(*n).op {
            Op::Fit(spec) => {
                let asked = |c: &NodeId| self.known.computed.contains(c) && !self.done.contains(c);
                spec.serving.lookups.iter().any(|(_, lookup)| *lookup == id)
                    && (self.known.computed.contains(n) && !self.done.contains(n)
                        || self.plan.consumers(*n).iter().any(asked))
            }
            _ => false,
        })
    }

    pub fn node(&mut self, id: NodeId, node: &'a Node, need: &'a Need) -> Result<(), Stop> {
        let inputs = self.plan.inputs(id);
        let table = match &node.op {
            Op::Read(_) => self.read(id, node, need)?,
            Op::Request | Op::Snapshot { .. } => {
                return Err(RunError::new("E0799", "a serving plan cannot be run as a job").into());
            }
            Op::Fit(spec) => return self.fit(id, node, spec, inputs[0]),
            Op::Deploy(target) => return self.deploy(id, node, target, inputs[0]),
            Op::Predict { prefix, replay, out_of_fold } => self.predict(id, prefix, *replay, *out_of_fold, &inputs)?,
            Op::Split(split) if !split::is_lazy(split) => {
                let table = self.rows(inputs[0])?;
                self.verify_key(split.key(), &table, inputs[0])?;
                Table::of(split::assign(&self.step(id, node, need), &table, split)?)
            }
            Op::Expect(rule) if !expect::is_row_wise(rule) => {
                self.share(inputs[0])?;
                let table = self.tables[&inputs[0]].clone();
                let step = self.step(id, node, need);
                let (failed, why) = expect::check_table(&step, table.frame.clone(), rule)?;
                self.expected(node, rule, failed);
                if failed > 0 && rule.action != ExpectAction::Warn && !self.quiet {
                    let error = why.unwrap_or_else(|| expect::failure(rule, &node.item, failed, None));
                    return Err(RunError { code: "E0711".into(), ..error }.into());
                }
                table
            }
            Op::Expect(rule) => {
                let input = self.tables[&inputs[0]].clone();
                let (frame, pending) = expect::lower_rows(&self.step(id, node, need), input.frame.clone(), rule)?;
                let mut table = Table::over(frame, &[input]);
                table.pending.push(pending);
                table
            }
            Op::Extern(process) => {
                let rows = self.rows(inputs[0])?;
                let table = process::run(
                    process,
                    &rows,
                    &node.schema,
                    self.plan.environment.as_ref().map(|said| &said.value),
                    (&self.cx.base, &self.cx.cancel),
                )?;
                Table::of(table)
            }
            Op::Window(op) => {
                let rows = self.last_rows(inputs[0])?;
                let table = window::compute(&self.step(id, node, need), rows, op)?;
                let height = Some(table.height() as u64);
                Table { height, ..Table::lazy(self.only_live(id, table.lazy())) }
            }
            Op::Join(op @ Join { asof: Some(asof), .. }) => {
                let right = &self.tables[&inputs[1]];
                let side = join::right_side(&self.step(id, node, need), op, right.frame.clone());
                let right = self.collect(&Table::over(side, std::slice::from_ref(right)))?;
                let left = self.rows(inputs[0])?;
                let table = asof::join(op, asof, &left, &right)?;
                Table::lazy(self.only_live(id, table.lazy()))
            }
            Op::Join(op) if op.verify_unique_right => {
                let step = self.step(id, node, need);
                let right = join::right_side(&step, op, self.tables[&inputs[1]].frame.clone());
                let right = Table::over(right, std::slice::from_ref(&self.tables[&inputs[1]]));
                let rows = self.collect(&right)?;
                join::verify_unique(op, &rows, &self.plan.node(inputs[1]).item)?;
                if op.verify_unique_left {
                    self.verify_unique_left(op, inputs[0])?;
                }
                let left = self.tables[&inputs[0]].clone();
                let frame = join::with_right(op, left.frame.clone(), &rows, need.order != Order::Free)?;
                Table::over(frame, &[left])
            }
            _ => {
                match &node.op {
                    Op::Map { columns } => self.fit_maps(id, columns, inputs[0], need)?,
                    Op::Sample(sample) if sample.key.unique => {
                        let table = self.rows(inputs[0])?;
                        self.verify_key(Some(&sample.key), &table, inputs[0])?;
                    }
                    Op::Join(op) if op.verify_unique_left => {
                        self.verify_unique_left(op, inputs[0])?;
                    }
                    _ => {}
                }
                let ordered = match node.op {
                    Op::Group { .. } => need.order == Order::Exact,
                    _ => need.order != Order::Free,
                };
                let tables: Vec<Table> = inputs.iter().map(|i| self.tables[i].clone()).collect();
                let frames = tables.iter().map(|t| t.frame.clone()).collect();
                let lowered = step::lower_step(&self.step(id, node, need), frames, ordered)?;
                let frame = lowered.expect("every other operation is lowered as a step");
                Table::over(frame, &tables)
            }
        };
        if let Some(rows) = &table.rows {
            self.keep_rows(id, rows)?;
        }
        self.tables.insert(id, table);
        let end = self.needs.ends.contains(&id);
        if self.needs.keeps_for_folds(id) && !self.is_cheap(id) {
            self.rows(id)?;
        } else if need.readers > 1 && !self.is_cheap(id) {
            self.share(id)?;
        }
        if end && self.wanted != Some(id) {
            self.count(id, node)?;
        }
        Ok(())
    }

    /// A Parquet file is read again rather than kept: it is read column by column, and only what a query needs.
    fn is_cheap(&self, id: NodeId) -> bool {
        use dbjob_plan::Format::{Database, Parquet};
        matches!(&self.plan.node(id).op, Op::Read(s) if matches!(s.format, Parquet | Database(_)))
    }

    fn step(&self, id: NodeId, node: &'a Node, need: &'a Need) -> Step<'_> {
        Step { plan: self.plan, id, node, faults: &self.faults, maps: &self.maps, live: Some(&need.columns) }
    }

    /// Where a node reads its rows from: files of this machine, or the job.
    ///
    /// Errors: those of a fetch.
    pub fn source(&self, id: NodeId) -> Result<Source, RunError> {
        let node = self.plan.node(id);
        let Op::Read(source) = &node.op else {
            return Err(RunError::new("E0799", format!("`{}` is read from nowhere", node.item)));
        };
        self.fetched.source(id, source, &node.schema, self.cx)
    }

    fn read(&self, id: NodeId, node: &Node, need: &Need) -> Result<Table, Stop> {
        let source = self.source(id)?;
        let wanted = source::wanted(&source, &node.schema, &|c| need.columns.contains(c));
        let scan = Scan { node: id, source: &source, wanted: &wanted, base: &self.cx.base, faults: &self.faults };
        let mut table = Table::lazy(scan.open(self.exact.contains(&id))?);
        table.reads.insert(id);
        table.bytes = source::files::bytes(&self.cx.base, &source);
        Ok(table)
    }

    /// The scan of a source again, to say what is wrong with it.
    pub fn explain_source(&self, id: NodeId) -> Result<(), RunError> {
        let node = self.plan.node(id);
        let (Op::Read(written), Some(need)) = (&node.op, self.needs.nodes.get(&id)) else { return Ok(()) };
        let source = self.source(id)?;
        let wanted = source::wanted(&source, &node.schema, &|c| need.columns.contains(c));
        Scan { node: id, source: &source, wanted: &wanted, base: &self.cx.base, faults: &self.faults }
            .explain()
            .map_err(|e| source::placed(source::as_written(e, written, &source), node))
    }

    pub fn is_exact(&self, id: NodeId) -> bool {
        self.exact.contains(&id)
    }

    pub fn table(&self, id: NodeId) -> Option<&Table> {
        self.tables.get(&id)
    }

    pub fn step_of(&self, id: NodeId) -> Option<Step<'_>> {
        self.needs.nodes.get(&id).map(|need| self.step(id, self.plan.node(id), need))
    }

    /// The rows of a node; computed at most once.
    pub fn rows(&mut self, id: NodeId) -> Result<DataFrame, Stop> {
        let table = self.tables[&id].clone();
        if let Some(rows) = table.rows {
            return Ok(rows);
        }
        let narrow = Table { frame: self.only_live(id, table.frame.clone()), ..table };
        let rows = self.collect(&narrow)?;
        self.keep_rows(id, &rows)?;
        self.tables.insert(id, Table::of(rows.clone()));
        Ok(rows)
    }

    /// The rows of a node for one that computes all of its own at once. Nothing else holds them if nothing else reads them.
    fn last_rows(&mut self, id: NodeId) -> Result<DataFrame, Stop> {
        let rows = self.rows(id)?;
        if self.needs.nodes[&id].readers == 1 && !self.travels(id) && !self.waits_for_folds(id) {
            self.tables.remove(&id);
        }
        Ok(rows)
    }

    /// Without the columns that nothing reads.
    pub fn only_live(&self, id: NodeId, frame: LazyFrame) -> LazyFrame {
        let schema = &self.plan.node(id).schema;
        let live = &self.needs.nodes[&id].columns;
        let columns: Vec<_> = schema.fields.iter().filter(|f| live.contains(&f.name)).map(|f| col(&f.name)).collect();
        if columns.is_empty() || !schema.open.is_empty() { frame } else { frame.select(columns) }
    }

    /// Runs the query of a table.
    fn collect(&mut self, table: &Table) -> Result<DataFrame, Stop> {
        let query = table.frame.clone();
        let rows = guarded(|| query.collect_with_engine(pl::Engine::Streaming)).map(|r| r.unwrap_single());
        let rows = rows.map_err(|e| explain::explain(self, table, e))?;
        self.settle(table)?;
        Ok(rows)
    }

    /// Tells what the rules of a query that has run found, and stops if one of them says so.
    pub fn settle(&mut self, table: &Table) -> Result<(), Stop> {
        for pending in &table.pending {
            let failed = pending.failed();
            if !self.quiet
                && let Some(path) = &pending.rule.quarantine
            {
                self.quarantine.write(self.cx.output(path), pending, self.plan.node(pending.node))?;
            }
            self.expected(self.plan.node(pending.node), &pending.rule, failed);
            if failed > 0 && pending.rule.action == ExpectAction::Fail && !self.quiet {
                let first = explain::first_failing(self, pending);
                return Err(expect::failure(&pending.rule, &pending.item, failed, first).or_span(pending.span).into());
            }
        }
        Ok(())
    }

    pub fn expected(&self, node: &Node, rule: &dbjob_plan::Expectation, failed: u64) {
        self.cx.emit(Event::Expected {
            item: node.item.clone(),
            rule: rule.text.clone(),
            failed,
            action: rule.action.word().into(),
            path: rule.quarantine.as_ref().map(|path| self.cx.output(path).display().to_string()),
        });
    }

    /// Computes a table that nothing reads, to know that it can be and how many rows it has.
    fn count(&mut self, id: NodeId, node: &Node) -> Result<(), Stop> {
        if !matches!(self.item(&node.item), Some(item) if item.output == id && item.kind != ItemKind::Model) {
            return Ok(());
        }
        let rows = match self.tables[&id].height {
            Some(rows) => rows,
            None => {
                let table = self.tables[&id].clone();
                let seen = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
                let (counter, watch) = (seen.clone(), self.cx.watch.clone());
                let callback = move |batch: DataFrame| {
                    watch.count(batch.height() as u64);
                    counter.fetch_add(batch.height() as u64, std::sync::atomic::Ordering::Relaxed);
                    Ok(false)
                };
                let query = table.frame.clone();
                guarded(|| {
                    let sink = query.sink_batches(pl::PlanCallback::new(callback), false, None)?;
                    sink.collect_with_engine(pl::Engine::Streaming)
                })
                .map_err(|e| explain::explain(self, &table, e))?;
                self.settle(&table)?;
                seen.load(std::sync::atomic::Ordering::Relaxed)
            }
        };
        self.report.tables.push(TableReport { item: node.item.clone(), rows, path: None });
        if let Some(results) = self.cx.results {
            results.unchanged(id)?;
        }
        self.delivered(id, Delivery { item: node.item.clone(), path: None, rows: Some(rows), model: None });
        Ok(())
    }

    /// Learns the fitted maps of a `map` statement from the train rows, all columns in one go.
    fn fit_maps(
        &mut self,
        id: NodeId,
        columns: &[dbjob_plan::MapColumn],
        input: NodeId,
        need: &Need,
    ) -> Result<(), Stop> {
        let fitted: Vec<&dbjob_plan::MapColumn> =
            columns.iter().filter(|c| c.link.fitted && need.columns.contains(&c.out)).collect();
        if fitted.is_empty() {
            return Ok(());
        }
        let rows = self.rows(input)?;
        let states = map::fit(&fitted, &rows, &self.plan.node(input).schema, self.plan.seed)
            .map_err(|e| e.or_span(self.plan.node(id).span))?;
        self.maps.0.extend(states);
        Ok(())
    }

    fn verify_unique_left(&mut self, join: &Join, left: NodeId) -> Result<(), Stop> {
        self.share(left)?;
        Ok(join::verify_unique_left(join, self.tables[&left].frame.clone(), &self.plan.node(left).item)?)
    }

    /// Errors: E0708 when a key that is relied upon repeats.
    fn verify_key(&self, key: Option<&SplitKey>, table: &DataFrame, of: NodeId) -> Result<(), RunError> {
        let Some(key) = key.filter(|key| key.unique) else { return Ok(()) };
        let columns: Vec<&str> = key.columns.iter().map(String::as_str).collect();
        let keys: Vec<pl::Expr> = columns.iter().map(|c| col(*c)).collect();
        match repeated::repeated(table.clone().lazy(), &keys, true)? {
            Some(found) => Err(found.error(&columns, &self.plan.node(of).item)),
            None => Ok(()),
        }
    }

    fn predict(
        &mut self,
        id: NodeId,
        prefix: &str,
        replay: bool,
        out_of_fold: bool,
        inputs: &[NodeId],
    ) -> Result<Table, Stop> {
        let table = self.rows(inputs[0])?;
        let model = self.models[&inputs[1]].clone();
        let columns = if out_of_fold {
            model.predict_out_of_fold(&table, prefix, &self.maps)?
        } else if replay {
            let serving = &model.spec().serving;
            let lookups = self.lookups(inputs[1])?.into_iter().collect();
            let request = table.select(serving.request.fields.iter().map(|f| f.name.as_str()).collect::<Vec<_>>());
            let request = request.map_err(engine_error)?;
            let rows = crate::replay(serving, request.lazy(), &lookups, &self.maps)
                .map_err(|e| e.or_span(self.plan.node(id).span))?;
            model.predict(&rows, prefix, &self.maps)?
        } else {
            model.predict(&table, prefix, &self.maps)?
        };
        Ok(Table::of(table.hstack(&columns).map_err(engine_error)?))
    }
}

/// A failure with its place in the job.
pub(super) fn placed(stop: Stop, node: &Node) -> Stop {
    match stop {
        Stop::Failed(error) => Stop::Failed(source::placed(error, node)),
        retry => retry,
    }
}
