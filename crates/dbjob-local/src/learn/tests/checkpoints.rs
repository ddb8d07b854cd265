use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use dbjob_plan::{Cancel, Checkpoints, DataType, NodeId, RunContext, Task, Value};

use super::support::*;
use crate::learn::{Fitting, Fresh};
use crate::map::MapStates;

/// In memory; asks the run to stop when so many were saved.
#[derive(Default)]
struct Kept {
    state: Mutex<Option<(NodeId, Vec<u8>)>>,
    saved: Mutex<usize>,
    stop: Option<(usize, Cancel)>,
}

impl Checkpoints for Kept {
    fn load(&self, node: NodeId) -> Option<Vec<u8>> {
        self.state.lock().unwrap().as_ref().filter(|(of, _)| *of == node).map(|(_, state)| state.clone())
    }

    fn save(&self, node: NodeId, state: &[u8]) {
        *self.state.lock().unwrap() = Some((node, state.to_vec()));
        let mut saved = self.saved.lock().unwrap();
        *saved += 1;
        if let Some((after, cancel)) = &self.stop
            && *saved == *after
        {
            cancel.cancel();
        }
    }

    fn clear(&self, _: NodeId) {
        *self.state.lock().unwrap() = None;
    }
}

/// A model of many rounds: the fit itself, as the engine carries it out.
fn fit(kept: &Kept, until: Option<Instant>) -> Result<(Vec<u8>, bool), dbjob_plan::RunError> {
    let mut columns = base();
    let likes: Vec<bool> = score(&columns).iter().map(|s| *s > 4.0).collect();
    columns.push(series("likes", likes));
    let mut spec = spec("random_forest", Task::Classification, "likes", DataType::Bool, &["auc"]);
    spec.algorithm.options.insert("trees".into(), Value::Int(40));
    let cancel = kept.stop.as_ref().map(|(_, cancel)| cancel.clone()).unwrap_or_default();
    let cx = RunContext { cancel, checkpoints: Some(kept), ..RunContext::new(Path::new(".").to_owned(), &|_| ()) };
    let checkpoint = Some((NodeId::new(5), Duration::ZERO));
    let fitting = Fitting { cx: &cx, item: "m", threads: 1, until, checkpoint, rounds: None };
    let fresh = Fresh::fit(&spec, &table(columns), &MapStates::default(), &fitting)?;
    let early = !fresh.unfinished().is_empty();
    let learned = fresh.unjudged(Vec::new())?;
    Ok((dbjob_learn::save(learned.model()), early))
}

#[test]
fn a_fit_that_was_stopped_goes_on_where_it_was() {
    let (whole, _) = fit(&Kept::default(), None).unwrap();
    for after in [1, 13, 39] {
        let stopped = Kept { stop: Some((after, Cancel::default())), ..Kept::default() };
        assert_eq!(fit(&stopped, None).unwrap_err().code, "E0718");
        let state = stopped.state.into_inner().unwrap();
        assert!(state.is_some(), "after {after}");
        let again = Kept { state: Mutex::new(state), ..Kept::default() };
        assert!(fit(&again, None).unwrap() == (whole.clone(), false), "after {after}");
        // Only what was missing was grown, and nothing is kept of what is done.
        assert!(*again.saved.lock().unwrap() <= 40 - after && again.state.lock().unwrap().is_none());
    }
}

#[test]
fn a_fit_without_time_keeps_what_it_has_for_one_that_gets_more() {
    let (whole, _) = fit(&Kept::default(), None).unwrap();
    let kept = Kept::default();
    let (short, early) = fit(&kept, Some(Instant::now())).unwrap();
    assert!(early && short != whole);
    assert!(kept.state.lock().unwrap().is_some());
    assert!(fit(&kept, None).unwrap() == (whole, false));
}
