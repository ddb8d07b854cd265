//! Around every request: the token, the limit of time, the log.

use std::convert::Infallible;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::State as Of;
use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use hyper::body::Incoming;
use subtle::ConstantTimeEq;
use tower::Service;

use super::body::Sent;
use super::reply::{self, Reply, Told};
use super::{Shared, predict};
use crate::log::Line;
use crate::problem::Problem;

/// What may be asked without the token: whether the server is there, and the page, which has no data in it.
const OPEN: [&str; 8] = ["/ping", "/health", "/ready", "/v2/health/live", "/v2/health/ready", "/docs", "/", "/v2"];

pub async fn answer(state: Shared, mut router: Router, request: Request<Incoming>) -> Result<Reply, Infallible> {
    let begun = Instant::now();
    let (method, path) = match state.log.is_on() {
        true => (Some(request.method().clone()), Some(request.uri().path().to_owned())),
        false => (None, None),
    };
    let reply = if may(&state, &request) {
        let work = async {
            let request = request.map(Body::new);
            // What is asked all day long is not looked up among the other paths.
            if request.method() == Method::POST && request.uri().path() == "/predict" {
                return predict::only(Of(state.clone()), Sent::of(request)).await;
            }
            match router.call(request).await {
                Ok(reply) => reply,
                Err(never) => match never {},
            }
        };
        match tokio::time::timeout(state.options.limits.time, work).await {
            Ok(reply) => reply,
            Err(_) => {
                let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the answer took too long");
                reply::problem(&problem, Told::of("none"))
            }
        }
    } else {
        let problem = Problem::new(StatusCode::UNAUTHORIZED, "show the token: `Authorization: Bearer TOKEN`");
        let mut reply = reply::problem(&problem, Told::of("none"));
        reply.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        reply
    };
    let (status, time) = (reply.status().as_u16(), begun.elapsed());
    let told = reply.extensions().get::<Told>();
    state.metrics.request(told.map_or("none", |t| t.call), status, time);
    if let (Some(method), Some(path)) = (method, path) {
        let model = told.and_then(|t| t.model.as_ref());
        state.log.line(&Line {
            method: method.as_str(),
            path: &path,
            status,
            ms: (time.as_secs_f64() * 1e6).round() / 1e3,
            rows: told.and_then(|t| t.rows),
            model: model.map(|m| m.name()),
            version: model.map(|m| m.manifest().version),
        });
    }
    Ok(reply)
}

/// Whether the caller shows the token, where one is wanted. Compared in constant time.
fn may(state: &Shared, request: &Request<Incoming>) -> bool {
    let Some(token) = &state.options.token else { return true };
    if OPEN.contains(&request.uri().path()) {
        return true;
    }
    let shown = request.headers().get(header::AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
    let Some((scheme, shown)) = shown.split_at_checked(7) else { return false };
    scheme.eq_ignore_ascii_case(b"bearer ") && bool::from(shown.trim_ascii().ct_eq(token.as_bytes()))
}
