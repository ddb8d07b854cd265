//! `dbjob verify`: runs a job again as an earlier run did, and compares every result with that one's.

use std::path::PathBuf;
use std::sync::Arc;

use dbjob_plan::{Cancel, RunError};
use dbjob_runtime::state::History;
use dbjob_runtime::{Cause, RunOptions, StateOptions, Story};

use super::engine::engine;
use super::files::parent;
use super::front::{ParamArgs, Purpose, compile};
use super::runs::Whole;
use super::state::{StateArgs, file_name, history, note};
use super::{Outcome, Output};
use crate::diagnostic::{Problem, Severity};
use crate::source::SourceMap;

#[derive(clap::Args)]
pub struct Args {
    /// The number of the run, as `dbjob runs` lists it
    #[arg(value_name = "RUN")]
    run: i64,
    /// The .dbjob file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    state: StateArgs,
}

pub fn run(args: &Args, output: &Output) -> Outcome {
    let mut sources = SourceMap::default();
    match verify(args, &mut sources, output) {
        Ok((text, same)) => {
            output.result(&text);
            if same { Outcome::Fine } else { Outcome::Failed }
        }
        Err(Some(error)) => {
            output.problems(&[Problem::from(error)], &sources);
            Outcome::Failed
        }
        Err(None) => Outcome::Wrong,
    }
}

/// What was compared, and whether everything was the same. Nothing that the job writes is touched: outputs go to a folder
/// that is gone afterwards.
fn verify(args: &Args, sources: &mut SourceMap, output: &Output) -> Result<(String, bool), Option<RunError>> {
    let state = args.state.folder(&args.file);
    let past = history(&state)?;
    let whole = Whole::of(&past, args.run)?;
    if whole.run.file != file_name(&args.file) {
        let message = format!("run {} was one of {}, not of {}", args.run, whole.run.file, args.file.display());
        return Err(Some(RunError::new("E0753", message).help("`dbjob runs FILE` lists the runs of a file")));
    }
    let params = ParamArgs::again(&whole.run.params);
    let front = compile(&args.file, &params, Purpose::Run, sources);
    if front.problems.iter().any(|p| p.severity == Severity::Error) {
        output.problems(&front.problems, sources);
    }
    let Some(plan) = &front.plan else { return Err(None) };
    let folder = tempfile::tempdir().map_err(|e| RunError::new("E0751", format!("no temporary folder: {e}")))?;
    let again = folder.path().join("state");
    let options = RunOptions {
        base: parent(&args.file),
        goal: whole.run.goal.clone(),
        outputs: Some(folder.path().join("outputs")),
        cancel: Cancel::default(),
        state: Some(StateOptions {
            folder: again.clone(),
            wait: true,
            fresh: true,
            note: note(&args.file, &params, &front, plan, sources),
        }),
        ..RunOptions::default()
    };
    dbjob_runtime::run(Arc::new(engine()), Arc::new(plan.clone()), options, Arc::new(|_| {}))?;
    let new = history(&again)?;
    Ok(compared(&past, &new, &whole)?)
}

fn compared(past: &History, new: &History, whole: &Whole) -> Result<(String, bool), RunError> {
    let story = |history: &History, run: i64| Story::of_run(history, run).unwrap_or_default();
    let (before, after) = (story(past, whole.run.id), story(new, 1));
    let mut causes: Vec<Cause> = Vec::new();
    for name in after.items.keys() {
        causes.extend(after.causes(&before, name).into_iter().filter(|c| !matches!(c, Cause::Unknown { .. })));
    }
    causes.dedup();
    if let Some(cause) = causes.first() {
        let what = super::plan::lines(cause).join("; ");
        let message =
            format!("run {} cannot be verified: the job or its data are not as they were: {what}", whole.run.id);
        return Err(RunError::new("E0754", message)
            .help("put the job and its data back as they were, or verify a later run; `dbjob runs` lists them"));
    }
    let mut out = String::new();
    let (mut same, mut compared) = (true, 0);
    let items = new.items(1).map_err(|e| RunError::new("E0751", e.to_string()))?;
    for item in &items {
        let earlier = past.last_hash(&whole.run.file, &item.item, whole.run.id);
        let name = format!("{} {}", item.kind, item.item.strip_prefix("deploy.").unwrap_or(&item.item));
        match (&item.hash, earlier) {
            (Some(now), Some(was)) => {
                compared += 1;
                let equal = *now == was;
                same &= equal;
                let (now, was) = (&now[..12], &was[..12]);
                let word = if equal { "same".to_owned() } else { format!("DIFFERENT, was {was}") };
                out.push_str(&format!("  {name}  {now}  {word}\n"));
            }
            _ => out.push_str(&format!("  {name}  not compared: it streams, and nothing of it is kept\n")),
        }
    }
    let verdict = if same { "every result is the same" } else { "results differ" };
    Ok((format!("run {} again: {verdict} ({compared} compared)\n{out}", whole.run.id), same))
}
