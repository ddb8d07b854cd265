//! The Open Inference Protocol v2, over JSON.

use axum::extract::{Path, State as Of};
use axum::http::StatusCode;
use dbjob_plan::DataType;
use serde_json::{Value as J, json};

use super::body::{self, Sent};
use super::predict::log_failure;
use super::reply::{self, Reply, Told};
use super::{Shared, media_type, named, unsupported};
use crate::answer::{Answer, ask};
use crate::model::Model;
use crate::problem::Problem;
use crate::read::tensors::{self, datatype};
use crate::state::State;

pub async fn server() -> Reply {
    let about = json!({ "name": "dbjob", "version": env!("CARGO_PKG_VERSION"), "extensions": [] });
    reply::json(about.to_string(), Told::of("v2"))
}

pub async fn live() -> Reply {
    reply::json(json!({ "live": true }).to_string(), Told::of("v2/health"))
}

pub async fn ready(Of(state): Of<Shared>) -> Reply {
    let ready = !state.models().by_name.is_empty();
    let mut reply = reply::json(json!({ "ready": ready }).to_string(), Told::of("v2/health"));
    if !ready {
        *reply.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    reply
}

pub async fn model(Of(state): Of<Shared>, Path(name): Path<String>) -> Reply {
    answered("v2/models", found(&state, &name, None).map(|model| metadata(&model)))
}

pub async fn version(Of(state): Of<Shared>, Path((name, version)): Path<(String, String)>) -> Reply {
    answered("v2/models", found(&state, &name, Some(&version)).map(|model| metadata(&model)))
}

pub async fn model_ready(Of(state): Of<Shared>, Path(name): Path<String>) -> Reply {
    answered("v2/models", found(&state, &name, None).map(|model| is_ready(&model)))
}

pub async fn version_ready(Of(state): Of<Shared>, Path((name, version)): Path<(String, String)>) -> Reply {
    answered("v2/models", found(&state, &name, Some(&version)).map(|model| is_ready(&model)))
}

pub async fn infer(Of(state): Of<Shared>, Path(name): Path<String>, sent: Sent) -> Reply {
    infer_by(&state, &name, None, sent).await
}

pub async fn infer_version(Of(state): Of<Shared>, Path((name, version)): Path<(String, String)>, sent: Sent) -> Reply {
    infer_by(&state, &name, Some(&version), sent).await
}

fn answered(call: &'static str, done: Result<J, Problem>) -> Reply {
    match done {
        Ok(json) => reply::json(json.to_string(), Told::of(call)),
        Err(problem) => reply::problem(&problem.with_error(), Told::of(call)),
    }
}

/// The model, if it is live in that version.
fn found(state: &State, name: &str, version: Option<&str>) -> Result<std::sync::Arc<Model>, Problem> {
    let model = named(&state.models(), name)?;
    let live = model.manifest().version;
    match version {
        Some(version) if version != live.to_string() => {
            let why = format!("version {live} of `{name}` is live");
            Err(Problem::new(StatusCode::NOT_FOUND, why))
        }
        _ => Ok(model),
    }
}

fn is_ready(model: &Model) -> J {
    json!({ "name": model.name(), "ready": true })
}

fn metadata(model: &Model) -> J {
    let width = |dtype: &DataType| match dtype {
        DataType::Vector { width } => json!([-1, width.map_or(-1, |w| w as i64)]),
        _ => json!([-1]),
    };
    let tensor =
        |name: &str, dtype: &DataType| json!({ "name": name, "datatype": datatype(dtype), "shape": width(dtype) });
    let inputs: Vec<J> = model.shape.fields.iter().map(|r| tensor(&r.field.name, &r.field.dtype)).collect();
    let outputs: Vec<J> = model.manifest().predictions().fields.iter().map(|f| tensor(&f.name, &f.dtype)).collect();
    json!({
        "name": model.name(),
        "versions": [model.manifest().version.to_string()],
        "platform": format!("dbjob_{}", model.manifest().algorithm.name),
        "inputs": inputs,
        "outputs": outputs,
    })
}

async fn infer_by(state: &State, name: &str, version: Option<&str>, sent: Sent) -> Reply {
    let model = match found(state, name, version) {
        Ok(model) => model,
        Err(problem) => return reply::problem(&problem.with_error(), Told::of("v2/infer")),
    };
    let mut rows = 0;
    let done = score(state, &model, sent, &mut rows).await;
    let told = Told::rows("v2/infer", &model, rows);
    match done {
        Ok(json) => reply::json(json, told),
        Err(problem) => reply::problem(&problem.with_error(), told),
    }
}

async fn score(state: &State, model: &Model, sent: Sent, count: &mut usize) -> Result<Vec<u8>, Problem> {
    if sent.headers.contains_key("inference-header-content-length") {
        let why = "tensors are sent as JSON here, not as binary data (`binary_data=False`)";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
    }
    let kind = media_type(&sent.headers)?;
    if !matches!(&*kind, "application/json" | "") {
        return Err(unsupported(&kind, "`application/json`"));
    }
    let held = body::read(state, sent).await?;
    let (rows, id, wanted) = {
        let request = tensors::request(&held.bytes)?;
        let rows = tensors::rows(&request, &model.shape, state.options.limits.rows)?;
        let wanted: Vec<String> = request.outputs.into_iter().map(|o| o.name).collect();
        (rows, request.id, wanted)
    };
    drop(held);
    let outputs = outputs(model, &wanted)?;
    *count = rows.count();
    let answer = ask(model, rows).await?;
    log_failure(state, model, answer.failure());
    let cells = answer.whole()?;
    Ok(write(model, &answer, &cells, &outputs, id.as_deref()))
}

/// The places of the columns that are asked for; all if nothing is said.
fn outputs(model: &Model, wanted: &[String]) -> Result<Vec<usize>, Problem> {
    let fields = model.manifest().predictions().fields;
    if wanted.is_empty() {
        return Ok((0..fields.len()).collect());
    }
    let place = |name: &String| {
        fields.iter().position(|f| f.name == *name).ok_or_else(|| {
            let name: String = name.chars().take(100).collect();
            let known: Vec<&str> = fields.iter().map(|f| f.name.as_str()).collect();
            Problem::unprocessable(format!("there is no output `{name}`; there is {}", known.join(", ")))
        })
    };
    if wanted.len() > fields.len() {
        return Err(Problem::unprocessable(format!("{} outputs are asked for of {}", wanted.len(), fields.len())));
    }
    wanted.iter().map(place).collect()
}

fn write(model: &Model, answer: &Answer<'_>, cells: &[usize], outputs: &[usize], id: Option<&str>) -> Vec<u8> {
    let fields = model.manifest().predictions().fields;
    let quoted = |text: &str| J::from(text).to_string();
    let version = model.manifest().version;
    let mut out = format!("{{\"model_name\":{},\"model_version\":\"{version}\"", quoted(model.name())).into_bytes();
    if let Some(id) = id {
        out.extend(format!(",\"id\":{}", quoted(id)).bytes());
    }
    out.extend(b",\"outputs\":[");
    for (i, column) in outputs.iter().enumerate() {
        let field = &fields[*column];
        let head = format!(
            "{}{{\"name\":{},\"shape\":[{}],\"datatype\":\"{}\",\"data\":[",
            if i == 0 { "" } else { "," },
            quoted(&field.name),
            cells.len(),
            datatype(&field.dtype)
        );
        out.extend(head.bytes());
        for (at, cell) in cells.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            answer.cell(*column, *cell, &mut out);
        }
        out.extend(b"]}");
    }
    out.extend(b"]}");
    out
}
