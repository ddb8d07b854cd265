use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use dbjob_plan::{Backend, Cancel, Event, Plan, RunContext, RunError, RunReport, Watch};

use crate::gate::Gate;
use crate::guard::Guard;
use crate::leftover::{remove_leftovers, remove_stale};

/// Gets every event, never two at once.
pub type Observer = Arc<dyn Fn(Event) + Send + Sync>;

/// How often the limits and `Cancel` are looked at.
const TICK: Duration = Duration::from_millis(10);

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
            grace: Duration::from_millis(1500),
        }
    }
}

/// Carries `plan` out and gives its report. The first event is `RunStarted`, the last `RunFinished`, whatever happens.
///
/// Errors: those of the backend; E0901 for what the backend cannot do, before anything runs; E0718 at the plan's
/// `run_time` or when cancelled; E0745 and E0746 when the bounds of what the backend is at are exceeded. A backend that has not returned `grace` after that is left to itself, so that the process
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
    let watch = Watch::default();
    let (their_gate, their_cancel, their_watch) = (gate.clone(), cancel.clone(), watch.clone());
    thread::Builder::new()
        .name("dbjob-run".into())
        .stack_size(STACK)
        .spawn(move || {
            let observer = |event| their_gate.emit(event);
            let mut cx = RunContext {
                cancel: their_cancel,
                goal,
                threads: threads.max(1),
                watch: their_watch,
                ..RunContext::new(their_base, &observer)
            };
            let result = catch_unwind(AssertUnwindSafe(|| backend.run(&their_plan, &mut cx)));
            // Nobody listens any more after the grace.
            let _ = send.send(result.unwrap_or_else(|panic| Err(crashed(&*panic))));
        })
        .map_err(|e| RunError::new("E0799", format!("cannot start a thread: {e}")))?;
    let limit = plan.run_time.map(|us| Duration::from_micros(us.max(0) as u64));
    let guard = Guard::new(plan, (&cancel, &watch), limit.map(|l| started + l), grace);
    wait(&results, guard).unwrap_or_else(|reason| {
        remove_leftovers(plan, &base);
        Err(reason)
    })
}

/// Waits for the result as long as the guard does; an error: it did not come.
fn wait(
    results: &Receiver<Result<RunReport, RunError>>,
    mut guard: Guard<'_>,
) -> Result<Result<RunReport, RunError>, RunError> {
    loop {
        let tick = guard.to_deadline().map_or(TICK, |left| TICK.min(left.max(Duration::from_millis(1))));
        match results.recv_timeout(tick) {
            // Its own word on being stopped knows less than we do.
            Ok(Err(error)) if error.code == "E0718" => {
                let ours = guard.reason();
                return Ok(Err(RunError { span: ours.span.or(error.span), help: ours.help.or(error.help), ..ours }));
            }
            Ok(result) => return Ok(result),
            Err(RecvTimeoutError::Disconnected) => {
                return Ok(Err(RunError::new("E0799", "the engine ended without a result")));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        if !guard.look() {
            return Err(guard.reason());
        }
    }
}

pub(crate) fn crashed(panic: &(dyn Any + Send)) -> RunError {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    RunError::new("E0799", format!("the engine failed: {}", text.unwrap_or("no message")))
        .help("this is a bug in dbjob, not in the job; please report it with the job's file")
}
