//! `dbjob plan`: what a run would do with each item, and why.

mod text;

use std::path::PathBuf;
use std::sync::Arc;

use dbjob_runtime::{Ahead, AheadOptions, look_ahead};

use super::engine::engine;
use super::files::parent;
use super::front::{ParamArgs, Purpose, compile};
use super::run::goal::GoalArgs;
use super::state::{StateArgs, note};
use super::{Outcome, Output, lock};
use crate::diagnostic::Severity;
use crate::source::SourceMap;
pub use text::{causes, lines};

#[derive(clap::Args)]
pub struct Args {
    /// The .dbjob file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    goal: GoalArgs,
    /// Of a run that uses nothing that is kept
    #[arg(long)]
    fresh: bool,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    state: StateArgs,
    #[command(flatten)]
    params: ParamArgs,
}

pub fn run(args: &Args, output: &Output) -> Outcome {
    let mut sources = SourceMap::default();
    let ahead = match ahead(&args.file, &args.params, &args.state, (&args.goal, args.fresh), &mut sources, output) {
        Ok(ahead) => ahead,
        Err(outcome) => return outcome,
    };
    if args.json {
        output.result(&(serde_json::to_string_pretty(&ahead).expect("a plan has only string keys") + "\n"));
    } else {
        output.result(&text::render(&ahead));
    }
    Outcome::Fine
}

/// Compiles a job and looks ahead; what prevents it is told.
pub fn ahead(
    file: &std::path::Path,
    params: &ParamArgs,
    state: &StateArgs,
    (goal, fresh): (&GoalArgs, bool),
    sources: &mut SourceMap,
    output: &Output,
) -> Result<Ahead, Outcome> {
    let front = compile(file, params, Purpose::Run, sources);
    if !output.quiet() || front.problems.iter().any(|p| p.severity == Severity::Error) {
        output.problems(&front.problems, sources);
    }
    let Some(plan) = &front.plan else { return Err(Outcome::Wrong) };
    let items = goal.items(plan).map_err(|problem| {
        output.problem(problem);
        Outcome::Wrong
    })?;
    let failed = |error: dbjob_plan::RunError, sources: &SourceMap| {
        output.problems(&[error.into()], sources);
        Outcome::Failed
    };
    let base = parent(file);
    lock::verify(plan, &items, &front.locked, &base).map_err(|e| failed(e, sources))?;
    let options = AheadOptions {
        base,
        state: state.folder(file),
        goal: items,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        fresh,
        note: note(file, params, &front, plan, sources),
    };
    look_ahead(Arc::new(engine()), Arc::new(plan.clone()), &options).map_err(|e| failed(e, sources))
}
