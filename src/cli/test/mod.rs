//! `dbjob test`: runs the tests of jobs, rows in and rows out, and writes new ones.

mod compare;
mod create;
mod given;
mod json;
mod text;

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::ValueEnum;
use dbjob_plan::{FileId, Plan};

use super::check::count;
use super::engine::engine;
use super::files::{jobs_in, only_job, parent, read_source};
use super::front::{Front, ParamArgs, Purpose, compile};
use super::run::seconds;
use super::{Outcome, Output};
use crate::diagnostic::{Code, Problem, Severity, render_terminal};
use crate::hir::Test;
use crate::source::SourceMap;
use crate::syntax::{self, ast::ItemKind};
use compare::{TableDiff, compare};
use given::with_given;

#[derive(clap::Args)]
pub struct Args {
    /// The .dbjob files; those of the current folder that have tests if not given
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Run only tests whose name has this in it
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Write a test of this transform from the data of the job into the file: few rows, and the columns that matter
    #[arg(long, value_name = "NODE", conflicts_with = "filter")]
    create: Option<String>,
    /// For people, or one JSON document on stdout
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    params: ParamArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// A test that ran.
pub struct Ran {
    pub name: String,
    pub file: PathBuf,
    pub line: usize,
    pub seconds: f64,
    pub failures: Vec<TableDiff>,
    /// The run itself failed.
    pub error: Option<Problem>,
}

impl Ran {
    pub fn passed(&self) -> bool {
        self.failures.is_empty() && self.error.is_none()
    }
}

pub fn run(args: &Args, output: &Output) -> Outcome {
    if let Some(node) = &args.create {
        return match one_file(&args.files) {
            Ok(file) => create::create(node, &file, &args.params, args.format, output),
            Err(problem) => {
                output.problem(problem);
                Outcome::Wrong
            }
        };
    }
    let files = if args.files.is_empty() { with_tests(Path::new(".")) } else { args.files.clone() };
    if files.is_empty() {
        let problem = Problem::error(Code::E0701, "no .dbjob file of this folder has a test");
        output.problem(problem.help("write `test NAME { given NODE [ … ] expect NODE [ … ] }`, or name a file"));
        return Outcome::Wrong;
    }
    let mut ran: Vec<Ran> = Vec::new();
    let mut left_out = 0;
    let mut wrong = false;
    for path in &files {
        let mut sources = SourceMap::default();
        let front = compile(path, &args.params, Purpose::Run, &mut sources);
        let failed = front.problems.iter().any(|p| p.severity == Severity::Error);
        if failed || !output.quiet() {
            output.problems(&front.problems, &sources);
        }
        wrong |= failed;
        let Front { job: Some(job), plan: Some(plan), .. } = front else { continue };
        for test in &job.tests {
            if args.filter.as_ref().is_some_and(|text| !test.name.contains(text.as_str())) {
                left_out += 1;
                continue;
            }
            let one = run_one(test, &plan, path, &sources);
            if args.format == Format::Text {
                output.result(&told(&one, &sources, output));
            }
            ran.push(one);
        }
    }
    if args.format == Format::Json {
        output.result(&json::render(&ran));
    } else if !wrong || !ran.is_empty() {
        output.note(&closing(&ran, left_out));
    }
    match &args.filter {
        Some(filter) if ran.is_empty() && left_out > 0 => {
            let message = format!("no test has `{filter}` in its name");
            output.problem(Problem::error(Code::E0101, message));
            Outcome::Wrong
        }
        _ if wrong => Outcome::Wrong,
        _ if ran.iter().all(Ran::passed) => Outcome::Fine,
        _ => Outcome::Failed,
    }
}

/// The one file that a test is to be written into.
fn one_file(files: &[PathBuf]) -> Result<PathBuf, Problem> {
    match files {
        [file] => Ok(file.clone()),
        [] => only_job(),
        _ => Err(Problem::error(Code::E0701, "a test is written into one file, and several are named")),
    }
}

/// The files of a folder in which a test is written.
fn with_tests(folder: &Path) -> Vec<PathBuf> {
    let has_test = |path: &PathBuf| {
        read_source(path).is_ok_and(|file| {
            let items = syntax::parse(FileId::default(), &file.text).ast.items;
            items.iter().any(|item| matches!(item.kind, ItemKind::Test { .. }))
        })
    };
    jobs_in(folder).into_iter().map(PathBuf::from).filter(has_test).collect()
}

fn run_one(test: &Test, plan: &Plan, path: &Path, sources: &SourceMap) -> Ran {
    let started = Instant::now();
    let given = with_given(plan, &test.given);
    let mut failures = Vec::new();
    let mut error = None;
    for expected in &test.expect {
        match dbjob_runtime::rows(&engine(), &given, &parent(path), &expected.node) {
            Ok(got) => failures.extend(compare(expected, &got)),
            Err(failure) => {
                error = Some(Problem::from(failure));
                break;
            }
        }
    }
    let (line, _) = sources.get(test.span.file).position(test.span.start);
    let seconds = started.elapsed().as_secs_f64();
    Ran { name: test.name.clone(), file: path.to_owned(), line, seconds, failures, error }
}

/// A line for a test that passed; for another what differs.
fn told(ran: &Ran, sources: &SourceMap, output: &Output) -> String {
    let colour = output.colour_on_stdout();
    if ran.passed() {
        return format!("{} {}  {}\n", text::painted("ok    ", true, colour), ran.name, seconds(ran.seconds));
    }
    let place = format!("{}:{}", ran.file.display(), ran.line);
    let mut out = format!("{} {}  {place}\n", text::painted("FAILED", false, colour), ran.name);
    for diff in &ran.failures {
        out.push_str(&text::table(diff, colour));
    }
    if let Some(problem) = &ran.error {
        out.push_str(&render_terminal(std::slice::from_ref(problem), sources, colour, output.width()));
    }
    out
}

fn closing(ran: &[Ran], left_out: usize) -> String {
    let failed = ran.iter().filter(|r| !r.passed()).count();
    let left_out = if left_out > 0 { format!(", {left_out} left out") } else { String::new() };
    let took = seconds(ran.iter().fold(0.0, |sum, r| sum + r.seconds));
    format!("{}: {} passed, {failed} failed{left_out} ({took})\n", count(ran.len(), "test"), ran.len() - failed)
}
