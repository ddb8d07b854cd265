//! `POST /invocations`: MLflow's scoring protocol.

use std::sync::Arc;

use axum::extract::{Path, State as Of};

use super::body::{self, Sent};
use super::predict::{file, log_failure, table_format};
use super::reply::{self, Reply, Told};
use super::{Shared, media_type, named as model_named, only as only_model, unsupported};
use crate::answer::ask;
use crate::model::Model;
use crate::problem::Problem;
use crate::read;
use crate::state::State;

const CALL: &str = "invocations";

pub async fn only(Of(state): Of<Shared>, sent: Sent) -> Reply {
    match only_model(&state.models(), "/invocations") {
        Ok(model) => invoke(&state, &model, sent).await,
        Err(problem) => reply::problem(&problem, Told::of(CALL)),
    }
}

pub async fn named(Of(state): Of<Shared>, Path(name): Path<String>, sent: Sent) -> Reply {
    match model_named(&state.models(), &name) {
        Ok(model) => invoke(&state, &model, sent).await,
        Err(problem) => reply::problem(&problem, Told::of(CALL)),
    }
}

async fn invoke(state: &State, model: &Arc<Model>, sent: Sent) -> Reply {
    let mut rows = 0;
    let done = score(state, model, sent, &mut rows).await;
    let told = Told::rows(CALL, model, rows);
    match done {
        Ok((kind, bytes)) => reply::send(kind, bytes, told),
        Err(problem) => reply::problem(&problem, told),
    }
}

async fn score(
    state: &State,
    model: &Arc<Model>,
    sent: Sent,
    count: &mut usize,
) -> Result<(&'static str, Vec<u8>), Problem> {
    let kind = media_type(&sent.headers)?;
    if let Some(format) = table_format(&kind) {
        return file(state, model, format, sent, count).await;
    }
    let is_csv = match &*kind {
        "application/json" | "" => false,
        "text/csv" => true,
        _ => return Err(unsupported(&kind, "`application/json` or `text/csv`")),
    };
    let held = body::read(state, sent).await?;
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
