//! Generated jobs through the whole: checked, lowered, run by the local engine in this process, and what they wrote held
//! against what the checker promised.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use dbjob::catalog::ALGORITHMS;
use dbjob::hir::ItemBody;
use dbjob::lower::lower;
use dbjob_local::LocalEngine;
use dbjob_plan::{Backend, FileId, Plan, RunContext, RunError, Span};

use super::coverage::Coverage;
use super::data::DataFile;
use super::declare::type_of;
use super::job::{Front, front};
use super::name_of;
use super::pool::Pool;
use super::promise;

/// Why a sound job may stop: what only data could show. Each with the steps that may say so; none: any.
const ALLOWED: [(&str, &[&str]); 6] = [
    // A value outside of a map's domain; a file's cells keep what is declared.
    ("E0707", &["map", "unmap", "predict", "model"]),
    ("E0709", &[]),
    ("E0710", &[]),
    ("E0711", &[]),
    // One class, no train rows, values that are not finite.
    ("E0715", &["map", "fit", "model", "output", "input", "tune"]),
    // An input that is not finite in rows that the model did not learn from.
    ("E0719", &["model", "predict"]),
];

/// How a job went.
pub enum Went {
    Well(Coverage),
    /// It stopped for something that only data could show: the code.
    Stopped(String),
    /// It broke a promise: which.
    Wrong(String),
}

/// Makes a file of columns of the CSV file of its stem.
pub fn make(file: &DataFile, pool: &Pool) {
    // The plain types: nothing is narrowed.
    let mut rng = fastrand::Rng::with_seed(0);
    let columns: Vec<String> = file
        .columns
        .iter()
        .map(|c| {
            let ty = type_of(&c.values, &mut rng);
            let plain = ty.split([' ', '(']).next().unwrap_or_default().replace("category", "string");
            let null = if c.nulls { "?" } else { "" };
            format!("  {}: {plain}{null}\n", name_of(&c.header))
        })
        .collect();
    let text = format!(
        "dataset a from csv(\"{0}.csv\") {{\n{1}}}\ndeploy a {{\n  to {2}(\"{0}.{2}\")\n}}\n",
        file.stem,
        columns.concat(),
        file.extension()
    );
    match run(&text, pool, &pool.folder) {
        Went::Well(_) => {}
        Went::Stopped(why) | Went::Wrong(why) => panic!("cannot make a file of columns: {why}\n{text}"),
    }
}

/// Runs a text that checks. Outputs are removed from `base` first.
pub fn run(text: &str, pool: &Pool, base: &Path) -> Went {
    for left in ["out", "models"] {
        fs::remove_dir_all(base.join(left)).ok();
    }
    let attempt = catch_unwind(AssertUnwindSafe(|| attempt(text, pool, base)));
    attempt.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
        Went::Wrong(format!("panic: {}", text.unwrap_or_default()))
    })
}

fn attempt(text: &str, pool: &Pool, base: &Path) -> Went {
    let front = front(text, pool);
    if let Some(error) = front.errors.first() {
        return Went::Wrong(format!("it does not check: {} {}", error.code, error.message));
    }
    let job = front.checked.clone().sound().expect("there is no error");
    let plan = lower(&job);
    if let Some(cannot) = LocalEngine.unsupported(&plan).first() {
        return Went::Wrong(format!("checked, and the engine cannot: {}", cannot.what));
    }
    let mut cx = RunContext::new(base.to_owned(), &|_| ());
    match LocalEngine.run(&plan, &mut cx) {
        Ok(report) => match broken_promise(&front, &plan, &report, base) {
            Some(broken) => Went::Wrong(broken),
            None => {
                let mut coverage = Coverage::default();
                coverage.file(&front.parsed.ast);
                coverage.plan(&plan);
                Went::Well(coverage)
            }
        },
        Err(error) if is_allowed(&error, text) => {
            Went::Stopped(format!("{} {}", error.code, super::property::like(&error.message)))
        }
        Err(error) => {
            let place = error.span.map_or("", |span| line(text, span));
            Went::Wrong(format!(
                "{error}{} at `{place}`",
                error.data.as_ref().map_or(String::new(), |d| format!(" ({d:?})"))
            ))
        }
    }
}

fn is_allowed(error: &RunError, text: &str) -> bool {
    // That an input is never null the checker has proven.
    if error.message.contains(": input `") && error.message.contains("` is null") {
        return false;
    }
    let word = error.span.map_or("", |span| line(text, span).split([' ', '\n']).next().unwrap_or_default());
    // A candidate of `fit best` begins with its algorithm.
    let verb = if ALGORITHMS.iter().any(|a| a.name == word) { "fit" } else { word };
    ALLOWED.iter().any(|(code, verbs)| *code == error.code && (verbs.is_empty() || verbs.contains(&verb)))
}

/// The line on which a place begins.
fn line(text: &str, span: Span) -> &str {
    if span.file != FileId(0) {
        return "the library";
    }
    let start = text[..span.start as usize].rfind('\n').map_or(0, |at| at + 1);
    text[start..].lines().next().unwrap_or_default().trim()
}

/// The first table that is not what the checker said.
fn broken_promise(front: &Front, plan: &Plan, report: &dbjob_plan::RunReport, base: &Path) -> Option<String> {
    for item in &front.checked.job.items {
        let ItemBody::Table { table, .. } = &item.body else { continue };
        let file = base.join(format!("out/{}.ndjson", item.name));
        if !file.exists() {
            continue;
        }
        let node = plan.node(plan.item(&item.name)?.output);
        let rows = report.tables.iter().find(|t| t.item == format!("deploy.{}", item.name)).map(|t| t.rows);
        let csv = base.join(format!("out/{}.csv", item.name));
        let parquet = base.join(format!("out/{}.parquet", item.name));
        let written = promise::Written { ndjson: &file, csv: &csv, parquet: &parquet, rows };
        if let Err(broken) = promise::kept(table, &node.schema, &written) {
            return Some(format!("{}: {broken}", item.name));
        }
    }
    None
}
