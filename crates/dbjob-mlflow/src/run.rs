//! A run of a tracking server: what went into a model, how good it is, and the model.

use std::time::{SystemTime, UNIX_EPOCH};

use dbjob_plan::{Field, RunError, civil_datetime};
use serde_json::{Value as Json, json};

use crate::client::Server;
use crate::files::{MODEL, about, files};

/// How many of each a request may hold.
const BATCH: usize = 100;

/// The longest value of a param and of a tag that every server takes.
const PARAM: usize = 500;
const TAG: usize = 5000;

/// What is logged.
pub struct ToLog<'a> {
    /// The experiment, made if there is none; else the one of the job's name.
    pub experiment: &'a str,
    /// What the run is called.
    pub name: &'a str,
    /// What is known of it: the same key is the same model, which is not logged twice.
    pub key: Option<String>,
    pub params: Vec<(String, String)>,
    pub metrics: Vec<(String, f64)>,
    pub tags: Vec<(String, String)>,
    /// Files beside the model.
    pub artifacts: Vec<(String, Vec<u8>)>,
    /// The fields that callers send, and the columns that they get.
    pub request: Vec<Field>,
    pub answers: Vec<Field>,
    /// `None`: its requirements did not hold; the run is logged as failed, without the model.
    pub onnx: Option<&'a [u8]>,
    /// The model in the server's registry that gets a new version.
    pub register: Option<&'a str>,
}

/// Where it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Logged {
    pub run: String,
    /// The version in the server's registry.
    pub version: Option<u64>,
}

/// Logs a run with its model.
///
/// Errors: E0773 when the server cannot be reached; E0774 when it refuses something. The run that was begun is marked as
/// failed then.
pub fn log(server: &Server, what: &ToLog<'_>, go_on: &dyn Fn() -> Result<(), RunError>) -> Result<Logged, RunError> {
    let experiment = experiment(server, what.experiment)?;
    if let Some(there) = already(server, &experiment, what)? {
        return Ok(there);
    }
    go_on()?;
    let mut tags = vec![json!({"key": "mlflow.source.type", "value": "JOB"})];
    tags.extend(what.tags.iter().map(|(key, value)| json!({"key": key, "value": shortened(value, TAG)})));
    let made = server.post(
        "runs/create",
        &json!({"experiment_id": experiment, "start_time": now(), "run_name": what.name, "tags": tags}),
    )?;
    let info = &made["run"]["info"];
    let run = text(server, info, "run_id")?;
    let result = fill(server, what, &run, &text(server, info, "artifact_uri")?, go_on);
    let status = if result.is_ok() && what.onnx.is_some() { "FINISHED" } else { "FAILED" };
    let ended = server.post("runs/update", &json!({"run_id": run, "status": status, "end_time": now()}));
    let version = result?;
    ended?;
    if let Some(key) = &what.key {
        // Only a whole run is known again.
        server.post("runs/set-tag", &json!({"run_id": run, "key": KEY, "value": key}))?;
    }
    Ok(Logged { run, version })
}

/// The tag by which a run is known again.
const KEY: &str = "dbjob.key";
const VERSION: &str = "dbjob.registered_version";

fn experiment(server: &Server, name: &str) -> Result<String, RunError> {
    let find = || server.get("experiments/get-by-name", &[("experiment_name", name)]);
    if let Some(found) = find()? {
        let experiment = &found["experiment"];
        if experiment["lifecycle_stage"] == "deleted" {
            let message = format!("the experiment `{name}` of {} is deleted", server.shown());
            return Err(RunError::new("E0774", message)
                .help("restore it (`mlflow experiments restore`), or take another name: `experiment = \"…\"`"));
        }
        return text(server, experiment, "experiment_id");
    }
    match server.create("experiments/create", &json!({"name": name}))? {
        Some(made) => text(server, &made, "experiment_id"),
        // Somebody else made it meanwhile.
        None => text(server, &find()?.unwrap_or_default()["experiment"], "experiment_id"),
    }
}

/// The run that has logged the same before.
fn already(server: &Server, experiment: &str, what: &ToLog<'_>) -> Result<Option<Logged>, RunError> {
    let Some(key) = &what.key else { return Ok(None) };
    let filter = format!("tags.`{KEY}` = '{key}'");
    let found =
        server.post("runs/search", &json!({"experiment_ids": [experiment], "filter": filter, "max_results": 1}))?;
    let Some(run) = found["runs"].get(0) else { return Ok(None) };
    let tags = run["data"]["tags"].as_array();
    let version = tags.into_iter().flatten().find(|tag| tag["key"] == VERSION);
    let version = version.and_then(|tag| tag["value"].as_str()?.parse().ok());
    Ok(Some(Logged { run: text(server, &run["info"], "run_id")?, version }))
}

fn fill(
    server: &Server,
    what: &ToLog<'_>,
    run: &str,
    artifacts: &str,
    go_on: &dyn Fn() -> Result<(), RunError>,
) -> Result<Option<u64>, RunError> {
    let at = now();
    let metric = |(key, value): &(String, f64)| json!({"key": name(key), "value": value, "timestamp": at, "step": 0});
    let metrics: Vec<Json> = what.metrics.iter().filter(|(_, x)| x.is_finite()).map(metric).collect();
    let param = |(key, value): &(String, String)| json!({"key": name(key), "value": shortened(value, PARAM)});
    let params: Vec<Json> = what.params.iter().map(param).collect();
    for part in metrics.chunks(BATCH) {
        server.post("runs/log-batch", &json!({"run_id": run, "metrics": part}))?;
    }
    for part in params.chunks(BATCH) {
        server.post("runs/log-batch", &json!({"run_id": run, "params": part}))?;
    }
    let folder = folder(server, artifacts)?;
    for (path, bytes) in &what.artifacts {
        go_on()?;
        server.put(&format!("{folder}/{path}"), bytes)?;
    }
    if what.onnx.is_none() {
        return Ok(None);
    }
    let created = civil_datetime(at * 1000).replace('T', " ");
    // A run has one model, so that its name will do for both.
    let about = about(what, run, run, &created);
    for (path, bytes) in files(what, &about) {
        go_on()?;
        server.put(&format!("{folder}/{MODEL}/{path}"), &bytes)?;
    }
    server.post("runs/log-model", &json!({"run_id": run, "model_json": about.to_string()}))?;
    let Some(registered) = what.register else { return Ok(None) };
    server.create("registered-models/create", &json!({"name": registered}))?;
    let made = server.post(
        "model-versions/create",
        &json!({"name": registered, "source": format!("{artifacts}/{MODEL}"), "run_id": run}),
    )?;
    let version = text(server, &made["model_version"], "version")?;
    server.post("runs/set-tag", &json!({"run_id": run, "key": VERSION, "value": version}))?;
    Ok(version.parse().ok())
}

/// The folder of a run's files, as the server has it: `mlflow-artifacts:/1/abc/artifacts`.
fn folder(server: &Server, uri: &str) -> Result<String, RunError> {
    let Some(rest) = uri.strip_prefix("mlflow-artifacts:") else {
        let message = format!("the MLflow server at {} keeps files at {uri}, not behind itself", server.shown());
        return Err(RunError::new("E0774", message).help(
            "start it with `--serve-artifacts`, and take an experiment that was made since: `experiment = \"…\"`",
        ));
    };
    // With `//` a host stands first.
    let path = match rest.strip_prefix("//") {
        Some(rest) => rest.split_once('/').map_or("", |(_, path)| path),
        None => rest.trim_start_matches('/'),
    };
    Ok(path.trim_end_matches('/').to_owned())
}

fn text(server: &Server, of: &Json, field: &str) -> Result<String, RunError> {
    match &of[field] {
        Json::String(text) => Ok(text.clone()),
        Json::Number(number) => Ok(number.to_string()),
        _ => {
            let message = format!("{} does not answer like an MLflow server: there is no `{field}`", server.shown());
            Err(RunError::new("E0774", message)
                .help("give the URL of the tracking server, as `mlflow server` prints it"))
        }
    }
}

/// Names of params and metrics have letters, digits and a few signs.
fn name(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-. :/".contains(c);
    text.chars().map(|c| if plain(c) { c } else { '_' }).collect()
}

fn shortened(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    text.chars().take(longest - 1).chain(['…']).collect()
}

/// Milliseconds since 1970.
fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_folders_are_what_servers_take() {
        assert_eq!(name("quantile_loss(0.9)"), "quantile_loss_0.9_");
        assert_eq!(shortened("äöü", 3), "äöü");
        assert_eq!(shortened("äöüx", 3), "äö…");
        let server = Server::new("http://localhost:5000/", "here", None, std::time::Duration::from_secs(1));
        let of = |uri: &str| folder(&server, uri);
        assert_eq!(of("mlflow-artifacts:/1/abc/artifacts").unwrap(), "1/abc/artifacts");
        assert_eq!(of("mlflow-artifacts://host:5000/1/abc/artifacts").unwrap(), "1/abc/artifacts");
        assert_eq!(of("file:///tmp/mlruns/1/abc").unwrap_err().code, "E0774");
        assert_eq!(of("s3://bucket/1").unwrap_err().code, "E0774");
    }
}
