//! `dbjob run`: compiles a job, runs it on this machine, shows how it goes and what came of it.

pub(super) mod goal;
mod progress;
mod summary;

pub(super) use super::units;
pub use units::seconds;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use dbjob_plan::{Cancel, Event, ModelReport, Plan, RunError, RunReport};
use dbjob_runtime::{Observer, RunOptions, StateOptions, Trace, cancel_on_interrupt, interrupted, remove_leftovers};

use super::engine::{engine, limit_threads};
use super::files::parent;
use super::front::{self, ParamArgs, Purpose, compile};
use super::state::{StateArgs, note};
use super::{Outcome, Output, lock};
use crate::diagnostic::{Problem, Severity};
use crate::source::SourceMap;
use goal::GoalArgs;
use progress::Progress;

#[derive(clap::Args)]
pub struct Args {
    /// The .dbjob file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    goal: GoalArgs,
    /// Print the events of the run as JSON lines on stdout, and nothing else there
    #[arg(long)]
    json: bool,
    /// Cores to use; if not given, those of the job's cluster, else all
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Compute everything, whatever earlier runs have kept
    #[arg(long)]
    fresh: bool,
    /// Keep no results and no history
    #[arg(long, conflicts_with_all = ["state", "fresh", "no_wait"])]
    no_state: bool,
    /// Fail at once if another run is using the state directory
    #[arg(long)]
    no_wait: bool,
    /// Send the run as a trace to this OpenTelemetry collector (OTLP over HTTP): http://localhost:4318
    #[arg(long, value_name = "URL")]
    otlp: Option<String>,
    #[command(flatten)]
    state: StateArgs,
    #[command(flatten)]
    params: ParamArgs,
}

pub fn run(args: Args, output: &Output) -> Outcome {
    let threads = args.threads.map(usize::from).or_else(|| front::threads(&args.file, &args.params));
    if let Some(threads) = threads {
        limit_threads(threads);
    }
    let mut sources = SourceMap::default();
    let front = compile(&args.file, &args.params, Purpose::Run, &mut sources);
    if !output.quiet() || front.problems.iter().any(|p| p.severity == Severity::Error) {
        output.problems(&front.problems, &sources);
    }
    let Some(plan) = &front.plan else { return Outcome::Wrong };
    let goal = match args.goal.items(plan) {
        Ok(goal) => goal,
        Err(problem) => {
            output.problem(problem);
            return Outcome::Wrong;
        }
    };
    if let Err(error) = lock::verify(plan, &goal, &front.locked, &parent(&args.file)) {
        output.problems(&[error.into()], &sources);
        return Outcome::Failed;
    }
    let mut options = RunOptions { base: parent(&args.file), goal, ..RunOptions::default() };
    if let Some(threads) = threads {
        options.threads = threads;
    }
    if !args.no_state {
        options.state = Some(StateOptions {
            folder: args.state.folder(&args.file),
            wait: !args.no_wait,
            fresh: args.fresh,
            note: note(&args.file, &args.params, &front, plan, &sources),
        });
    }
    let plan = Arc::new(plan.clone());
    if let Err(error) = listen(&options.cancel, &plan, &options.base) {
        output.problem(error.into());
        return Outcome::Failed;
    }
    let trace = match args.otlp.as_deref().map(|to| Trace::to(to, env!("CARGO_PKG_VERSION"))).transpose() {
        Ok(trace) => trace,
        Err(error) => {
            output.problem(error.into());
            return Outcome::Failed;
        }
    };
    let seen = Arc::new(Mutex::new(Vec::new()));
    let result = observed(&plan, options, args.json, output, (&seen, trace.as_ref()));
    if let Some(Err(why)) = trace.map(Trace::end) {
        output.note(&format!("warning: the trace was not sent: {why}\n"));
    }
    let events = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
    finish(result, &events, &args, output, &sources)
}

/// Runs with an observer that shows the progress, prints the events with `--json`, and keeps them for the summary.
fn observed(
    plan: &Arc<Plan>,
    options: RunOptions,
    json: bool,
    output: &Output,
    (seen, trace): (&Arc<Mutex<Vec<Event>>>, Option<&Trace>),
) -> Result<RunReport, RunError> {
    let (send, events) = std::sync::mpsc::channel::<Event>();
    std::thread::scope(|scope| {
        let shown = scope.spawn(|| {
            // Bars and events on one terminal would overwrite each other.
            let progress = Progress::new(output, json && std::io::stdout().is_terminal());
            for event in events {
                progress.show(&event);
                if let Some(trace) = trace {
                    trace.see(&event);
                }
                if json {
                    let line = serde_json::to_string(&event).expect("an event has only string keys");
                    output.result(&(line + "\n"));
                }
                let last = matches!(event, Event::RunFinished { .. });
                seen.lock().unwrap_or_else(PoisonError::into_inner).push(event);
                if last {
                    break;
                }
            }
        });
        // Sending fails when the display has ended, and then nobody is there to be told.
        let observer: Observer = Arc::new(move |event| drop(send.send(event)));
        let result = dbjob_runtime::run(Arc::new(engine()), Arc::clone(plan), options, observer);
        shown.join().expect("showing progress does not panic");
        result
    })
}

fn listen(cancel: &Cancel, plan: &Arc<Plan>, base: &Path) -> Result<(), RunError> {
    let (plan, base) = (Arc::clone(plan), base.to_owned());
    cancel_on_interrupt(cancel.clone(), move || remove_leftovers(&plan, &base))
}

fn finish(
    result: Result<RunReport, RunError>,
    events: &[Event],
    args: &Args,
    output: &Output,
    sources: &SourceMap,
) -> Outcome {
    match result {
        Ok(report) => {
            if !args.json {
                output.result(&summary::render(&report, events, output.colour_on_stdout()));
            }
            if report.gates_held() {
                return Outcome::Fine;
            }
            output.error(&summary::failed_gates(&report));
            output.problems(&held_back(&report), sources);
            Outcome::Failed
        }
        Err(error) => {
            output.problems(&[Problem::from(error)], sources);
            if interrupted() { Outcome::Interrupted } else { Outcome::Failed }
        }
    }
}

/// Versions that are kept and not live, because callers of the live one could not go on.
fn held_back(report: &RunReport) -> Vec<Problem> {
    let problem = |model: &ModelReport| {
        let version = model.version.unwrap_or_default();
        let error = dbjob_registry::breaks(&model.model, version, model.breaks.iter());
        let help = format!(
            "it is kept: `dbjob models promote {} {version} --allow-breaking` makes it live once callers know",
            model.model
        );
        Problem::from(error.help(help))
    };
    report.models.iter().filter(|model| !model.breaks.is_empty()).map(problem).collect()
}
