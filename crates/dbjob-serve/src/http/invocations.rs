//! `POST /invocations`: MLflow's scoring protocol.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State as Of};
use axum::http::HeaderMap;

use super::predict::{file, log_failure, table_format};
use super::reply::{self, Reply, Told};
use super::{Shared, body, media_type, named as model_named, only as only_model, unsupported};
use crate::answer::ask;
use crate::model::Model;
use crate::problem::Problem;
use crate::read;
use crate::state::State;

const CALL: &str = "invocations";

pub async fn only(Of(state): Of<Shared>, headers: HeaderMap, body: Body) -> Reply {
    match only_model(&state.models(), "/invocations") {
        Ok(model) => invoke(&state, &model, headers, body).await,
        Err(problem) => reply::problem(&problem, Told::of(CALL)),
    }
}

pub async fn named(Of(state): Of<Shared>, Path(name): Path<String>, headers: HeaderMap, body: Body) -> Reply {
    match model_named(&state.models(), &name) {
        Ok(model) => invoke(&state, &model, headers, body).await,
        Err(problem) => reply::problem(&problem, Told::of(CALL)),
    }
}

async fn invoke(state: &State, model: &Arc<Model>, headers: HeaderMap, body: Body) -> Reply {
    let mut rows = 0;
    let done = score(state, model, headers, body, &mut rows).await;
    let told = Told::rows(CALL, model, rows);
    match done {
        Ok((kind, bytes)) => reply::send(kind, bytes, told),
        Err(problem) => reply::problem(&problem, told),
    }
}

async fn score(
    state: &State,
    model: &Arc<Model>,
    headers: HeaderMap,
    body: Body,
    count: &mut usize,
) -> Result<(&'static str, Vec<u8>), Problem> {
    let kind = media_type(&headers)?;
    if let Some(format) = table_format(&kind) {
        return file(state, model, format, &headers, body, count).await;
    }
    let is_csv = match kind.as_str() {
        "application/json" | "" => false,
        "text/csv" => true,
        _ => return Err(unsupported(&kind, "`application/json` or `text/csv`")),
    };
    let held = body::read(state, &headers, body).await?;
    let limit = state.options.limits.rows;
    let rows = if is_csv {
        read::csv::rows(&held.bytes, &model.shape, &model.manifest().serving.nulls, limit)?
    } else {
        read::frame::rows(&held.bytes, &model.shape, limit)?
    };
    drop(held);
    *count = rows.count();
    let answer = ask(model, rows).await?;
    log_failure(state, model, answer.failure());
    let cells = answer.whole()?;
    let mut out = b"{\"predictions\":[".to_vec();
    for (at, cell) in cells.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        answer.object(cell, &mut out);
    }
    out.extend(b"]}");
    Ok(("application/json", out))
}
