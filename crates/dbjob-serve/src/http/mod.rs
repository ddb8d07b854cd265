//! What a caller can ask for.

mod body;
mod invocations;
mod open;
mod pages;
mod predict;
mod reply;
mod serve;

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::{get, post};

pub use serve::answer;

use crate::model::Model;
use crate::problem::Problem;
use crate::state::{Models, State};

pub type Shared = Arc<State>;

/// Every path there is.
pub fn router(state: Shared) -> Router {
    Router::new()
        .route("/ping", get(pages::alive))
        .route("/health", get(pages::alive))
        .route("/ready", get(pages::ready))
        .route("/version", get(pages::version))
        .route("/metrics", get(pages::metrics))
        .route("/openapi.json", get(pages::openapi))
        .route("/docs", get(pages::docs))
        .route("/", get(pages::index))
        .route("/predict", post(predict::only))
        .route("/predict/{model}", post(predict::named))
        .route("/invocations", post(invocations::only))
        .route("/invocations/{model}", post(invocations::named))
        .route("/v2", get(open::server))
        .route("/v2/health/live", get(open::live))
        .route("/v2/health/ready", get(open::ready))
        .route("/v2/models/{model}", get(open::model))
        .route("/v2/models/{model}/ready", get(open::model_ready))
        .route("/v2/models/{model}/infer", post(open::infer))
        .route("/v2/models/{model}/versions/{version}", get(open::version))
        .route("/v2/models/{model}/versions/{version}/ready", get(open::version_ready))
        .route("/v2/models/{model}/versions/{version}/infer", post(open::infer_version))
        .fallback(pages::nothing)
        .method_not_allowed_fallback(pages::no_method)
        .with_state(state)
}

/// The model of that name.
fn named(models: &Models, name: &str) -> Result<Arc<Model>, Problem> {
    models.by_name.get(name).cloned().ok_or_else(|| {
        let known: Vec<&str> = models.by_name.keys().map(String::as_str).collect();
        let name: String = name.chars().take(100).collect();
        Problem::new(StatusCode::NOT_FOUND, format!("there is no model `{name}`; there is {}", list(&known)))
    })
}

/// The model, where there is only one.
fn only(models: &Models, path: &str) -> Result<Arc<Model>, Problem> {
    models.only().cloned().ok_or_else(|| {
        let known: Vec<&str> = models.by_name.keys().map(String::as_str).collect();
        let what = if known.is_empty() {
            "no model is live".to_owned()
        } else {
            format!("ask one of several: {}", list(&known))
        };
        Problem::new(StatusCode::NOT_FOUND, format!("{what} (`{path}/MODEL`)"))
    })
}

fn list(names: &[&str]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
    }
}

const JSON: &str = "application/json";

/// The media type of a body, without its parameters.
///
/// Errors: 415 for another charset than UTF-8.
fn media_type(headers: &HeaderMap) -> Result<Cow<'static, str>, Problem> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok("".into()) };
    if value == JSON {
        return Ok(JSON.into());
    }
    let text = value.to_str().unwrap_or("?").to_ascii_lowercase();
    let mut parts = text.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_owned();
    for parameter in parts {
        if let Some(charset) = parameter.strip_prefix("charset=")
            && !matches!(charset.trim_matches('"'), "utf-8" | "utf8" | "us-ascii")
        {
            let why = "texts are sent as UTF-8";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
        }
    }
    Ok(kind.into())
}

fn unsupported(kind: &str, known: &str) -> Problem {
    let kind: String = kind.chars().take(100).collect();
    let said = if kind.is_empty() { "no `Content-Type`".to_owned() } else { format!("`{kind}`") };
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("the body is {said}; send {known}"))
}
