//! Lines of JSON on standard error. Requests only add to a buffer; a thread of its own writes it.

use std::cell::RefCell;
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

/// So much may wait to be written; what comes then waits, too.
const ROOM: usize = 1 << 20;
/// So much is written at once, and not only after a while.
const ENOUGH: usize = ROOM / 8;
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

    /// Writes an object that has a member at least, with the time before all others.
    pub fn line(&self, line: &impl Serialize) {
        let Some(shared) = &self.shared else { return };
        PEN.with_borrow_mut(|Pen { clock, text }| {
            text.clear();
            clock.write(text);
            let object = text.len();
            if serde_json::to_writer(&mut *text, line).is_ok() {
                text[object] = b',';
                text.push(b'\n');
                shared.add(text);
            }
        });
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
    fn add(&self, line: &[u8]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while state.buffer.len() > ROOM && !state.closed {
            state = self.wake.wait_timeout(state, EVERY).unwrap_or_else(PoisonError::into_inner).0;
        }
        let before = state.buffer.len();
        state.buffer.extend_from_slice(line);
        // In time for nobody to have to wait.
        if before <= ENOUGH && state.buffer.len() > ENOUGH {
            drop(state);
            self.wake.notify_all();
        }
    }

    fn write(&self) {
        loop {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let (mut state, _) = self
                .wake
                .wait_timeout_while(state, EVERY, |s| !s.closed && s.buffer.len() <= ENOUGH)
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

/// What a thread writes its lines with.
struct Pen {
    clock: Clock,
    text: Vec<u8>,
}

thread_local! {
    static PEN: RefCell<Pen> =
        const { RefCell::new(Pen { clock: Clock { second: 0, text: String::new() }, text: Vec::new() }) };
}

/// RFC 3339, UTC, to the millisecond. Many lines are of one second: its text is made once.
struct Clock {
    second: i64,
    text: String,
}

impl Clock {
    /// The beginning of a line.
    fn write(&mut self, out: &mut Vec<u8>) {
        let ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64;
        let second = ms / 1000;
        if self.text.is_empty() || self.second != second {
            (self.second, self.text) = (second, dbjob_plan::civil_datetime(second * 1_000_000));
        }
        write!(out, "{{\"time\":\"{}.{:03}Z\"", self.text, ms % 1000).expect("memory takes it");
    }
}
