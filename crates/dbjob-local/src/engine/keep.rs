//! Results that are kept for later runs, and read back from earlier ones.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::Path;

use dbjob_plan::{Delivery, Event, Identity, Key, ModelReport, Node, NodeId, Op, RunError, TableReport, Target, Value};
use dbjob_registry::ModelFolder;
use polars::prelude::{DataFrame, ParquetReader, SerReader};

use super::known::{kept_key, output_key, unfinished};
use super::run::Run;
use super::table::Table;
use super::{Stop, spill};
use crate::fault::guarded;
use crate::kept::{read_json, strange, write_json};
use crate::learn::{Learned, gate_again};
use crate::map::MapState;
use crate::udf::col;

const ROWS: &str = "rows.parquet";
const COLUMNS: &str = "columns.json";
const MAPS: &str = "maps.json";

impl Run<'_> {
    /// Keeps the rows of a node that has a key.
    pub(super) fn keep_rows(&self, id: NodeId, rows: &DataFrame) -> Result<(), Stop> {
        let names: Vec<&str> = rows.get_column_names().into_iter().map(|n| n.as_str()).collect();
        self.keep_table(id, &names, &|path| crate::write_table(rows, path))
    }

    /// The same of rows that were written to a file.
    pub(super) fn keep_file(&self, id: NodeId, names: &[&str], file: &Path) -> Result<(), Stop> {
        // What is kept never changes, so both may be one file.
        let copy = |path: &Path| fs::hard_link(file, path).or_else(|_| fs::copy(file, path).map(drop));
        self.keep_table(id, names, &|path| copy(path).map_err(|e| crate::sink::unwritable(path, &e.to_string())))
    }

    fn keep_table(
        &self,
        id: NodeId,
        names: &[&str],
        write: &dyn Fn(&Path) -> Result<(), RunError>,
    ) -> Result<(), Stop> {
        let (Some(results), false) = (self.cx.results, self.quiet) else { return Ok(()) };
        let Some(key) = kept_key(self.plan, id, &self.needs.nodes[&id], results) else { return Ok(()) };
        results.unchanged(id)?;
        let Some(Identity::Table(table)) = results.identity(id) else { return Ok(()) };
        let columns: Vec<(&str, Option<&Key>)> = names.iter().map(|n| (*n, table.columns.get(*n))).collect();
        results.keep(&key, self.result_of(id), &mut |folder| {
            write(&folder.join(ROWS))?;
            write_json(&folder.join(COLUMNS), &columns)?;
            write_json(&folder.join(MAPS), &self.maps_by_key())
        })?;
        Ok(())
    }

    /// Keeps a model that was fitted and judged.
    pub(super) fn keep_model(&self, id: NodeId) -> Result<(), Stop> {
        let (Some(results), false) = (self.cx.results, self.quiet) else { return Ok(()) };
        let Some(Identity::Model { key, whole, fitted, .. }) = results.identity(id) else { return Ok(()) };
        results.unchanged(id)?;
        let model = &self.models[&id];
        let (key, fitted) =
            if model.unfinished().is_empty() { (whole, *fitted) } else { (key, unfinished(results, fitted, key)) };
        results.keep(&fitted, self.result_of(id), &mut |folder| model.store(folder, self.searches.get(&id)))?;
        results.keep(key, "", &mut |folder| {
            model.store_judgement(folder, &fitted)?;
            write_json(&folder.join(MAPS), &self.maps_by_key())
        })?;
        Ok(())
    }

    /// Reads back what is kept of a node.
    pub(super) fn read_back(&mut self, id: NodeId, key: &Key) -> Result<(), Stop> {
        let gone = || RunError::new("E0799", "a kept result was taken away while the run went on");
        let results = self.cx.results.ok_or_else(gone)?;
        let folder = results.find(key).ok_or_else(gone)?;
        let maps: BTreeMap<Key, MapState> = read_json(&folder.join(MAPS))?;
        for link in links(self.plan) {
            if let Some(state) = results.map(link).and_then(|key| maps.get(&key)) {
                self.maps.0.insert(link, state.clone());
            }
        }
        match &self.plan.node(id).op {
            Op::Fit(spec) => {
                let fitted = Learned::fitted_of(&folder)?;
                let learned = results.find(&fitted).ok_or_else(gone)?;
                let (learned, search) = Learned::read_back((&learned, &folder), spec, self.cx.threads)?;
                let live = self.live(id, spec)?;
                self.models.insert(id, gate_again(learned, &live));
                self.searches.extend(search.map(|search| (id, search)));
                if !self.is_deployed(id) {
                    self.report_model(id);
                }
            }
            _ => {
                let table = self.table_of(id, &folder)?;
                self.tables.insert(id, table);
            }
        }
        let node = self.plan.node(id);
        if let Some(item) = self.item(&node.item).filter(|item| item.output == id) {
            let rows = self.tables.get(&id).and_then(|t| t.height);
            self.cx.emit(Event::ItemReused { item: item.name.clone(), kind: item.kind, rows, path: None });
        }
        Ok(())
    }

    /// The needed columns of a kept table, under their names of now; a large one stays in its file.
    fn table_of(&self, id: NodeId, folder: &Path) -> Result<Table, RunError> {
        let strange = |what: String| strange(folder, what);
        let stored: Vec<(String, Option<Key>)> = read_json(&folder.join(COLUMNS))?;
        let file = File::open(folder.join(ROWS)).map_err(|e| strange(e.to_string()))?;
        let height = ParquetReader::new(file).num_rows().map_err(|e| strange(e.to_string()))?;
        let table = spill::stored(&folder.join(ROWS))?;
        let Some(Identity::Table(identity)) = self.cx.results.and_then(|r| r.identity(id)) else {
            return Err(strange("nobody knows what it is".into()));
        };
        let mut columns = Vec::new();
        for name in &self.needs.nodes[&id].columns {
            let key = identity.columns.get(name);
            let (was, _) = stored
                .iter()
                .find(|(_, stored)| stored.is_some() && stored.as_ref() == key)
                .ok_or_else(|| strange(format!("it lacks `{name}`")))?;
            columns.push(col(was).alias(name.as_str()));
        }
        let frame = table.frame.clone().select(columns);
        if table.bytes > spill::large() {
            return Ok(Table { frame, height: Some(height as u64), ..table });
        }
        let rows = guarded(|| frame.collect()).map_err(|e| strange(e.to_string()))?;
        Ok(Table::of(rows))
    }

    /// Tells that an end of the plan is as it was written.
    pub(super) fn up_to_date(&mut self, node: &Node, delivery: &Delivery) {
        if let Some(model) = &delivery.model {
            self.report.models.push(as_it_is_now(model));
        } else if let Some(rows) = delivery.rows {
            self.report.tables.push(TableReport { item: node.item.clone(), rows, path: delivery.path.clone() });
        }
        if let Some(item) = self.item(&node.item) {
            let (rows, path) = (delivery.rows, delivery.path.clone());
            self.cx.emit(Event::ItemReused { item: item.name.clone(), kind: item.kind, rows, path });
        }
    }

    /// Remembers that an end of the plan was written or counted.
    pub(super) fn delivered(&self, id: NodeId, delivery: Delivery) {
        let Some(results) = self.cx.results else { return };
        let Some(key) = output_key(self.plan, id, &self.needs.nodes[&id], results) else { return };
        let place = match &self.plan.node(id).op {
            Op::Deploy(target) => location(target, delivery.model.as_ref().map(|m| m.model.as_str())),
            _ => format!("rows of {}", self.plan.node(id).item),
        };
        results.deliver(&key, &place, delivery);
    }

    /// The item whose result a node gives; none for a step on the way.
    fn result_of(&self, id: NodeId) -> &str {
        let item = self.item(&self.plan.node(id).item).filter(|item| item.output == id);
        item.map_or("", |item| item.name.as_str())
    }

    fn maps_by_key(&self) -> BTreeMap<Key, &MapState> {
        let Some(results) = self.cx.results else { return BTreeMap::new() };
        self.maps.0.iter().filter_map(|(link, state)| Some((results.map(*link)?, state))).collect()
    }
}

/// A version that was made before may have become live since, or may not be any more.
fn as_it_is_now(model: &ModelReport) -> ModelReport {
    let mut model = model.clone();
    let folder = model.package.as_deref().and_then(|version| version.parent()?.parent());
    if let (Some(version), Some(folder)) = (model.version, folder)
        && let Ok(current) = ModelFolder::at(folder).current()
    {
        model.promoted = current == Some(version);
        if model.promoted {
            model.breaks.clear();
        }
    }
    model
}

/// The place that a target writes to, as text: the same for all that is ever written there.
fn location(target: &Target, model: Option<&str>) -> String {
    match target {
        Target::Service(service) => {
            let mut options = service.options.clone();
            // This is stored: passwords stay out.
            if let Some(url) = options.get_mut("url") {
                *url = Value::String(target.place());
            }
            let options = serde_json::to_string(&(&options, &service.outside)).unwrap_or_default();
            format!("{} {options}", service.kind)
        }
        other => format!("{} {}", other.place(), model.unwrap_or_default()),
    }
}

/// All links of maps in a plan.
fn links(plan: &dbjob_plan::Plan) -> BTreeSet<u32> {
    let maps = plan.graph.node_weights().filter_map(|node| match &node.op {
        Op::Map { columns } => Some(columns.iter().map(|c| c.link.id)),
        _ => None,
    });
    maps.flatten().collect()
}
