//! Answers: JSON or a problem, with what the log says of them.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use bytes::Bytes;

use crate::model::Model;
use crate::problem::Problem;

/// What the log and the metrics tell of a request.
#[derive(Clone, Default)]
pub struct Told {
    pub call: &'static str,
    pub rows: Option<usize>,
    pub model: Option<Arc<Model>>,
}

impl Told {
    pub fn of(call: &'static str) -> Self {
        Self { call, ..Self::default() }
    }

    pub fn rows(call: &'static str, model: &Arc<Model>, rows: usize) -> Self {
        Self { call, rows: Some(rows), model: Some(model.clone()) }
    }
}

/// The version of the model that answered.
const VERSION: HeaderName = HeaderName::from_static("x-model-version");

pub type Reply = Response<Body>;

pub fn send(kind: &'static str, body: impl Into<Bytes>, told: Told) -> Reply {
    let mut reply = Response::new(Body::from(body.into()));
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Some(model) = &told.model {
        reply.headers_mut().insert(VERSION, model.header.clone());
    }
    reply.extensions_mut().insert(told);
    reply
}

pub fn json(body: impl Into<Bytes>, told: Told) -> Reply {
    send("application/json", body, told)
}

pub fn problem(problem: &Problem, told: Told) -> Reply {
    let mut reply = send("application/problem+json", problem.json(), told);
    *reply.status_mut() = problem.status;
    if problem.status == StatusCode::SERVICE_UNAVAILABLE {
        reply.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    // What is left of the body is not read.
    if matches!(problem.status, StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT) {
        reply.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    reply
}

impl IntoResponse for Problem {
    fn into_response(self) -> Reply {
        problem(&self, Told::default())
    }
}
