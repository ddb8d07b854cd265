//! `dbjob lineage`: where columns come from, step by step, and what they reach.

mod graph;
mod text;

use std::path::PathBuf;

use clap::ValueEnum;
use serde::Serialize;

use super::front::{ParamArgs, Purpose, compile};
use super::graph::{dot, mermaid, svg};
use super::{Outcome, Output};
use crate::diagnostic::{Code, Problem, Severity, near_name};
use crate::lineage::{Job, Trace, Unknown, find};
use crate::source::SourceMap;

#[derive(clap::Args)]
pub struct Args {
    /// The .dbjob file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// An item, or one of its columns: `orders.amount`, `comes_back.age`, `comes_back`; without one, a line for each input
    /// of a model and each column that is deployed
    #[arg(value_name = "ITEM[.COLUMN]")]
    target: Option<String>,
    /// Where it comes from; with neither `--up` nor `--down`, both
    #[arg(long, requires = "target")]
    up: bool,
    /// What it reaches
    #[arg(long, requires = "target")]
    down: bool,
    /// A tree, JSON, or a graph for Graphviz or Mermaid, or as a picture
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    params: ParamArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Dot,
    Mermaid,
    /// A picture
    Svg,
}

/// What is known of one target.
#[derive(Debug, Serialize)]
pub struct Lineage {
    pub target: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up: Option<Trace>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub down: Option<Trace>,
}

pub fn run(args: &Args, output: &Output) -> Outcome {
    let mut sources = SourceMap::default();
    let front = compile(&args.file, &args.params, Purpose::Look, &mut sources);
    if !output.quiet() || front.problems.iter().any(|p| p.severity == Severity::Error) {
        output.problems(&front.problems, &sources);
    }
    let Some(plan) = front.plan else { return Outcome::Wrong };
    let job = Job::new(&plan, &sources);
    let names: Vec<String> = match &args.target {
        Some(name) => vec![name.clone()],
        None => job.results(),
    };
    let (up, down) = match args.target {
        Some(_) => (args.up || !args.down, args.down || !args.up),
        None => (true, false),
    };
    let mut found: Vec<Lineage> = Vec::new();
    for name in names {
        let target = match find(&plan, &name) {
            Ok(target) => target,
            Err(unknown) => {
                output.problem(problem(unknown));
                return Outcome::Wrong;
            }
        };
        found.push(Lineage { target: name, up: up.then(|| job.up(&target)), down: down.then(|| job.down(&target)) });
    }
    output.result(&match args.format {
        Format::Text if args.target.is_none() => text::overview(&found),
        Format::Text => found.iter().map(text::tree).collect(),
        Format::Json => json(&found, args.target.is_some()),
        Format::Dot => dot(&graph::of(&plan.job, &found)),
        Format::Mermaid => mermaid(&graph::of(&plan.job, &found)),
        Format::Svg => svg(&graph::of(&plan.job, &found)),
    });
    Outcome::Fine
}

/// One document: of the target, or a list.
fn json(found: &[Lineage], one: bool) -> String {
    let text = match found {
        [only] if one => serde_json::to_string_pretty(only),
        all => serde_json::to_string_pretty(all),
    };
    text.expect("lineage has only string keys") + "\n"
}

fn problem(unknown: Unknown) -> Problem {
    let (code, message, name, known) = match &unknown {
        Unknown::Item { name, known } => (Code::E0101, format!("there is no item or column `{name}`"), name, known),
        Unknown::Column { item, column, known } => {
            (Code::E0203, format!("`{item}` has no column `{column}`"), column, known)
        }
    };
    let help = match near_name(name, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let names: Vec<&str> = known.iter().map(String::as_str).filter(|n| !n.contains('.')).collect();
            format!("there are {}", names.join(", "))
        }
    };
    Problem::error(code, message).help(help)
}
