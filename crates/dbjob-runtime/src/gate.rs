use std::sync::{Arc, Mutex, PoisonError};

use dbjob_plan::Event;

use crate::Observer;
use crate::secrets::Secrets;

/// Passes events on, one at a time, until it is closed: a backend that was given up on may still be at work, and
/// nothing of that may come after `RunFinished`.
#[derive(Clone)]
pub(crate) struct Gate {
    observer: Observer,
    /// What nobody is shown.
    pub secrets: Arc<Secrets>,
    open: Arc<Mutex<bool>>,
}

impl Gate {
    pub fn new(observer: Observer, secrets: Secrets) -> Self {
        Self { observer, secrets: Arc::new(secrets), open: Arc::new(Mutex::new(true)) }
    }

    pub fn emit(&self, event: Event) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if *open {
            (self.observer)(self.secrets.event(event));
        }
    }

    /// Passes the last event on.
    pub fn close(&self, last: Event) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *open, false) {
            (self.observer)(last);
        }
    }
}
