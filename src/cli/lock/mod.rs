//! `dbjob lock`: writes down what the data of jobs are like, and whether they still are.

mod survey;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dbjob_plan::{Backend, ItemKind, NodeId, Plan, RunError};

use super::check::count;
use super::engine::engine;
use super::files::{create_file, parent, replace_file, shown};
use super::front::{ParamArgs, Purpose, compile};
use super::world::read_lock;
use super::{Outcome, Output};
use crate::diagnostic::{Code, Problem, Severity};
use crate::hir::Item;
use crate::lock::{Datasets, Difference, FILE, Lock, differences};
use crate::source::SourceMap;
use survey::{Dataset, survey, taken_by};

#[derive(clap::Args)]
pub struct Args {
    /// The .dbjob files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write nothing; say how the data differ from what is written, and exit with 1 if they do
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    params: ParamArgs,
}

pub fn run(args: &Args, output: &Output) -> Outcome {
    let mut locks: BTreeMap<PathBuf, Lock> = BTreeMap::new();
    let (mut outcome, mut locked) = (Outcome::Fine, 0);
    for path in &args.files {
        match one(path, args, &mut locks, output) {
            Ok((datasets, differ)) => {
                locked += datasets;
                outcome = if differ { Outcome::Failed } else { outcome };
            }
            Err(failed) => return failed,
        }
    }
    if args.check {
        if outcome == Outcome::Fine {
            output.note(&format!("{} as locked\n", count(locked, "dataset")));
        }
        return outcome;
    }
    for (folder, lock) in &locks {
        let path = folder.join(FILE);
        if let Err(error) = write(&path, lock) {
            output.problem(Problem::error(Code::E0713, format!("cannot write `{}`: {error}", shown(&path))));
            return Outcome::Failed;
        }
        output.note(&format!("locked {} in {}\n", count(locked, "dataset"), shown(&path)));
    }
    outcome
}

/// Looks at the data of a job; the number of its datasets, and whether they are not as they were locked.
fn one(
    path: &Path,
    args: &Args,
    locks: &mut BTreeMap<PathBuf, Lock>,
    output: &Output,
) -> Result<(usize, bool), Outcome> {
    let fail = |error: RunError, sources: &SourceMap| {
        output.problems(&[error.into()], sources);
        Outcome::Failed
    };
    let mut sources = SourceMap::default();
    let front = compile(path, &args.params, Purpose::Lock, &mut sources);
    let errors: Vec<Problem> = front.problems.into_iter().filter(|p| p.severity == Severity::Error).collect();
    let Some(datasets) = front.datasets else {
        output.problems(&errors, &sources);
        return Err(Outcome::Wrong);
    };
    if !errors.is_empty() {
        let (file, errors) = (shown(path), count(errors.len(), "error"));
        output.note(&format!("{file} has {errors} that its data have no part in: `dbjob check {file}` tells\n"));
    }
    let folder = parent(path);
    if !locks.contains_key(&folder) {
        let lock = read_lock(&folder).map_err(|e| fail(e, &sources))?;
        locks.insert(folder.clone(), lock);
    }
    let found = look(&datasets, &folder).map_err(|e| fail(e, &sources))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let lock = locks.get_mut(&folder).expect("read above");
    let number = found.len();
    if args.check {
        let differ = tell(&shown(path), lock.jobs.get(&name), &found, output);
        return Ok((number, differ));
    }
    if found.is_empty() {
        lock.jobs.remove(&name)
    } else {
        lock.jobs.insert(name, found)
    };
    Ok((number, false))
}

fn look(datasets: &[Arc<Item>], folder: &Path) -> Result<Datasets, RunError> {
    let engine = engine();
    let mut found = Datasets::new();
    for item in datasets {
        let Some((dataset, table)) = Dataset::of(item) else { continue };
        found.insert(item.name.clone(), survey(&dataset, &|name| taken_by(table, name), &engine, folder)?);
    }
    Ok(found)
}

/// Prints in what the data are not as they were locked, and says whether they are not.
fn tell(job: &str, locked: Option<&Datasets>, found: &Datasets, output: &Output) -> bool {
    let empty = Datasets::new();
    let locked = locked.unwrap_or(&empty);
    let mut text = String::new();
    for (name, new) in found {
        let lines = match locked.get(name) {
            None => vec!["it is not locked".to_owned()],
            Some(old) => {
                let lines: Vec<String> = differences(old, new, &[]).iter().map(Difference::to_string).collect();
                // What the job declares of it has changed.
                if lines.is_empty() && old != new { vec!["what the job takes from it".to_owned()] } else { lines }
            }
        };
        if !lines.is_empty() {
            writeln!(text, "{job}: dataset {name}\n  {}", lines.join("\n  ")).expect("a string takes everything");
        }
    }
    for name in locked.keys().filter(|name| !found.contains_key(*name)) {
        writeln!(text, "{job}: dataset {name}\n  it is locked, and not read any more")
            .expect("a string takes everything");
    }
    output.result(&text);
    !text.is_empty()
}

fn write(path: &Path, lock: &Lock) -> io::Result<()> {
    let text = lock.to_string();
    // Nothing is touched that is as it should be.
    if std::fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    if path.exists() { replace_file(path, &text) } else { create_file(path, &text) }
}

/// Stops a run whose data are not those that were locked. `goal`: the items that run; empty: all.
///
/// Errors: E0722 with what differs; those of reading the data.
pub fn verify(plan: &Plan, goal: &[String], locked: &Datasets, base: &Path) -> Result<(), RunError> {
    let engine = engine();
    let needed = needed(plan, goal);
    for dataset in survey::datasets(plan, &needed) {
        let Some(old) = locked.values().find(|l| l.is_of(dataset.source)) else { continue };
        let taken = |name: &str| {
            let header = dataset.source.columns.iter().find(|c| c.name == name).map(|c| c.header.as_str());
            old.columns.iter().any(|c| c.taken && Some(c.name.as_str()) == header)
        };
        verify_one(&dataset, &taken, old, &engine, base)?;
    }
    Ok(())
}

/// The nodes that a run of these items computes.
fn needed(plan: &Plan, goal: &[String]) -> BTreeSet<NodeId> {
    let wanted = |item: &dbjob_plan::PlanItem| match goal {
        // Datasets that nothing reads stay unread.
        [] => item.kind != ItemKind::Dataset,
        some => some.contains(&item.name),
    };
    let names: BTreeSet<&str> = plan.items.iter().filter(|i| wanted(i)).map(|i| i.name.as_str()).collect();
    let mut open: Vec<NodeId> =
        plan.graph.node_indices().filter(|id| names.contains(plan.node(*id).item.as_str())).collect();
    let mut needed = BTreeSet::new();
    while let Some(id) = open.pop() {
        if needed.insert(id) {
            open.extend(plan.inputs(id));
        }
    }
    needed
}

fn verify_one(
    dataset: &Dataset<'_>,
    taken: &dyn Fn(&str) -> bool,
    old: &crate::lock::Locked,
    engine: &dyn Backend,
    base: &Path,
) -> Result<(), RunError> {
    let new = survey(dataset, taken, engine, base)?;
    let reads: Vec<String> = dataset.source.columns.iter().map(|c| c.header.clone()).collect();
    let differences = differences(old, &new, &reads);
    if !differences.iter().any(|d| d.stops) {
        return Ok(());
    }
    let lines: Vec<String> = differences.iter().map(Difference::to_string).collect();
    let message = format!("the data of `{}` are not as {FILE} has them:\n{}", dataset.name, lines.join("\n"));
    let help = "if they are as they should be, write `dbjob lock FILE` and look at what it changes";
    Err(RunError::new("E0722", message).help(help).or_span(dataset.span))
}
