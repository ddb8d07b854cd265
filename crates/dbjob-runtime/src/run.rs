use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use dbjob_plan::{Backend, Cancel, Checkpoints, Event, Plan, Results, RunContext, RunError, RunReport, Watch};

use crate::gate::Gate;
use crate::guard::Guard;
use crate::leftover::{remove_leftovers, remove_stale};
use crate::memory;
use crate::secrets::Secrets;
use crate::session::{Note, Session};

/// Gets every event, never two at once.
pub type Observer = Arc<dyn Fn(Event) + Send + Sync>;

/// How often the limits and `Cancel` are looked at.
const TICK: Duration = Duration::from_millis(10);

/// How often it is told how far an item is.
const OFTEN: Duration = Duration::from_millis(500);

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
    /// The folder that takes the place of all folders that the job writes to: of a run that is only to be looked at.
    pub outputs: Option<PathBuf>,
    /// Where results and the history of runs are kept; `None`: nowhere.
    pub state: Option<StateOptions>,
}

/// How a run uses its state directory.
#[derive(Debug, Clone)]
pub struct StateOptions {
    pub folder: PathBuf,
    /// Wait for another run that holds it; else that is an error.
    pub wait: bool,
    /// Use nothing that earlier runs have kept.
    pub fresh: bool,
    /// What the history says of the run.
    pub note: Note,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            base: PathBuf::from("."),
            goal: Vec::new(),
            threads: thread::available_parallelism().map_or(1, usize::from),
            cancel: Cancel::default(),
            grace: Duration::from_millis(1500),
            outputs: None,
            state: None,
        }
    }
}

/// Carries `plan` out and gives its report. The first event is `RunStarted`, the last `RunFinished`, whatever happens.
///
/// Errors: those of the backend; E0901 for what the backend cannot do, before anything runs; E0718 at the plan's
/// `run_time` or when cancelled; E0745 and E0746 when the bounds of what the backend is at are exceeded; E0750 to E0752 of the
/// state directory. A backend that has not returned `grace` after that is left to itself, so that the process can end: call
/// this again in the same process only if that is no problem. A panic of the backend is E0799.
pub fn run(
    backend: Arc<dyn Backend>,
    plan: Arc<Plan>,
    options: RunOptions,
    observer: Observer,
) -> Result<RunReport, RunError> {
    let started = Instant::now();
    let gate = Gate::new(observer, Secrets::of(&plan));
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

/// The session of a run that is under way, so that its end is written down even if the backend is left to itself.
type Going = Arc<Mutex<Option<Arc<Session>>>>;

/// Runs the backend in a thread of its own and watches the clock.
fn supervise(
    backend: Arc<dyn Backend>,
    plan: &Arc<Plan>,
    options: RunOptions,
    gate: &Gate,
    started: Instant,
) -> Result<RunReport, RunError> {
    let (base, cancel, grace) = (options.base.clone(), options.cancel.clone(), options.grace);
    remove_stale(plan, &base);
    let (send, results) = sync_channel(1);
    let watch = Watch::default();
    let going = Going::default();
    let worker = Worker {
        backend,
        plan: Arc::clone(plan),
        options,
        gate: gate.clone(),
        watch: watch.clone(),
        going: Arc::clone(&going),
    };
    thread::Builder::new()
        .name("dbjob-run".into())
        .stack_size(STACK)
        .spawn(move || {
            let result = catch_unwind(AssertUnwindSafe(|| worker.work()));
            // Nobody listens any more after the grace.
            let _ = send.send(result.unwrap_or_else(|panic| Err(crashed(&*panic))));
        })
        .map_err(|e| RunError::new("E0799", format!("cannot start a thread: {e}")))?;
    let limit = plan.run_time.map(|us| Duration::from_micros(us.max(0) as u64));
    let guard = Guard::new(plan, (&cancel, &watch), limit.map(|l| started + l), grace);
    let mut told = Instant::now();
    let tell = || {
        if told.elapsed() >= OFTEN {
            told = Instant::now();
            working(&watch, &going, gate);
        }
    };
    let result = wait(&results, guard, tell).unwrap_or_else(|reason| {
        remove_leftovers(plan, &base);
        Err(reason)
    });
    let result = result.map_err(|error| gate.secrets.error(error));
    let session = going.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(session) = session {
        session.end(&result, started.elapsed());
    }
    result
}

/// What the thread of a run has.
struct Worker {
    backend: Arc<dyn Backend>,
    plan: Arc<Plan>,
    options: RunOptions,
    gate: Gate,
    watch: Watch,
    going: Going,
}

impl Worker {
    fn work(self) -> Result<RunReport, RunError> {
        let Self { backend, plan, options, gate, watch, going } = self;
        let RunOptions { base, goal, threads, cancel, state, outputs, .. } = options;
        let session = match state {
            Some(state) => {
                let session = Arc::new(Session::begin(state, &plan, (&goal, threads.max(1)), &cancel, &gate)?);
                *going.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&session));
                session.look(&backend, &plan, (&base, &goal), &cancel, &gate)?;
                Some(session)
            }
            None => None,
        };
        let keeper = session.as_ref().and_then(|s| s.keeper());
        let observer = |event| {
            let event = gate.secrets.event(event);
            if let Some(keeper) = keeper {
                keeper.note(&event);
            }
            gate.emit(event);
        };
        let results = keeper.map(|k| k as &dyn Results);
        let checkpoints = keeper.map(|k| k as &dyn Checkpoints);
        let threads = threads.max(1);
        let mut cx = RunContext {
            cancel,
            goal,
            threads,
            watch,
            results,
            checkpoints,
            outputs,
            ..RunContext::new(base, &observer)
        };
        backend.run(&plan, &mut cx)
    }
}

/// Tells how far the item at work is.
fn working(watch: &Watch, going: &Going, gate: &Gate) {
    let Some(item) = watch.now().item else { return };
    let rows = Some(watch.rows()).filter(|rows| *rows > 0);
    let session = going.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let of = session.filter(|_| rows.is_some()).and_then(|session| session.last_rows(&item));
    gate.emit(Event::Working { item, rows, of, memory: memory::used() });
}

/// Waits for the result as long as the guard does; an error: it did not come.
fn wait(
    results: &Receiver<Result<RunReport, RunError>>,
    mut guard: Guard<'_>,
    mut tell: impl FnMut(),
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
        tell();
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
