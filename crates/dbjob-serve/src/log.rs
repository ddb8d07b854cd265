//! Lines of JSON on standard error. Requests only add to a buffer; a thread of its own writes it.

use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::Serialize;

/// So much may wait to be written; what comes then waits, too.
const ROOM: usize = 1 << 20;
const EVERY: Duration = Duration::from_millis(100);

pub struct Log {
    shared: Option<Arc<Shared>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    buffer: Vec<u8>,
    closed: bool,
}

/// A request that was answered: no values of its fields.
#[derive(Serialize)]
pub struct Line<'a> {
    pub time: String,
    pub method: &'a str,
    pub path: &'a str,
    pub status: u16,
    pub ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// Something that happened to the server.
#[derive(Serialize)]
pub struct Happened<'a> {
    pub time: String,
    pub event: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub message: &'a str,
}

impl Log {
    /// `on`: whether anything is written.
    pub fn new(on: bool) -> Self {
        if !on {
            return Self { shared: None, writer: Mutex::new(None) };
        }
        let shared = Arc::new(Shared::default());
        let of_thread = shared.clone();
        let writer = std::thread::Builder::new().name("log".into()).spawn(move || of_thread.write());
        Self { shared: Some(shared), writer: Mutex::new(writer.ok()) }
    }

    pub fn is_on(&self) -> bool {
        self.shared.is_some()
    }

    pub fn line(&self, line: &impl Serialize) {
        let Some(shared) = &self.shared else { return };
        let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        while state.buffer.len() > ROOM && !state.closed {
            state = shared.wake.wait_timeout(state, EVERY).unwrap_or_else(PoisonError::into_inner).0;
        }
        if serde_json::to_writer(&mut state.buffer, line).is_ok() {
            state.buffer.push(b'\n');
        }
    }

    /// Writes what is left.
    pub fn close(&self) {
        if let Some(shared) = &self.shared {
            shared.state.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
            shared.wake.notify_all();
        }
        if let Some(writer) = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = writer.join();
        }
    }
}

impl Shared {
    fn write(&self) {
        loop {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let (mut state, _) = self
                .wake
                .wait_timeout_while(state, EVERY, |s| !s.closed && s.buffer.len() <= ROOM)
                .unwrap_or_else(PoisonError::into_inner);
            let (lines, closed) = (std::mem::take(&mut state.buffer), state.closed);
            drop(state);
            self.wake.notify_all();
            if !lines.is_empty() {
                // Nobody is there to be told that the log is gone.
                let _ = std::io::stderr().lock().write_all(&lines);
            }
            if closed {
                return;
            }
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.close();
    }
}

/// RFC 3339, UTC, to the millisecond.
pub fn now() -> String {
    use std::time::{SystemTime, UNIX_EPOCH};
    let ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64;
    let seconds = dbjob_plan::civil_datetime(ms / 1000 * 1_000_000);
    format!("{seconds}.{:03}Z", ms % 1000)
}
