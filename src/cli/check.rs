use std::path::PathBuf;

use clap::ValueEnum;

use super::front::compile;
use super::{Outcome, Output};
use crate::diagnostic::{Problem, Severity, render_json};
use crate::source::SourceMap;

#[derive(clap::Args)]
pub struct Args {
    /// The .dbjob files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Pictures on stderr, or one JSON document on stdout
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

pub fn run(args: &Args, output: &Output) -> Outcome {
    let mut sources = SourceMap::default();
    let mut problems = Vec::new();
    let mut items = 0;
    for path in &args.files {
        let front = compile(path, &mut sources);
        items += front.items;
        problems.extend(front.problems);
    }
    let errors = problems.iter().filter(|p| p.severity == Severity::Error).count();
    match args.format {
        Format::Json => output.result(&render_json(&problems, &sources)),
        Format::Text => {
            output.problems(&problems, &sources);
            let closing = closing(&problems, errors, items);
            if errors > 0 {
                output.note(&format!("\n{closing}\n"));
            } else if !output.quiet() {
                output.result(&format!("{closing}\n"));
            }
        }
    }
    if errors > 0 { Outcome::Wrong } else { Outcome::Fine }
}

/// `ok: 5 items, no problems` · `2 errors, 1 warning; …`
fn closing(problems: &[Problem], errors: usize, items: usize) -> String {
    let warnings = problems.len() - errors;
    let found = match (errors, warnings) {
        (0, 0) => return format!("ok: {}, no problems", count(items, "item")),
        (0, warnings) => return format!("ok: {}, {}", count(items, "item"), count(warnings, "warning")),
        (errors, 0) => count(errors, "error"),
        (errors, warnings) => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
    };
    let first = problems.iter().find(|p| p.severity == Severity::Error).expect("there is at least one error");
    format!("{found}; `dbjob explain {}` says more", first.code)
}

/// `1 item`, `2 items`
pub fn count(n: usize, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}
