mod fix;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use similar::TextDiff;

use super::files::{read_source, replace_file};
use super::front::{ParamArgs, Purpose, compile};
use super::{Outcome, Output};
use crate::diagnostic::{Code, Problem, Severity, render_github, render_json, render_sarif};
use crate::source::SourceMap;

#[derive(clap::Args)]
pub struct Args {
    /// The .dbjob files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Pictures on stderr; or on stdout a JSON document, a SARIF log, or annotations for GitHub Actions
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Let warnings fail the check, with exit code 2
    #[arg(long, value_enum, value_name = "WHAT")]
    deny: Option<Deny>,
    /// Make the fixes that are certain, in place, and report what is left
    #[arg(long)]
    fix: bool,
    /// Write nothing; print what `--fix` would change as a unified diff
    #[arg(long, conflicts_with = "format")]
    diff: bool,
    #[command(flatten)]
    params: ParamArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Deny {
    Warnings,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Sarif,
    Github,
}

pub fn run(args: &Args, output: &Output) -> Outcome {
    let mut sources = SourceMap::default();
    let (mut problems, mut notes, mut items) = (Vec::new(), Vec::new(), 0);
    let mut fixed = 0;
    if args.fix && !args.diff {
        for path in &args.files {
            match mend(path, &args.params, output) {
                Ok(made) => fixed += made,
                Err(problem) => {
                    output.problem(problem);
                    return Outcome::Failed;
                }
            }
        }
        if fixed > 0 {
            output.note(&format!("fixed {}\n", count(fixed, "problem")));
        }
    }
    for path in &args.files {
        let front = compile(path, &args.params, Purpose::Look, &mut sources);
        items += front.items;
        problems.extend(front.problems);
        notes.extend(front.notes);
    }
    // Of a file that several of them use.
    once(&mut problems, &sources);
    once(&mut notes, &sources);
    let denied = |p: &Problem| p.severity == Severity::Error || args.deny == Some(Deny::Warnings);
    let failed = problems.iter().any(denied);
    let outcome = if failed { Outcome::Wrong } else { Outcome::Fine };
    if args.diff {
        args.files.iter().for_each(|path| diff(path, &args.params, output));
        return outcome;
    }
    match args.format {
        Format::Json | Format::Sarif | Format::Github => {
            problems.extend(notes);
            let render = match args.format {
                Format::Sarif => render_sarif,
                Format::Github => render_github,
                _ => render_json,
            };
            output.result(&render(&problems, &sources));
        }
        Format::Text => {
            output.problems(&problems, &sources);
            let closing = closing(&problems, items);
            // What `--fix` left is not for it to mend.
            let mendable = if args.fix { String::new() } else { mendable(&problems, &sources) };
            let closing = format!("{closing}{mendable}{}\n", noted(&notes, &sources));
            if failed {
                output.note(&format!("\n{closing}"));
            } else if !output.quiet() {
                output.result(&closing);
            }
        }
    }
    outcome
}

/// Makes the fixes of a file and tells each. A file that cannot be read is told by the check.
fn mend(path: &Path, params: &ParamArgs, output: &Output) -> Result<usize, Problem> {
    let Ok(file) = read_source(path) else { return Ok(0) };
    let fix::Mended { file, made } = fix::mend(file, params);
    if !made.is_empty() {
        replace_file(path, &file.written())
            .map_err(|error| Problem::error(Code::E0713, format!("cannot write `{}`: {error}", path.display())))?;
    }
    for fix in &made {
        output.note(&format!("{}:{}:{}: {}: {}\n", path.display(), fix.line, fix.column, fix.code, fix.title));
    }
    Ok(made.len())
}

/// Prints what `--fix` would change.
fn diff(path: &Path, params: &ParamArgs, output: &Output) {
    let Ok(before) = read_source(path) else { return };
    let old = before.written();
    let new = fix::mend(before, params).file.written();
    let shown = path.display().to_string();
    output.result(&TextDiff::from_lines(&old, &new).unified_diff().header(&shown, &shown).to_string());
}

/// Drops what was told of the same place before.
fn once(problems: &mut Vec<Problem>, sources: &SourceMap) {
    let mut told = HashSet::new();
    problems.retain(|p| {
        let place = p.span.map(|s| (sources.path(s.file).to_owned(), s.start, s.end));
        place.is_none_or(|place| told.insert((p.code, p.message.clone(), place)))
    });
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

/// `; `--fix` mends 2`: how many have a fix that is certain.
fn mendable(problems: &[Problem], sources: &SourceMap) -> String {
    let has_fix = |p: &&Problem| p.fix.as_ref().is_some_and(|fix| fix.changes(sources).is_some());
    match problems.iter().filter(has_fix).count() {
        0 => String::new(),
        n => format!("; `--fix` mends {n}"),
    }
}

/// `; 1 thing is unchecked:` and a line for each, then what nothing needs.
fn noted(notes: &[Problem], sources: &SourceMap) -> String {
    let (unneeded, unchecked): (Vec<&Problem>, Vec<&Problem>) = notes.iter().partition(|n| n.code.is_about_use());
    let mut text = String::new();
    for (notes, word) in [(unchecked, "unchecked"), (unneeded, "not needed")] {
        text += &match notes.len() {
            0 => continue,
            1 => format!("; 1 thing is {word}:"),
            n => format!("; {n} things are {word}:"),
        };
        for note in notes {
            let place = note.span.map(|span| sources.place(span) + ": ").unwrap_or_default();
            text.push_str(&format!("\n  {place}{} {}", note.code, note.message));
        }
    }
    text
}

/// `1 item`, `2 items`
pub fn count(n: usize, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}
