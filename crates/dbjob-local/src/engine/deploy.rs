//! Where results go: files, folders and registries.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use dbjob_plan::{
    DatabaseSystem, Delivery, Event, Field, Folder, Identity, Node, NodeId, Op, RunError, Service, SourceFingerprint,
    TableFormat, TableReport, Target,
};
use polars::prelude::{self as pl, DataFrame};

use super::folds::upstream;
use super::need::snapshot_schema;
use super::run::Run;
use super::{Stop, explain};
use crate::fault::{engine_error, guarded};
use crate::sink::{self, Sink, unwritable};
use crate::source;

impl Run<'_> {
    /// The tables that travel with a model, by snapshot name.
    pub fn lookups(&mut self, model: NodeId) -> Result<Vec<(String, DataFrame)>, Stop> {
        let Op::Fit(spec) = &self.plan.node(model).op else { return Ok(Vec::new()) };
        let mut tables = Vec::new();
        for (name, id) in &spec.serving.lookups {
            let rows = self.rows(*id)?;
            let rows = match snapshot_schema(spec, name) {
                Some(schema) => rows
                    .select(schema.fields.iter().map(|f| f.name.as_str()).collect::<Vec<_>>())
                    .map_err(engine_error)?,
                None => rows,
            };
            tables.push((name.clone(), rows));
        }
        Ok(tables)
    }

    pub fn is_deployed(&self, model: NodeId) -> bool {
        self.plan
            .consumers(model)
            .iter()
            .any(|c| self.needs.nodes.contains_key(c) && matches!(self.plan.node(*c).op, Op::Deploy(_)))
    }

    pub fn report_model(&mut self, id: NodeId) {
        let report = self.models[&id].report(self.searches.get(&id).cloned());
        self.report.models.push(report);
    }

    pub fn deploy(&mut self, id: NodeId, node: &Node, target: &Target, input: NodeId) -> Result<(), Stop> {
        let (path, format) = match target {
            Target::Registry { .. } => return self.deploy_model(id, target, input),
            Target::Onnx { path } => return self.deploy_onnx(id, node, path, input),
            Target::Csv { path } => (path, TableFormat::Csv),
            Target::Parquet { path } => (path, TableFormat::Parquet),
            Target::Ndjson { path } => (path, TableFormat::Ndjson),
            Target::Arrow { path } => (path, TableFormat::Arrow),
            Target::Folder(folder) => return self.deploy_folder(id, node, folder, input),
            Target::Service(service) if service.kind == "mlflow" => {
                return self.deploy_mlflow(id, node, service, input);
            }
            Target::Service(service) => {
                if let Some(system) = sink::database::system(&service.kind) {
                    return self.deploy_database(id, node, service, system, input);
                }
                return Err(RunError::new("E0799", format!("this engine has no target `{}`", service.kind)).into());
            }
        };
        let file = self.cx.output(path);
        let table = self.tables[&input].clone();
        let mut frame = table.frame.clone();
        let names = frame.collect_schema().map_err(|e| explain::explain(self, &table, e))?;
        let visible = self.visible(input, &names);
        let sink = Sink::create(&file)?.tells(&self.cx.watch);
        let query = sink.query(frame, &visible, format).map_err(|e| unwritable(&file, &e.to_string()))?;
        guarded(|| query.collect_with_engine(pl::Engine::Streaming)).map_err(|e| match sink.failure() {
            Some(unwritten) => Stop::Failed(unwritten),
            None => explain::explain(self, &table, e),
        })?;
        self.settle(&table)?;
        self.go_on()?;
        self.unchanged(input)?;
        let rows = sink.finish(&self.cx.cancel)?;
        self.written(id, node, file, rows);
        Ok(())
    }

    fn deploy_database(
        &mut self,
        id: NodeId,
        node: &Node,
        service: &Service,
        system: DatabaseSystem,
        input: NodeId,
    ) -> Result<(), Stop> {
        let table = self.tables[&input].clone();
        let mut frame = table.frame.clone();
        let names = frame.collect_schema().map_err(|e| explain::explain(self, &table, e))?;
        let fields = self.fields(input, &self.visible(input, &names))?;
        // A stopped run that goes on writes the same under the same key; without one it cannot be known again.
        let once = match self.cx.results.and_then(|results| results.identity(id)) {
            Some(Identity::Output(key)) => key.to_string(),
            _ => unlike_any_other(),
        };
        let by = format!("{} {}", self.plan.job, node.item);
        let sink = sink::database::Sink::open(service, system, fields, (by, once), (&self.cx.base, &self.cx.cancel))?;
        let place = sink.place.clone();
        let run = std::cell::RefCell::new(self);
        let written = sink.write(
            frame,
            |error| explain::explain(&run.borrow(), &table, error),
            || {
                run.borrow_mut().settle(&table)?;
                run.borrow().go_on()?;
                Ok(run.borrow().unchanged(input)?)
            },
        )?;
        run.into_inner().written(id, node, PathBuf::from(place), written.rows);
        Ok(())
    }

    /// The columns of a node's table that are written, as fields; those of an open category's levels are floats or texts as
    /// they come.
    fn fields(&self, id: NodeId, visible: &pl::Schema) -> Result<Vec<Field>, RunError> {
        let schema = &self.plan.node(id).schema;
        let field = |(name, dtype): (&pl::PlSmallStr, &pl::DataType)| match schema.get(name) {
            Some(field) => Ok(field.clone()),
            None => source::stored::to_language(dtype)
                .map(|dtype| Field::new(name.as_str(), dtype, true))
                .ok_or_else(|| RunError::new("E0799", format!("the column {name:?} is {dtype}"))),
        };
        visible.iter().map(field).collect()
    }

    pub fn deploy_folder(&mut self, id: NodeId, node: &Node, folder: &Folder, input: NodeId) -> Result<(), Stop> {
        let table = self.rows(input)?;
        self.go_on()?;
        self.unchanged(input)?;
        let path = self.cx.output(&folder.path);
        let rows = sink::folder::write(&table, &self.visible(input, table.schema()), folder, &path)?;
        self.written(id, node, path, rows);
        Ok(())
    }

    /// The columns of a node's table that users see, of those that are there.
    pub fn visible(&self, id: NodeId, names: &pl::Schema) -> pl::Schema {
        let schema = &self.plan.node(id).schema;
        let mut visible = pl::Schema::default();
        for field in schema.visible() {
            if let Some(dtype) = names.get(&field.name) {
                visible.with_column(field.name.as_str().into(), dtype.clone());
            }
        }
        for (name, dtype) in names.iter().filter(|(n, _)| schema.get(n).is_none()) {
            if schema.open.iter().any(|p| name.starts_with(p.as_str())) {
                visible.with_column(name.clone(), dtype.clone());
            }
        }
        visible
    }

    pub(super) fn unchanged(&self, id: NodeId) -> Result<(), RunError> {
        self.cx.results.map_or(Ok(()), |results| results.unchanged(id))
    }

    pub fn written(&mut self, id: NodeId, node: &Node, file: PathBuf, rows: u64) {
        let item = node.item.clone();
        self.cx.emit(Event::Written {
            item: item.clone(),
            kind: "table".into(),
            path: file.display().to_string(),
            version: None,
            promoted: true,
        });
        let is_file = !matches!(&node.op, Op::Deploy(Target::Service(_)));
        let path = Some(file);
        let there = path.clone().filter(|_| is_file);
        self.delivered(id, Delivery { item: item.clone(), path: there, rows: Some(rows), model: None });
        self.report.tables.push(TableReport { item, rows, path });
    }

    /// Only a model whose gates held is written.
    fn deploy_onnx(&mut self, id: NodeId, node: &Node, path: &str, model: NodeId) -> Result<(), Stop> {
        self.go_on()?;
        self.unchanged(model)?;
        let (learned, search) = (&self.models[&model], self.searches.get(&model).cloned());
        let (item, report) = (node.item.clone(), learned.report(search));
        if !learned.held() {
            let message = format!("{path} is not written: a requirement of `{}` does not hold", report.model);
            self.cx.emit(Event::Warning { item, message });
            self.report.models.push(report);
            return Ok(());
        }
        let file = self.cx.output(path);
        sink::write_bytes(&learned.onnx(&self.maps, &self.plan.job)?, &file, &self.cx.cancel)?;
        self.cx.emit(Event::Written {
            item: item.clone(),
            kind: "model".into(),
            path: file.display().to_string(),
            version: None,
            promoted: true,
        });
        let report = dbjob_plan::ModelReport { package: Some(file.clone()), promoted: true, ..report };
        self.delivered(id, Delivery { item, path: Some(file), rows: None, model: Some(report.clone()) });
        self.report.models.push(report);
        Ok(())
    }

    pub fn deploy_model(&mut self, id: NodeId, target: &Target, model: NodeId) -> Result<(), Stop> {
        let lookups = self.lookups(model)?;
        let mut lineage = Vec::new();
        for id in upstream(self.plan, model) {
            let node = self.plan.node(id);
            if let Op::Read(source) = &node.op {
                let read = source::fingerprint(&node.item, &self.cx.base, &self.source(id)?)?;
                lineage.push(SourceFingerprint { path: source.written(), ..read });
            }
        }
        self.go_on()?;
        self.unchanged(model)?;
        let learned = &self.models[&model];
        let spec = learned.spec();
        let key = match self.cx.results.and_then(|results| results.identity(id)) {
            Some(Identity::Output(key)) => Some(*key),
            _ => None,
        };
        let audit = || self.audit(model);
        let parts = crate::package::Parts { learned, spec, maps: &self.maps, lookups: &lookups, audit: &audit };
        let report = crate::package::deploy(target, &parts, lineage, key, self.plan, self.cx)?;
        let search = self.searches.get(&model).cloned();
        let report = dbjob_plan::ModelReport { search, ..report };
        let (item, path) = (self.plan.node(id).item.clone(), report.package.clone());
        self.delivered(id, Delivery { item, path, rows: None, model: Some(report.clone()) });
        self.report.models.push(report);
        Ok(())
    }
}

/// A text that no other write is known by.
fn unlike_any_other() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    format!("{now:x}-{:x}", std::process::id())
}
