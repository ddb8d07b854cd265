//! `POST /predict`: one row, or a list of rows; or a table as a file.

use std::sync::Arc;

use axum::extract::{Path, State as Of};
use axum::http::StatusCode;
use dbjob_plan::TableFormat;

use super::body::{self, Sent};
use super::reply::{self, Reply, Told};
use super::{Shared, media_type, named as model_named, only as only_model, unsupported};
use crate::Values;
use crate::answer::{ask, failed};
use crate::log::Happened;
use crate::model::Model;
use crate::problem::{Problem, Wrong};
use crate::read;
use crate::scorer::{FileError, FileLimits};
use crate::state::State;

const CALL: &str = "predict";

pub async fn only(Of(state): Of<Shared>, sent: Sent) -> Reply {
    match only_model(&state.models(), "/predict") {
        Ok(model) => predict(&state, &model, sent).await,
        Err(problem) => reply::problem(&problem, Told::of(CALL)),
    }
}

pub async fn named(Of(state): Of<Shared>, Path(name): Path<String>, sent: Sent) -> Reply {
    match model_named(&state.models(), &name) {
        Ok(model) => predict(&state, &model, sent).await,
        Err(problem) => reply::problem(&problem, Told::of(CALL)),
    }
}

async fn predict(state: &State, model: &Arc<Model>, sent: Sent) -> Reply {
    let (mut rows, kind) = (0, media_type(&sent.headers));
    let done = match kind {
        Err(problem) => Err(problem),
        Ok(kind) => match (&*kind, table_format(&kind)) {
            (_, Some(format)) => file(state, model, format, sent, &mut rows).await,
            ("application/json" | "text/json" | "", _) => json(state, model, sent, &mut rows).await,
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

async fn json(state: &State, model: &Model, sent: Sent, count: &mut usize) -> Done {
    let held = body::read(state, sent).await?;
    let (rows, single) = read::json::rows(&held.bytes, &model.shape, state.options.limits.rows)?;
    drop(held);
    *count = rows.count();
    if *count == 0 {
        return Err(Problem::unprocessable("the list has no row"));
    }
    let answer = ask(model, rows).await?;
    log_failure(state, model, answer.failure());
    let body = if single { answer.one()? } else { answer.list() };
    Ok(("application/json", body))
}

/// Why the model could not be asked is for the log.
pub fn log_failure(state: &State, model: &Model, why: Option<String>) {
    if let Some(why) = why {
        let (name, version) = (Some(model.name()), Some(model.manifest().version));
        state.log.line(&Happened { event: "failed", model: name, version, message: &why });
    }
}

pub fn table_format(kind: &str) -> Option<TableFormat> {
    match kind {
        "application/vnd.apache.arrow.file" => Some(TableFormat::Arrow),
        "application/vnd.apache.parquet" => Some(TableFormat::Parquet),
        _ => None,
    }
}

/// The predictions of a table, as a table of the same format. One row that is refused refuses the table.
pub async fn file(state: &State, model: &Arc<Model>, format: TableFormat, sent: Sent, count: &mut usize) -> Done {
    let held = body::read(state, sent).await?;
    let limits = state.options.limits;
    // A table is smaller than the same rows as JSON.
    let of_file = FileLimits { rows: TABLE * limits.rows, bytes: 8 * limits.body };
    let reader = model.clone();
    let read = tokio::task::spawn_blocking(move || {
        let table = reader.scorer.read_table(format, &held.bytes, of_file).map_err(|e| refused(&reader, e))?;
        let rows = table.rows();
        read::table::rows(table.columns, rows, &reader.shape, of_file.rows)
    });
    let rows = read.await.map_err(|panic| ours(state, model, panic.to_string()))??;
    *count = rows.count();
    let answer = ask(model, rows).await?;
    log_failure(state, model, answer.failure());
    let cells = answer.whole()?;
    let columns: Vec<(String, Values)> =
        answer.columns().iter().map(|(name, values)| (name.clone(), values.take(&cells))).collect();
    let written = model.scorer.write_table(format, &columns).map_err(|why| ours(state, model, why))?;
    let kind = match format {
        TableFormat::Arrow => "application/vnd.apache.arrow.file",
        _ => "application/vnd.apache.parquet",
    };
    Ok((kind, written))
}

/// So many times the rows of a JSON body may be in a table.
const TABLE: usize = 10;

fn ours(state: &State, model: &Model, why: String) -> Problem {
    log_failure(state, model, Some(why));
    failed()
}

fn refused(model: &Model, error: FileError) -> Problem {
    match error {
        FileError::TooLarge(why) => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, why),
        FileError::Broken(why) => Problem::bad_request(why),
        FileError::Wrong(columns) => {
            let wrong =
                |(column, reason): (String, String)| match model.shape.fields.iter().find(|r| r.field.name == column) {
                    Some(rule) => rule.wrong(reason),
                    None => Wrong::new(Some(&column), reason),
                };
            Problem::refused(columns.into_iter().map(wrong).collect())
        }
    }
}
