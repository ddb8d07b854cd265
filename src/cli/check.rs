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
    /// Let warnings fail the check, with exit code 2
    #[arg(long, value_enum, value_name = "WHAT")]
    deny: Option<Deny>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Deny {
    Warnings,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

pub fn run(args: &Args, output: &Output) -> Outcome {
    let mut sources = SourceMap::default();
    let (mut problems, mut notes, mut items) = (Vec::new(), Vec::new(), 0);
    for path in &args.files {
        let front = compile(path, &mut sources);
        items += front.items;
        problems.extend(front.problems);
        notes.extend(front.notes);
    }
    let denied = |p: &Problem| p.severity == Severity::Error || args.deny == Some(Deny::Warnings);
    let failed = problems.iter().any(denied);
    match args.format {
        Format::Json => {
            problems.extend(notes);
            output.result(&render_json(&problems, &sources));
        }
        Format::Text => {
            output.problems(&problems, &sources);
            let closing = format!("{}{}\n", closing(&problems, items), unchecked(&notes, &sources));
            if failed {
                output.note(&format!("\n{closing}"));
            } else if !output.quiet() {
                output.result(&closing);
            }
        }
    }
    if failed { Outcome::Wrong } else { Outcome::Fine }
}

/// `ok: 5 items, no problems` · `2 errors, 1 warning; …`
fn closing(problems: &[Problem], items: usize) -> String {
    let errors = problems.iter().filter(|p| p.severity == Severity::Error).count();
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

/// `; 1 thing is unchecked:` and a line for each.
fn unchecked(notes: &[Problem], sources: &SourceMap) -> String {
    let mut text = match notes.len() {
        0 => return String::new(),
        1 => "; 1 thing is unchecked:".to_owned(),
        n => format!("; {n} things are unchecked:"),
    };
    for note in notes {
        let place = note.span.map(|span| sources.place(span) + ": ").unwrap_or_default();
        text.push_str(&format!("\n  {place}{} {}", note.code, note.message));
    }
    text
}

/// `1 item`, `2 items`
pub fn count(n: usize, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}
