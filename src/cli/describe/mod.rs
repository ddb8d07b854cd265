//! `dbjob describe`: what a job is made of, for people (a tree) and for tools (JSON, Graphviz, Mermaid).

mod choice;
mod column;
mod graph;
mod outline;
mod request;
mod text;

use std::path::PathBuf;

use clap::ValueEnum;

use super::front::{ParamArgs, Purpose, compile};
use super::graph::{dot, mermaid, svg};
use super::{Outcome, Output};
use crate::diagnostic::{Code, Problem, Severity};
use crate::hir::Job;
use crate::lineage;
use crate::source::SourceMap;
use outline::Outline;

#[derive(clap::Args)]
pub struct Args {
    /// The .dbjob file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A tree, JSON, or the graph of the items for Graphviz or Mermaid, or as a picture
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Show of each column the columns of other items that it comes from
    #[arg(long, conflicts_with = "request")]
    columns: bool,
    /// What callers of this model send, and why
    #[arg(long, value_name = "MODEL")]
    request: Option<String>,
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
    /// JSON Schema of one row of `--request MODEL`
    JsonSchema,
    /// OpenAPI of `--request MODEL`, or of all models
    Openapi,
}

pub fn run(args: &Args, output: &Output) -> Outcome {
    let mut sources = SourceMap::default();
    let front = compile(&args.file, &args.params, Purpose::Look, &mut sources);
    if !output.quiet() || front.problems.iter().any(|p| p.severity == Severity::Error) {
        output.problems(&front.problems, &sources);
    }
    let (Some(plan), Some(job)) = (&front.plan, &front.job) else { return Outcome::Wrong };
    let lineage = lineage::Job::new(plan, &sources);
    match described(args, job, &front.notes, &lineage) {
        Ok(text) => {
            output.result(&text);
            Outcome::Fine
        }
        Err(problem) => {
            output.problems(&[problem], &sources);
            Outcome::Wrong
        }
    }
}

fn described(args: &Args, job: &Job, notes: &[Problem], lineage: &lineage::Job<'_>) -> Result<String, Problem> {
    if args.request.is_some() || args.format == Format::Openapi {
        return request::describe(args.request.as_deref(), args.format, job, lineage);
    }
    let mut outline = Outline::new(job, lineage, notes);
    if args.columns {
        outline.add_links(lineage);
    }
    let graph = || if args.columns { graph::of_columns(&outline) } else { graph::of_items(&outline) };
    Ok(match args.format {
        Format::Text => text::render(&outline),
        Format::Json => serde_json::to_string_pretty(&outline).expect("an outline has only string keys") + "\n",
        Format::Dot => dot(&graph()),
        Format::Mermaid => mermaid(&graph()),
        Format::Svg => svg(&graph()),
        Format::JsonSchema | Format::Openapi => {
            let problem = Problem::error(Code::E0108, "a JSON Schema is that of one model's request");
            return Err(problem.help("write `--request MODEL`"));
        }
    })
}
