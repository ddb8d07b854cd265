//! The bytes of a request, within limits of size and time.

use std::convert::Infallible;
use std::io::Read;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::Problem;
use crate::state::State;

/// The head and the body of a request, as they are: an extractor of its own, as that of axum copies the headers.
pub struct Sent {
    pub headers: HeaderMap,
    body: Body,
}

impl<S: Sync> FromRequest<S> for Sent {
    type Rejection = Infallible;

    async fn from_request(request: Request, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(request))
    }
}

impl Sent {
    pub fn of(request: Request) -> Self {
        let (parts, body) = request.into_parts();
        Self { headers: parts.headers, body }
    }
}

/// A body, unpacked. While it is there, its bytes count against those of all requests.
pub struct Held {
    pub bytes: Bytes,
    _room: OwnedSemaphorePermit,
}

/// No part of a body may let itself be waited for longer than this.
const PAUSE: Duration = Duration::from_secs(10);

/// Errors: 408 slow, 413 large, 415 of a coding that is not understood, 400 broken, 503 no room.
pub async fn read(state: &State, sent: Sent) -> Result<Held, Problem> {
    let Sent { headers, mut body } = sent;
    let limit = state.options.limits.body;
    let gzip = coding(&headers)?;
    let said = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if said.is_some_and(|bytes| bytes > limit as u64) {
        return Err(too_large(limit));
    }
    drop(headers);
    let mut room = room(&state.bodies, said.unwrap_or(0) as usize)?;
    let (mut all, mut more) = (Bytes::new(), BytesMut::new());
    loop {
        // What has come already needs no clock.
        let come = match at_once(body.frame()) {
            Some(frame) => Ok(frame),
            None => tokio::time::timeout(PAUSE, body.frame()).await,
        };
        let frame = match come {
            Err(_) => return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "the body comes too slowly")),
            Ok(None) => break,
            Ok(Some(Err(_))) => return Err(Problem::bad_request("the body does not come to its end")),
            Ok(Some(Ok(frame))) => frame,
        };
        let Ok(data) = frame.into_data() else { continue };
        let length = all.len() + more.len() + data.len();
        if length > limit {
            return Err(too_large(limit));
        }
        grow(&mut room, &state.bodies, length)?;
        // Most bodies come in one piece, and that is not copied.
        if all.is_empty() && more.is_empty() {
            all = data;
        } else {
            more.extend_from_slice(&std::mem::take(&mut all));
            more.extend_from_slice(&data);
        }
    }
    let bytes = if more.is_empty() { all } else { more.freeze() };
    if !gzip {
        return Ok(Held { bytes, _room: room });
    }
    let bytes = unpack(&bytes, limit)?;
    grow(&mut room, &state.bodies, bytes.len())?;
    Ok(Held { bytes: bytes.into(), _room: room })
}

/// What a future gives without waiting.
fn at_once<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

fn coding(headers: &HeaderMap) -> Result<bool, Problem> {
    let mut gzip = false;
    for value in headers.get_all(header::CONTENT_ENCODING) {
        match value.as_bytes().trim_ascii().to_ascii_lowercase().as_slice() {
            b"gzip" | b"x-gzip" if !gzip => gzip = true,
            b"identity" | b"" => {}
            _ => {
                let why = "the body may be sent as it is or with `Content-Encoding: gzip`";
                return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
            }
        }
    }
    Ok(gzip)
}

fn unpack(bytes: &[u8], limit: usize) -> Result<Vec<u8>, Problem> {
    let mut out = Vec::new();
    let read = flate2::read::MultiGzDecoder::new(bytes).take(limit as u64 + 1).read_to_end(&mut out);
    match read {
        Ok(_) if out.len() > limit => Err(too_large(limit)),
        Ok(_) => Ok(out),
        Err(e) => Err(Problem::bad_request(format!("the body is not gzip: {e}"))),
    }
}

fn too_large(limit: usize) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a body may have {limit} bytes at most, unpacked too"))
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX)
}

fn room(all: &Arc<Semaphore>, bytes: usize) -> Result<OwnedSemaphorePermit, Problem> {
    all.clone().try_acquire_many_owned(units(bytes)).map_err(|_| no_room())
}

/// Takes room for so many bytes in all, if less was taken.
fn grow(held: &mut OwnedSemaphorePermit, all: &Arc<Semaphore>, bytes: usize) -> Result<(), Problem> {
    let (has, needs) = (held.num_permits(), units(bytes) as usize);
    if needs > has {
        held.merge(room(all, (needs - has) * 1024)?);
    }
    Ok(())
}

fn no_room() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many large requests at the same time; try again later")
}
