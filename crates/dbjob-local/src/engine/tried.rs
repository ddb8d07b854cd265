//! The trials before fits that are known: of this run, and of earlier ones with the same rows, also of those that were stopped.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dbjob_plan::{Checkpoints, FitSpec, NodeId, RunContext, RunError};
use serde::{Deserialize, Serialize};

use crate::package::digest;

/// Between two times that trials are kept.
const PAUSE: Duration = Duration::from_secs(1);

/// Those of all models of a run.
#[derive(Default)]
pub(super) struct AllTried(Mutex<HashMap<NodeId, Arc<Known>>>);

impl AllTried {
    /// Those of one model.
    pub fn of(&self, node: NodeId, cx: &RunContext<'_>) -> Arc<Known> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(node).or_insert_with(|| Arc::new(Known::load(node, cx.checkpoints))))
    }
}

/// Which rows learn and compare: what beside the algorithm makes a trial what it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Rows {
    /// The number of the view.
    pub view: usize,
    /// The fold whose rows have no part.
    pub without: Option<i64>,
    /// How much of the train rows are learned from.
    pub share: f64,
}

/// Values of trials by what they are made of, beside the rows of the model.
pub(super) struct Known {
    node: NodeId,
    state: Mutex<State>,
}

struct State {
    values: Values,
    kept: Instant,
    /// There are more than were kept.
    more: bool,
}

#[derive(Default, Serialize, Deserialize)]
struct Values(BTreeMap<String, Option<f64>>);

impl Known {
    fn load(node: NodeId, kept: Option<&dyn Checkpoints>) -> Self {
        let kept = kept.and_then(|kept| kept.trials(node)).and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self { node, state: Mutex::new(State { values: kept.unwrap_or_default(), kept: Instant::now(), more: false }) }
    }

    /// What a trial has given, `None` inside: not defined.
    pub fn get(&self, key: &str) -> Option<Option<f64>> {
        self.lock().values.0.get(key).copied()
    }

    pub fn put(&self, key: String, value: Option<f64>, cx: &RunContext<'_>) {
        let mut state = self.lock();
        state.values.0.insert(key, value);
        state.more = true;
        if state.kept.elapsed() >= PAUSE {
            self.keep(&mut state, cx);
        }
    }

    /// Keeps what was not kept yet.
    pub fn flush(&self, cx: &RunContext<'_>) {
        let mut state = self.lock();
        if state.more {
            self.keep(&mut state, cx);
        }
    }

    fn keep(&self, state: &mut State, cx: &RunContext<'_>) {
        if let (Some(kept), Ok(bytes)) = (cx.checkpoints, serde_json::to_vec(&state.values)) {
            kept.keep_trials(self.node, &bytes);
        }
        (state.kept, state.more) = (Instant::now(), false);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key of a trial among those of its model.
///
/// Errors: E0799.
pub(super) fn key(trial: &FitSpec, metric: &str, rows: Rows) -> Result<String, RunError> {
    let engine = |e: String| RunError::new("E0799", e);
    let what = serde_json::to_string(&(&trial.algorithm, trial.fixed_threshold(), metric, rows));
    digest(&mut what.map_err(|e| engine(e.to_string()))?.as_bytes()).map_err(|e| engine(e.to_string()))
}
