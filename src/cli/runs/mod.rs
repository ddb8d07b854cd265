//! `dbjob runs`: the history of a job's runs.

mod compare;
mod text;

use std::path::PathBuf;

use dbjob_plan::RunError;
use dbjob_runtime::state::{History, HistoryError, ItemRecord, Lock, RuleRecord, RunRecord, Status};
use serde::Serialize;

use super::state::{file_name, folder, history};
use super::{Outcome, Output};
use crate::source::SourceMap;
use compare::differences;

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    list: List,
}

#[derive(clap::Args)]
pub struct List {
    /// The .dbjob file; if not given, all jobs of this folder
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// So many, the latest first
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    #[command(flatten)]
    place: Place,
}

#[derive(clap::Args)]
pub struct Place {
    /// The folder that keeps the history; if not given, `.dbjob` beside the job's file or in this folder
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Subcommand)]
pub enum What {
    /// Show a run: its items, what its expectations found, how good its models were
    Show {
        /// The number of the run
        run: i64,
        /// The .dbjob file
        file: Option<PathBuf>,
        #[command(flatten)]
        place: Place,
    },
    /// Say how two runs differ: their job, their data, their results
    Compare {
        /// The number of the earlier run
        a: i64,
        /// The number of the later run
        b: i64,
        /// The .dbjob file
        file: Option<PathBuf>,
        #[command(flatten)]
        place: Place,
    },
}

/// A run with all that is known of it.
#[derive(Debug, Serialize)]
pub struct Whole {
    #[serde(flatten)]
    pub run: RunRecord,
    pub items: Vec<ItemRecord>,
    pub rules: Vec<RuleRecord>,
    pub metrics: Vec<(String, String, Option<f64>)>,
}

impl Whole {
    pub fn of(history: &History, id: i64) -> Result<Self, RunError> {
        let failed = |e: HistoryError| RunError::new("E0751", format!("the history cannot be read: {e}"));
        let run = history.run(id).map_err(failed)?.ok_or_else(|| {
            let last = history.runs(None, 1).ok().and_then(|runs| runs.first().map(|r| r.id));
            RunError::new("E0753", format!("there is no run {id}")).help(match last {
                Some(last) => format!("the latest is run {last}; `dbjob runs` lists them"),
                None => "nothing has run yet".to_owned(),
            })
        })?;
        Ok(Self {
            run,
            items: history.items(id).map_err(failed)?,
            rules: history.rules(id).map_err(failed)?,
            metrics: history.metrics(id).map_err(failed)?,
        })
    }
}

pub fn run(args: &Args, output: &Output) -> Outcome {
    let told = match &args.what {
        None => list(&args.list),
        Some(What::Show { run, file, place }) => {
            show(*run, folder(place.state.as_deref(), file.as_deref()), place.json)
        }
        Some(What::Compare { a, b, file, place }) => {
            compare(*a, *b, folder(place.state.as_deref(), file.as_deref()), place.json)
        }
    };
    match told {
        Ok(text) => {
            output.result(&text);
            Outcome::Fine
        }
        Err(error) => {
            output.problems(&[error.into()], &SourceMap::default());
            Outcome::Failed
        }
    }
}

fn list(args: &List) -> Result<String, RunError> {
    let folder = folder(args.place.state.as_deref(), args.file.as_deref());
    let history = history(&folder)?;
    let file = args.file.as_deref().map(file_name);
    let mut runs = history
        .runs(file.as_deref(), args.limit)
        .map_err(|e| RunError::new("E0751", format!("the history cannot be read: {e}")))?;
    // Only one run is going at a time, and it holds the lock: an earlier one was killed.
    let held = Lock::is_held(&folder);
    let latest = runs.iter().map(|r| r.id).max();
    for run in runs.iter_mut().filter(|r| r.status == Status::Running) {
        if !(held && Some(run.id) == latest) {
            run.status = Status::Killed;
        }
    }
    Ok(if args.place.json { json(&runs) } else { text::list(&runs) })
}

fn show(run: i64, folder: PathBuf, as_json: bool) -> Result<String, RunError> {
    let whole = Whole::of(&history(&folder)?, run)?;
    Ok(if as_json { json(&whole) } else { text::show(&whole) })
}

fn compare(a: i64, b: i64, folder: PathBuf, as_json: bool) -> Result<String, RunError> {
    let found = differences(&history(&folder)?, a, b)?;
    Ok(if as_json { json(&found) } else { text::compare(&found) })
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).expect("the history has only string keys") + "\n"
}
