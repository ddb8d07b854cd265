//! Problem details of RFC 9457: what a caller is told who gets no prediction.

use axum::http::StatusCode;
use serde::Serialize;

/// What is wrong with a request or with one row of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub title: String,
    #[serde(serialize_with = "number")]
    pub status: StatusCode,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Wrong>,
    /// The same in one sentence, where clients of the Open Inference Protocol look for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wrong {
    /// The row of the request, from 1; none where the body is one row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<usize>,
    /// The field; none where a rule speaks of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    pub reason: String,
    /// The inputs of the model that need the field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<String>,
}

fn number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

/// So many things are told of one request.
const TOLD: usize = 100;

impl Problem {
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("error").to_owned();
        Self { kind: "about:blank", title, status, detail: detail.into(), errors: Vec::new(), error: None }
    }

    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// The row or rows are refused.
    pub fn refused(mut errors: Vec<Wrong>) -> Self {
        let first = errors.first().map(Wrong::sentence).unwrap_or_default();
        let detail = match errors.len() {
            0 | 1 => first,
            n => format!("{first} ({n} errors)"),
        };
        errors.truncate(TOLD);
        Self { errors, ..Self::unprocessable(detail) }
    }

    /// With the member that clients of the Open Inference Protocol read.
    pub fn with_error(mut self) -> Self {
        self.error = Some(if self.detail.is_empty() { self.title.clone() } else { self.detail.clone() });
        self
    }

    pub fn json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and numbers only")
    }
}

impl Wrong {
    pub fn new(field: Option<&str>, reason: impl Into<String>) -> Self {
        Self { row: None, field: field.map(str::to_owned), reason: reason.into(), inputs: Vec::new() }
    }

    /// In one sentence.
    pub fn sentence(&self) -> String {
        let row = self.row.map(|row| format!("row {row}: ")).unwrap_or_default();
        match &self.field {
            Some(field) => format!("{row}`{field}` {}", self.reason),
            None => format!("{row}{}", self.reason),
        }
    }
}
