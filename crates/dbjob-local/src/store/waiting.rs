//! The store's client is asynchronous and everything else here is not: it works on two threads of its own, and who asked
//! waits, until the run is asked to stop.

use std::future::Future;
use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use dbjob_plan::{Cancel, RunError};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// How long it takes at most to notice that the run was asked to stop.
const STEP: Duration = Duration::from_millis(50);

/// Work that goes on meanwhile; it ends when this is dropped.
pub(super) struct Pending<T> {
    result: Receiver<T>,
    task: JoinHandle<()>,
}

impl<T: Send + 'static> Pending<T> {
    /// Errors: E0799.
    pub fn start(work: impl Future<Output = T> + Send + 'static) -> Result<Self, RunError> {
        let (sender, result) = mpsc::sync_channel(1);
        let task = runtime()?.spawn(async move {
            // Nobody waits for it any more if it cannot be sent.
            sender.send(work.await).ok();
        });
        Ok(Self { result, task })
    }

    /// Errors: E0718, E0799.
    pub fn wait(self, cancel: &Cancel) -> Result<T, RunError> {
        loop {
            match self.result.recv_timeout(STEP) {
                Ok(result) => return Ok(result),
                Err(RecvTimeoutError::Timeout) if cancel.is_cancelled() => {
                    return Err(RunError::new("E0718", "the run was stopped"));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(RunError::new("E0799", "the client of the object store stopped"));
                }
            }
        }
    }
}

impl<T> Drop for Pending<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Errors: E0718, E0799.
pub(super) fn wait<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
    cancel: &Cancel,
) -> Result<T, RunError> {
    Pending::start(work)?.wait(cancel)
}

fn runtime() -> Result<&'static Runtime, RunError> {
    static RUNTIME: OnceLock<std::io::Result<Runtime>> = OnceLock::new();
    let make = || Builder::new_multi_thread().worker_threads(2).thread_name("object store").enable_all().build();
    RUNTIME
        .get_or_init(make)
        .as_ref()
        .map_err(|e| RunError::new("E0799", format!("the client of the object store does not start: {e}")))
}
