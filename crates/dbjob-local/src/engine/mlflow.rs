//! A model and how it came to be to an MLflow tracking server.

use std::collections::BTreeMap;
use std::time::Duration;

use dbjob_mlflow::{Logged, Server, ToLog, log};
use dbjob_plan::contract::{Contract, json_schema};
use dbjob_plan::{Delivery, Event, Identity, ModelReport, Node, NodeId, RunError, Schema, Service, Value};

use super::Stop;
use super::run::Run;
use crate::fetch::database::place;

/// So long a request may take, if nothing else is said.
const PATIENCE: Duration = Duration::from_secs(30);

impl Run<'_> {
    /// A model whose gates did not hold leaves a failed run, without the model.
    pub(super) fn deploy_mlflow(
        &mut self,
        id: NodeId,
        node: &Node,
        service: &Service,
        model: NodeId,
    ) -> Result<(), Stop> {
        self.go_on()?;
        self.unchanged(model)?;
        let (learned, search) = (&self.models[&model], self.searches.get(&model).cloned());
        let (item, report) = (node.item.clone(), learned.report(search));
        let onnx = if learned.held() { Some(learned.onnx(&self.maps, &self.plan.job)?) } else { None };
        let option = |name: &str| service.options.get(name).and_then(Value::as_str);
        let (url, hidden) = place(option("url").unwrap_or_default(), service.outside.get("url"))?;
        let (url, shown) =
            (address(&url, hidden.as_deref())?, hidden.unwrap_or_else(|| dbjob_plan::without_password(&url)));
        let token = match service.outside.get("token") {
            None => option("token").map(str::to_owned),
            secret => Some(place("", secret)?.0),
        };
        let text = |name: &str| match service.outside.get(name) {
            None => Ok(option(name).map(str::to_owned)),
            outside => place("", outside).map(|(text, _)| Some(text)),
        };
        let (experiment, register) = (text("experiment")?, text("register")?);
        let timeout = match service.options.get("timeout") {
            Some(Value::Duration(us)) => Duration::from_micros(u64::try_from(*us).unwrap_or(0)),
            _ => PATIENCE,
        };
        let name = item.strip_prefix("deploy.").unwrap_or(&item).to_owned();
        let spec = learned.spec();
        let answers = dbjob_plan::prediction_schema(
            "prediction",
            spec.task,
            &spec.output,
            spec.conformal.is_some(),
            Some(learned.classes()),
        );
        let key = match self.cx.results.and_then(|results| results.identity(id)) {
            Some(Identity::Output(key)) => Some(key.to_string()),
            _ => None,
        };
        let what = ToLog {
            experiment: experiment.as_deref().unwrap_or(&self.plan.job),
            name: &name,
            key,
            params: params(&report, spec, self.plan.seed),
            metrics: metrics(&report),
            tags: vec![
                ("mlflow.source.name".to_owned(), self.plan.job.clone()),
                ("dbjob.job".to_owned(), self.plan.job.clone()),
                ("dbjob.model".to_owned(), report.model.clone()),
                ("dbjob.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            ],
            artifacts: artifacts(&report, spec, &answers)?,
            request: spec.serving.request.visible().cloned().collect(),
            answers: answers.fields.clone(),
            onnx: onnx.as_deref(),
            register: register.as_deref(),
        };
        let go_on = || match self.cx.cancel.is_cancelled() {
            true => Err(RunError::new("E0718", "the run was stopped")),
            false => Ok(()),
        };
        let server = Server::new(&url, &shown, token, timeout);
        let Logged { run, version } = log(&server, &what, &go_on)?;
        let held = onnx.is_some();
        if !held {
            let message =
                format!("run {run} at {shown} is logged as failed, without the model: a requirement does not hold");
            self.cx.emit(Event::Warning { item: item.clone(), message });
        }
        let path = format!("{shown}, run {run}");
        self.cx.emit(Event::Written {
            item: item.clone(),
            kind: "model".into(),
            path: path.clone(),
            version,
            promoted: held,
        });
        let report = ModelReport { package: Some(path.into()), version: None, promoted: held, ..report };
        self.delivered(id, Delivery { item, path: None, rows: None, model: Some(report.clone()) });
        self.report.models.push(report);
        Ok(())
    }
}

/// Errors: E0774 for what is no URL.
fn address(url: &str, hidden: Option<&str>) -> Result<String, RunError> {
    if url.starts_with("http://") || url.starts_with("https://") {
        return Ok(url.to_owned());
    }
    let shown = hidden.unwrap_or(url);
    Err(RunError::new("E0774", format!("{shown} is no URL of an MLflow server"))
        .help("it begins with http:// or https://"))
}

fn params(report: &ModelReport, spec: &dbjob_plan::FitSpec, seed: i64) -> Vec<(String, String)> {
    let inputs: Vec<&str> = spec.inputs.iter().map(|i| i.name.as_str()).collect();
    let mut found: BTreeMap<String, String> =
        spec.algorithm.options.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
    found.insert("algorithm".into(), spec.algorithm.name.clone());
    found.insert("inputs".into(), inputs.join(", "));
    found.insert("output".into(), format!("{}: {}", spec.output.column, spec.output.dtype));
    found.insert("seed".into(), seed.to_string());
    found.extend(report.threshold.map(|threshold| ("threshold".into(), threshold.to_string())));
    found.extend(report.calibration.map(|method| ("calibration".into(), method.word().into())));
    if let Some(search) = &report.search {
        found.insert("search".into(), format!("{} trials by {}", search.trials.len(), search.metric));
    }
    found.into_iter().collect()
}

fn metrics(report: &ModelReport) -> Vec<(String, f64)> {
    let mut found = Vec::new();
    for (name, metric) in &report.metrics {
        found.push((name.clone(), metric.value));
        found.push((format!("baseline.{name}"), metric.baseline));
        for (end, value) in metric.interval.into_iter().flat_map(|(low, high)| [("low", low), ("high", high)]) {
            found.push((format!("{name}.{end}"), value));
        }
    }
    for slice in &report.slices {
        found.extend(slice.value.map(|value| {
            let of = slice.of.as_str().map_or_else(|| slice.of.to_string(), str::to_owned);
            (format!("{}/{}/{of}", slice.metric, slice.column), value)
        }));
    }
    let rows = &report.rows;
    let parts = [("train", rows.train), ("valid", rows.valid), ("test", rows.test), ("out_of_fold", rows.out_of_fold)];
    found.extend(parts.into_iter().filter(|(_, n)| *n > 0).map(|(part, n)| (format!("rows.{part}"), n as f64)));
    found
}

/// The report, and what callers send.
fn artifacts(
    report: &ModelReport,
    spec: &dbjob_plan::FitSpec,
    answers: &Schema,
) -> Result<Vec<(String, Vec<u8>)>, RunError> {
    let notes = BTreeMap::new();
    let contract = Contract { model: &spec.model, doc: None, serving: &spec.serving, response: answers, notes: &notes };
    let failed = |e: serde_json::Error| RunError::new("E0799", e.to_string());
    Ok(vec![
        ("report.json".into(), serde_json::to_vec_pretty(report).map_err(failed)?),
        ("request.schema.json".into(), serde_json::to_vec_pretty(&json_schema(&contract)).map_err(failed)?),
    ])
}
