//! `dbjob synth`: made-up rows of a dataset, in the format of its files.

mod csv;
mod json;

#[cfg(feature = "local")]
pub use json::value;

use std::path::{Path, PathBuf};

use dbjob_plan::{Format, ItemKind};

use super::files::{only_job, put_file};
use super::front::{Front, ParamArgs, Purpose, compile};
use super::{Outcome, Output};
use crate::diagnostic::{Code, Problem, Severity, near_name};
use crate::hir::{ItemBody, Job};
use crate::source::SourceMap;
use crate::synth::{Synthetic, rows};

#[derive(clap::Args)]
pub struct Args {
    /// The dataset, and the .dbjob file that declares it, in any order; the only .dbjob file of the folder if not given
    #[arg(value_name = "DATASET [FILE]", num_args = 1..=2, required = true)]
    names: Vec<String>,
    /// How many rows
    #[arg(long, value_name = "N", default_value_t = 100)]
    rows: usize,
    /// Equal seeds give equal rows
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Where they go; stdout if not given
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    params: ParamArgs,
}

pub fn run(args: &Args, output: &Output) -> Outcome {
    let (dataset, file) = match named(&args.names) {
        Ok(named) => named,
        Err(problem) => {
            output.problem(problem);
            return Outcome::Wrong;
        }
    };
    let mut sources = SourceMap::default();
    let front = compile(&file, &args.params, Purpose::Look, &mut sources);
    if !output.quiet() || front.problems.iter().any(|p| p.severity == Severity::Error) {
        output.problems(&front.problems, &sources);
    }
    let Front { job: Some(job), .. } = front else { return Outcome::Wrong };
    let made = match rows(&job, &dataset, args.rows, args.seed) {
        Ok(made) => made,
        Err(why) => {
            let problem = why.map_or_else(
                || unknown(&job, &dataset),
                |why| Problem::error(Code::E0105, why).help("ask for fewer rows: `--rows N`"),
            );
            output.problem(problem);
            return Outcome::Wrong;
        }
    };
    match write(&made, &dataset, args.output.as_deref(), output) {
        Ok(()) => Outcome::Fine,
        Err(problem) => {
            output.problem(*problem);
            Outcome::Failed
        }
    }
}

/// The dataset and the file.
fn named(names: &[String]) -> Result<(String, PathBuf), Problem> {
    let is_file = |name: &&String| name.ends_with(".dbjob");
    match (names.iter().find(is_file), names.iter().find(|name| !is_file(name))) {
        (Some(file), Some(dataset)) => Ok((dataset.clone(), file.into())),
        (Some(_), None) => Err(Problem::error(Code::E0108, "which dataset?").help("write `dbjob synth DATASET FILE`")),
        (None, Some(dataset)) if names.len() == 1 => Ok((dataset.clone(), only_job()?)),
        _ => {
            let problem = Problem::error(Code::E0701, "neither name is that of a .dbjob file");
            Err(problem.help("write `dbjob synth DATASET FILE`"))
        }
    }
}

fn unknown(job: &Job, dataset: &str) -> Problem {
    let known: Vec<&str> = job
        .items
        .iter()
        .filter(|i| matches!(i.body, ItemBody::Table { kind: ItemKind::Dataset, .. }))
        .map(|i| i.name.as_str())
        .collect();
    let problem = Problem::error(Code::E0101, format!("there is no dataset `{dataset}` in this job"));
    match near_name(dataset, known.iter().copied()) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None if known.is_empty() => problem,
        None => problem.help(format!("there is {}", known.join(", "))),
    }
}

fn write(made: &Synthetic, dataset: &str, path: Option<&Path>, output: &Output) -> Result<(), Box<Problem>> {
    let bytes = match &made.source.format {
        Format::Csv(options) => csv::render(made, options)?,
        Format::Ndjson => json::lines(made),
        Format::Json => json::array(made),
        Format::Parquet | Format::Arrow => return columnar(made, path),
        other => {
            let message = format!("`{dataset}` comes from {}, which is no file", other.word());
            return Err(Box::new(Problem::error(Code::E0107, message)));
        }
    };
    match path {
        None => {
            output.result(&String::from_utf8_lossy(&bytes));
            Ok(())
        }
        Some(path) => put_file(path, &bytes).map_err(|error| {
            Box::new(Problem::error(Code::E0713, format!("cannot write `{}`: {error}", path.display())))
        }),
    }
}

/// Parquet and Arrow are written by the engine: a job of one table that goes to one file.
#[cfg(feature = "local")]
fn columnar(made: &Synthetic, path: Option<&Path>) -> Result<(), Box<Problem>> {
    use dbjob_plan::{Node, Op, Plan, PlanItem, Schema, Source, Span, Target};
    use std::sync::Arc;

    let word = made.source.format.word();
    let Some(path) = path else {
        let message = format!("{word} is nothing to be read on a terminal");
        return Err(Box::new(Problem::error(Code::E0108, message).help(format!("say where: `-o rows.{word}`"))));
    };
    let base = std::env::current_dir().map_err(|e| Box::new(Problem::error(Code::E0713, e.to_string())))?;
    let place = base.join(path).display().to_string();
    let header =
        |name: &str| made.source.columns.iter().find(|c| c.name == name).map_or(name, |c| &c.header).to_owned();
    let fields = made.schema.fields.iter().cloned().map(|mut field| {
        field.name = header(&field.name);
        field
    });
    let schema = Schema::new(fields.collect());
    let columns = made.source.columns.iter().map(|c| dbjob_plan::SourceColumn { name: c.header.clone(), ..c.clone() });
    let read = Op::Read(Source {
        format: Format::Inline { rows: made.rows.clone() },
        path: String::new(),
        outside: None,
        columns: columns.collect(),
        key: Vec::new(),
    });
    let target = match made.source.format {
        Format::Parquet => Target::Parquet { path: place },
        _ => Target::Arrow { path: place },
    };
    let mut plan = Plan::default();
    let node = |op| Node { item: "rows".into(), op, schema: schema.clone(), span: Span::default() };
    let rows = plan.add(node(read), &[]);
    let written = plan.add(node(Op::Deploy(target)), &[rows]);
    plan.items.push(PlanItem { name: "rows".into(), kind: ItemKind::Deploy, output: written, module: None, doc: None });
    let engine = Arc::new(super::engine::engine());
    let options = dbjob_runtime::RunOptions { base, ..dbjob_runtime::RunOptions::default() };
    dbjob_runtime::run(engine, Arc::new(plan), options, Arc::new(|_| {})).map(drop).map_err(|e| Box::new(e.into()))
}

#[cfg(not(feature = "local"))]
fn columnar(made: &Synthetic, _: Option<&Path>) -> Result<(), Box<Problem>> {
    let message = format!("not supported yet: {} without an engine", made.source.format.word());
    Err(Box::new(Problem::error(Code::E0901, message)))
}
