//! What tells of the server: health, metrics, the OpenAPI document and its page.

use axum::extract::State as Of;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use serde_json::json;

use super::Shared;
use super::reply::{self, Reply, Told};
use crate::problem::Problem;

/// A form for each model; it has no assets elsewhere and no data in it.
const PAGE: &str = include_str!("page.html");

pub async fn alive() -> Reply {
    reply::send("text/plain; charset=utf-8", "ok\n", Told::of("health"))
}

pub async fn ready(Of(state): Of<Shared>) -> Reply {
    if state.models().by_name.is_empty() {
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no model is live");
        return reply::problem(&problem, Told::of("ready"));
    }
    reply::send("text/plain; charset=utf-8", "ready\n", Told::of("ready"))
}

pub async fn version(Of(state): Of<Shared>) -> Reply {
    let models: Vec<_> = state.models().by_name.values().map(|m| (m.name().to_owned(), m.manifest().version)).collect();
    let models: Vec<_> =
        models.into_iter().map(|(name, version)| json!({ "model": name, "version": version })).collect();
    let body = json!({ "dbjob": env!("CARGO_PKG_VERSION"), "models": models });
    reply::json(body.to_string(), Told::of("version"))
}

pub async fn metrics(Of(state): Of<Shared>) -> Reply {
    let models = state.models();
    let text = state.metrics.text(models.by_name.values().map(|m| &**m));
    reply::send("text/plain; version=0.0.4; charset=utf-8", text, Told::of("metrics"))
}

pub async fn openapi(Of(state): Of<Shared>) -> Reply {
    reply::json(state.models().openapi.clone(), Told::of("openapi"))
}

pub async fn docs() -> Reply {
    let mut reply = reply::send("text/html; charset=utf-8", PAGE, Told::of("docs"));
    let headers = reply.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy()) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    reply
}

/// Nothing but the page's own script and style runs, and it asks nobody but this server.
fn policy() -> String {
    let of = |tag: &str| {
        let inner = PAGE.split_once(&format!("<{tag}>")).and_then(|(_, rest)| rest.split_once(&format!("</{tag}>")));
        format!("'sha256-{}'", base64(&<sha2::Sha256 as sha2::Digest>::digest(inner.map_or("", |(inner, _)| inner))))
    };
    format!(
        "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         script-src {}; style-src {}",
        of("script"),
        of("style")
    )
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let word = three.iter().fold(0_u32, |w, b| w << 8 | u32::from(*b)) << (8 * (3 - three.len()));
        for i in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * i) & 63) as usize] as char;
            out.push(if i <= three.len() { digit } else { '=' });
        }
    }
    out
}

pub async fn index() -> Reply {
    let mut reply = reply::send("text/plain; charset=utf-8", "see /docs\n", Told::of("index"));
    *reply.status_mut() = StatusCode::SEE_OTHER;
    reply.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/docs"));
    reply
}

pub async fn nothing(uri: Uri) -> Reply {
    let path: String = uri.path().chars().take(100).collect();
    let problem =
        Problem::new(StatusCode::NOT_FOUND, format!("there is nothing at `{path}`; /docs says what there is"));
    reply::problem(&problem, Told::of("none"))
}

pub async fn no_method(method: Method, uri: Uri) -> Reply {
    let path: String = uri.path().chars().take(100).collect();
    let method: String = method.as_str().chars().take(20).collect();
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("`{path}` takes no {method}"));
    reply::problem(&problem, Told::of("none"))
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_as_in_rfc_4648() {
        for (text, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(base64(text.as_bytes()), coded);
        }
    }
}
