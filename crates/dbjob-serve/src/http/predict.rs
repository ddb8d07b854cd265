//! `POST /predict`: one row, or a list of rows; or a table as a file.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State as Of};
use axum::http::{HeaderMap, StatusCode};
use dbjob_plan::TableFormat;

use super::reply::{self, Reply, Told};
use super::{Shared, body, media_type, named as model_named, only as only_model, unsupported};
use crate::answer::{ask, failed};
use crate::log::{Happened, now};
use crate::model::Model;
use crate::problem::{Problem, Wrong};
use crate::read;
use crate::scorer::{FileError, FileLimits};
use crate::state::State;

const CALL: &str = "predict";

pub async fn only(Of(state): Of<Shared>, headers: HeaderMap, body: Body) -> Reply {
    match only_model(&state.models(), "/predict") {
        Ok(model) => predict(&state, &model, headers, body).await,
        Err(problem) => reply::problem(&problem, Told::of(CALL)),
    }
}

pub async fn named(Of(state): Of<Shared>, Path(name): Path<String>, headers: HeaderMap, body: Body) -> Reply {
    match model_named(&state.models(), &name) {
        Ok(model) => predict(&state, &model, headers, body).await,
        Err(problem) => reply::problem(&problem, Told::of(CALL)),
    }
}

async fn predict(state: &State, model: &Arc<Model>, headers: HeaderMap, body: Body) -> Reply {
    let (mut rows, kind) = (0, media_type(&headers));
    let done = match kind {
        Err(problem) => Err(problem),
        Ok(kind) => match (kind.as_str(), table_format(&kind)) {
            (_, Some(format)) => file(state, model, format, &headers, body).await,
            ("application/json" | "text/json" | "", _) => json(state, model, &headers, body, &mut rows).await,
            _ => {
                let known =
                    "`application/json`, `application/vnd.apache.arrow.file` or `application/vnd.apache.parquet`";
                Err(unsupported(&kind, known))
            }
        },
    };
    let told = Told::rows(CALL, model, rows);
    match done {
        Ok((kind, bytes)) => reply::send(kind, bytes, told),
        Err(problem) => reply::problem(&problem, told),
    }
}

type Done = Result<(&'static str, Vec<u8>), Problem>;

async fn json(state: &State, model: &Model, headers: &HeaderMap, body: Body, count: &mut usize) -> Done {
    let held = body::read(state, headers, body).await?;
    let (rows, single) = read::json::rows(&held.bytes, &model.shape, state.options.limits.rows)?;
    drop(held);
    *count = rows.count();
    let answer = ask(model, rows).await?;
    log_failure(state, model, answer.failure());
    let body = if single { answer.one()? } else { answer.list() };
    Ok(("application/json", body))
}

/// Why the model could not be asked is for the log.
pub fn log_failure(state: &State, model: &Model, why: Option<String>) {
    if let Some(why) = why {
        let (name, version) = (Some(model.name()), Some(model.manifest().version));
        state.log.line(&Happened { time: now(), event: "failed", model: name, version, message: &why });
    }
}

pub fn table_format(kind: &str) -> Option<TableFormat> {
    match kind {
        "application/vnd.apache.arrow.file" => Some(TableFormat::Arrow),
        "application/vnd.apache.parquet" => Some(TableFormat::Parquet),
        _ => None,
    }
}

/// The predictions of a table, as a table of the same format.
pub async fn file(state: &State, model: &Arc<Model>, format: TableFormat, headers: &HeaderMap, body: Body) -> Done {
    let held = body::read(state, headers, body).await?;
    let limits = FileLimits { rows: 100 * state.options.limits.rows, bytes: 8 * state.options.limits.body };
    let scorer = model.scorer.clone();
    let scored = tokio::task::spawn_blocking(move || scorer.score_file(format, &held.bytes, limits)).await;
    match scored {
        Ok(Ok(file)) => {
            let kind = match format {
                TableFormat::Arrow => "application/vnd.apache.arrow.file",
                _ => "application/vnd.apache.parquet",
            };
            Ok((kind, file))
        }
        Ok(Err(error)) => Err(refused_file(state, model, error)),
        Err(panic) => {
            log_failure(state, model, Some(panic.to_string()));
            Err(failed())
        }
    }
}

fn refused_file(state: &State, model: &Model, error: FileError) -> Problem {
    match error {
        FileError::TooLarge(why) => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, why),
        FileError::Broken(why) => Problem::bad_request(why),
        FileError::Failed(why) => {
            log_failure(state, model, Some(why));
            failed()
        }
        FileError::Wrong { row, column, reason } => {
            let wrong = match column.as_deref() {
                Some(column) => match model.shape.fields.iter().find(|r| r.field.name == column) {
                    Some(rule) => rule.wrong(reason),
                    None => Wrong::new(Some(column), reason),
                },
                None => Wrong::new(None, reason),
            };
            Problem::refused(vec![Wrong { row, ..wrong }])
        }
    }
}
