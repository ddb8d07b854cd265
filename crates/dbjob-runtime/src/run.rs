use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use dbjob_plan::{Backend, Cancel, Event, Plan, RunContext, RunError, RunReport, Value};

use crate::gate::Gate;
use crate::leftover::{remove_leftovers, remove_stale};

/// Gets every event, never two at once.
pub type Observer = Arc<dyn Fn(Event) + Send + Sync>;

/// How often the limit and `Cancel` are looked at.
const TICK: Duration = Duration::from_millis(20);

/// Like that of a main thread: a query engine recurses over its plan.
pub(crate) const STACK: usize = 16 << 20;

/// What a run gets besides its plan; the time limit is the plan's own.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The folder that relative paths of the job start from.
    pub base: PathBuf,
    /// Items to compute; empty: all.
    pub goal: Vec<String>,
    /// Cores to use, at least 1.
    pub threads: usize,
    /// Stops the run from outside.
    pub cancel: Cancel,
    /// How long a backend may take to stop once it was asked to.
    pub grace: Duration,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            base: PathBuf::from("."),
            goal: Vec::new(),
            threads: thread::available_parallelism().map_or(1, usize::from),
            cancel: Cancel::default(),
            grace: Duration::from_secs(5),
        }
    }
}

/// Carries `plan` out and gives its report. The first event is `RunStarted`, the last `RunFinished`, whatever happens.
///
/// Errors: those of the backend; E0901 for what the backend cannot do, before anything runs; E0718 at the plan's
/// `run_time` or when cancelled. A backend that has not returned `grace` after that is left to itself, so that the process
/// can end: call this again in the same process only if that is no problem. A panic of the backend is E0799.
pub fn run(
    backend: Arc<dyn Backend>,
    plan: Arc<Plan>,
    options: RunOptions,
    observer: Observer,
) -> Result<RunReport, RunError> {
    let started = Instant::now();
    let gate = Gate::new(observer);
    let items = if options.goal.is_empty() { plan.items.len() } else { options.goal.len() };
    gate.emit(Event::RunStarted { job: plan.job.clone(), items, threads: options.threads.max(1) });
    let result = supported(&*backend, &plan).and_then(|()| supervise(backend, &plan, options, &gate, started));
    let ok = result.as_ref().is_ok_and(RunReport::gates_held);
    gate.close(Event::RunFinished { ok, seconds: started.elapsed().as_secs_f64() });
    result
}

pub(crate) fn supported(backend: &dyn Backend, plan: &Plan) -> Result<(), RunError> {
    match backend.unsupported(plan).first() {
        None => Ok(()),
        Some(first) => Err(RunError::new("E0901", format!("not supported yet: {}", first.what)).or_span(first.span)),
    }
}

/// Runs the backend in a thread of its own and watches the clock.
fn supervise(
    backend: Arc<dyn Backend>,
    plan: &Arc<Plan>,
    options: RunOptions,
    gate: &Gate,
    started: Instant,
) -> Result<RunReport, RunError> {
    let RunOptions { base, goal, threads, cancel, grace } = options;
    remove_stale(plan, &base);
    let (send, results) = sync_channel(1);
    let (their_plan, their_base) = (Arc::clone(plan), base.clone());
    let (their_gate, their_cancel) = (gate.clone(), cancel.clone());
    thread::Builder::new()
        .name("dbjob-run".into())
        .stack_size(STACK)
        .spawn(move || {
            let observer = |event| their_gate.emit(event);
            let mut cx = RunContext {
                base: their_base,
                observer: &observer,
                cancel: their_cancel,
                goal,
                threads: threads.max(1),
            };
            let result = catch_unwind(AssertUnwindSafe(|| backend.run(&their_plan, &mut cx)));
            // Nobody listens any more after the grace.
            let _ = send.send(result.unwrap_or_else(|panic| Err(crashed(&*panic))));
        })
        .map_err(|e| RunError::new("E0799", format!("cannot start a thread: {e}")))?;
    let limit = plan.run_time.map(|us| Duration::from_micros(us.max(0) as u64));
    let stopped = || match limit {
        Some(limit) if started.elapsed() >= limit => {
            let limit = Value::Duration(plan.run_time.unwrap_or_default());
            RunError::new("E0718", format!("the run reached its limit: run_time = {limit}"))
                .help("raise `run_time` in the job's settings, or give the run less to do")
        }
        _ => RunError::new("E0718", "the run was stopped before its end"),
    };
    wait(&results, &cancel, limit.map(|l| started + l), grace, stopped).unwrap_or_else(|| {
        remove_leftovers(plan, &base);
        Err(stopped())
    })
}

/// Waits for the result, for the deadline, or for a cancellation; after the latter two for the grace at most: `None` when
/// that is over.
fn wait(
    results: &Receiver<Result<RunReport, RunError>>,
    cancel: &Cancel,
    deadline: Option<Instant>,
    grace: Duration,
    stopped: impl Fn() -> RunError,
) -> Option<Result<RunReport, RunError>> {
    let mut give_up: Option<Instant> = None;
    loop {
        let to_deadline =
            deadline.map_or(TICK, |d| d.saturating_duration_since(Instant::now()).max(Duration::from_millis(1)));
        match results.recv_timeout(TICK.min(to_deadline)) {
            // Its own word on being stopped knows less than we do.
            Ok(Err(error)) if error.code == "E0718" => {
                let ours = stopped();
                return Some(Err(RunError { span: error.span, help: ours.help.or(error.help), ..ours }));
            }
            Ok(result) => return Some(result),
            Err(RecvTimeoutError::Disconnected) => {
                return Some(Err(RunError::new("E0799", "the engine ended without a result")));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        let now = Instant::now();
        if deadline.is_some_and(|d| now >= d) {
            cancel.cancel();
        }
        if cancel.is_cancelled() && now >= *give_up.get_or_insert(now + grace) {
            return None;
        }
    }
}

pub(crate) fn crashed(panic: &(dyn Any + Send)) -> RunError {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    RunError::new("E0799", format!("the engine failed: {}", text.unwrap_or("no message")))
        .help("this is a bug in dbjob, not in the job; please report it with the job's file")
}
