//! A run in its state directory: the lock, its line in the history, and what is known of its data.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dbjob_plan::{Backend, Cancel, Event, Plan, RunError, RunReport, civil_datetime};

use crate::gate::Gate;
use crate::keeper::{Keeper, Look};
use crate::run::StateOptions;
use crate::state::{self, History, Lock, RunRecord, Status};
use crate::story::{Story, Texts};

/// What the history says of a run besides its plan.
#[derive(Debug, Clone, Default)]
pub struct Note {
    /// The .dbjob file.
    pub file: String,
    /// `name=value` as given on the command line.
    pub params: Vec<String>,
    /// The version of dbjob.
    pub version: String,
    /// How the steps of the job are written.
    pub texts: Texts,
}

pub(crate) struct Session {
    options: StateOptions,
    history: Arc<History>,
    run: i64,
    keeper: OnceLock<Keeper>,
    #[expect(dead_code, reason = "held until the run has ended")]
    lock: Lock,
}

impl Session {
    /// Takes the lock and begins a run in the history.
    pub fn begin(
        options: StateOptions,
        plan: &Plan,
        (goal, threads): (&[String], usize),
        cancel: &Cancel,
        gate: &Gate,
    ) -> Result<Self, RunError> {
        state::create(&options.folder)?;
        let mut waiting = |process| gate.emit(Event::Waiting { process });
        let lock = Lock::take(&options.folder, options.wait, cancel, &mut waiting)?;
        let (history, aside) = History::open(&options.folder)?;
        if let Some(aside) = aside {
            let message =
                format!("the history of runs was damaged; it begins anew, and the old one is {}", aside.display());
            gate.emit(Event::Warning { item: String::new(), message });
        }
        let record = RunRecord {
            id: 0,
            job: plan.job.clone(),
            file: options.note.file.clone(),
            started: now(),
            seconds: None,
            status: Status::Running,
            error: None,
            version: options.note.version.clone(),
            threads: u32::try_from(threads).unwrap_or(u32::MAX),
            params: options.note.params.clone(),
            goal: goal.to_vec(),
        };
        let run = history.begin(&record, "").map_err(|e| state::unusable(&options.folder, &e.to_string()))?;
        state::sweep(&options.folder);
        Ok(Self { options, history: Arc::new(history), run, keeper: OnceLock::new(), lock })
    }

    /// Looks at the data of the run.
    pub fn look(
        &self,
        backend: &Arc<dyn Backend>,
        plan: &Arc<Plan>,
        (base, goal): (&Path, &[String]),
        cancel: &Cancel,
        gate: &Gate,
    ) -> Result<(), RunError> {
        let gate = gate.clone();
        let keeper = Keeper::look(Look {
            plan: Arc::clone(plan),
            backend: Arc::clone(backend),
            base,
            state: &self.options.folder,
            goal,
            cancel,
            history: Some(Arc::clone(&self.history)),
            run: Some(self.run),
            fresh: self.options.fresh,
            emit: Box::new(move |event| gate.emit(event)),
        })?;
        let story = Story::of(&keeper, &self.options.note);
        let text = serde_json::to_string(&story).expect("stories have only string keys");
        keeper.noted(self.history.tell(self.run, &text));
        // Nothing else sets it.
        let _ = self.keeper.set(keeper);
        Ok(())
    }

    /// How many rows an item had when it was last computed.
    pub fn last_rows(&self, item: &str) -> Option<u64> {
        self.history.last(&self.options.note.file, item).ok().flatten().and_then(|record| record.rows)
    }

    pub fn keeper(&self) -> Option<&Keeper> {
        self.keeper.get()
    }

    /// Writes down how the run ended.
    pub fn end(&self, result: &Result<RunReport, RunError>, took: Duration) {
        let (status, error) = match result {
            Ok(report) if report.gates_held() => (Status::Ok, None),
            Ok(_) => (Status::GatesFailed, None),
            Err(error) if error.code == "E0718" => (Status::Stopped, Some(error.to_string())),
            Err(error) => (Status::Failed, Some(error.to_string())),
        };
        // The run has ended: there is nobody to be told.
        let _ = self.history.end(self.run, status, took.as_secs_f64(), error.as_deref());
        if let Some(cap) = state::cap(&self.history) {
            let _ = state::clean(&self.options.folder, &self.history, &state::Clean::to_size(cap, self.run));
        }
    }
}

/// RFC 3339, UTC, to the second.
fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}Z", civil_datetime(since.as_secs() as i64 * 1_000_000))
}
