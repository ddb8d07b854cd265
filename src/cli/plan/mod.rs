//! `dbjob plan`: what a run would do with each item, and why.

mod text;

use std::path::PathBuf;
use std::sync::Arc;

use dbjob_runtime::{Ahead, AheadOptions, look_ahead};

use super::engine::engine;
use super::files::parent;
use super::front::{ParamArgs, Purpose, compile};
use super::run::goal;
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
    /// Of a run of this module
    #[arg(long, value_name = "NAME", conflicts_with = "only")]
    module: Option<String>,
    /// Of a run of these items
    #[arg(long, value_name = "ITEM", num_args = 1..)]
    only: Vec<String>,
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
    let goal = Goal { module: args.module.as_deref(), only: &args.only, fresh: args.fresh };
    let mut sources = SourceMap::default();
    let ahead = match ahead(&args.file, &args.params, &args.state, &goal, &mut sources, output) {
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

/// What of a job is looked at.
pub struct Goal<'a> {
    pub module: Option<&'a str>,
    pub only: &'a [String],
    pub fresh: bool,
}

/// Compiles a job and looks ahead; what prevents it is told.
pub fn ahead(
    file: &std::path::Path,
    params: &ParamArgs,
    state: &StateArgs,
    goal: &Goal<'_>,
    sources: &mut SourceMap,
    output: &Output,
) -> Result<Ahead, Outcome> {
    let front = compile(file, params, Purpose::Run, sources);
    if !output.quiet() || front.problems.iter().any(|p| p.severity == Severity::Error) {
        output.problems(&front.problems, sources);
    }
    let Some(plan) = &front.plan else { return Err(Outcome::Wrong) };
    let items = goal::items(plan, goal.module, goal.only).map_err(|problem| {
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
        fresh: goal.fresh,
        note: note(file, params, &front, plan, sources),
    };
    look_ahead(Arc::new(engine()), Arc::new(plan.clone()), &options).map_err(|e| failed(e, sources))
}
