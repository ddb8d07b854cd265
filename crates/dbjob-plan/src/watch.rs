//! What bounds the work of a moment: said by the engine, held by who runs it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::{NodeId, Said};

/// The bounds of what an engine does at the moment. It says them as it goes from item to item; whoever runs it looks at
/// them, and stops the run that exceeds one.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    now: Arc<Mutex<Now>>,
    rows: Arc<AtomicU64>,
}

#[derive(Debug, Clone, Default)]
pub struct Now {
    /// The item at work, if one is.
    pub item: Option<String>,
    pub memory: Option<MemoryBound>,
    pub time: Option<TimeBound>,
}

/// Bytes of this process that no file backs.
#[derive(Debug, Clone, PartialEq)]
pub struct MemoryBound {
    pub bytes: Said<u64>,
    /// Whose it is: `the module \`training\``.
    pub of: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TimeBound {
    /// When the work is to be stopped: for a fit somewhat after its end, so that it ends by itself.
    pub at: Instant,
    /// Microseconds.
    pub limit: Said<i64>,
    pub of: String,
}

impl Watch {
    pub fn say(&self, now: Now) {
        let mut current = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if current.item != now.item {
            self.rows.store(0, Ordering::Relaxed);
        }
        *current = now;
    }

    /// Rows that the item at work has written or counted.
    pub fn count(&self, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    pub fn now(&self) -> Now {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Where the states of iterative fits are kept, each under the node of its fit. What is loaded is what was saved for the very
/// same fit: of the same rows, options and program.
pub trait Checkpoints: Sync {
    fn load(&self, node: NodeId) -> Option<Vec<u8>>;

    /// Replaces what was saved before. A fit goes on where it cannot be saved.
    fn save(&self, node: NodeId, state: &[u8]);

    /// The fit came to its end.
    fn clear(&self, node: NodeId);

    /// What was kept of the trials before a fit: of the same rows, inputs and output, whatever was searched among them.
    fn trials(&self, node: NodeId) -> Option<Vec<u8>> {
        let _ = node;
        None
    }

    /// Replaces what was kept of them before. A search goes on where it cannot be kept.
    fn keep_trials(&self, node: NodeId, trials: &[u8]) {
        let _ = (node, trials);
    }
}
