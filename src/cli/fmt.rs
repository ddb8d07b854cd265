use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::files::{decode, read_bytes, replace_file};
use super::{Outcome, Output};
use crate::diagnostic::{Code, Problem};
use crate::format::format;
use crate::source::SourceMap;
use crate::syntax;

#[derive(clap::Args)]
pub struct Args {
    /// The .dbjob files; `-` formats stdin to stdout
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write nothing; list the files that are not formatted and exit with 1 if there is one
    #[arg(long)]
    check: bool,
}

pub fn run(args: &Args, output: &Output) -> Outcome {
    let mut outcome = Outcome::Fine;
    let mut changed = 0;
    for path in &args.files {
        match one(path, args.check, output) {
            Ok(false) => {}
            Ok(true) if args.check => {
                output.result(&format!("{}\n", path.display()));
                outcome = worse(outcome, Outcome::Failed);
            }
            Ok(true) => changed += 1,
            Err(found) => outcome = worse(outcome, found),
        }
    }
    if changed > 0 {
        output.note(&format!("formatted {}\n", super::check::count(changed, "file")));
    }
    outcome
}

/// A file that is wrong counts more than one that is not formatted.
fn worse(a: Outcome, b: Outcome) -> Outcome {
    if a as u8 >= b as u8 { a } else { b }
}

/// Whether the file was, or with `check` would be, changed.
fn one(path: &Path, check: bool, output: &Output) -> Result<bool, Outcome> {
    let wrong = |problem| {
        output.problem(problem);
        Outcome::Wrong
    };
    let stdin = path == Path::new("-");
    let bytes = if stdin { read_stdin() } else { read_bytes(path) }.map_err(wrong)?;
    // A byte order mark is formatted away.
    let bom = bytes.starts_with("\u{feff}".as_bytes());
    let file = decode(if stdin { Path::new("stdin") } else { path }, bytes).map_err(wrong)?;
    let crlf = uses_crlf(&file.text);
    let mut sources = SourceMap::default();
    let id = sources.add(file);
    let text = &sources.get(id).text;
    let parsed = syntax::parse(id, text);
    let Ok(mut formatted) = format(&parsed) else {
        let problems: Vec<Problem> = parsed.errors.into_iter().map(Problem::from).collect();
        output.problems(&problems, &sources);
        return Err(Outcome::Wrong);
    };
    if crlf {
        formatted = formatted.replace("\r\n", "\n").replace('\n', "\r\n");
    }
    let same = formatted == *text && !bom;
    if check {
        return Ok(!same);
    }
    if stdin {
        output.result(&formatted);
        return Ok(false);
    }
    if !same {
        replace_file(path, &formatted).map_err(|error| {
            output.problem(Problem::error(Code::E0713, format!("cannot write `{}`: {error}", path.display())));
            Outcome::Failed
        })?;
    }
    Ok(!same)
}

/// A file keeps the line ends that its first line has.
fn uses_crlf(text: &str) -> bool {
    text.find('\n').is_some_and(|at| text[..at].ends_with('\r'))
}

fn read_stdin() -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    match io::stdin().lock().read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(Problem::error(Code::E0701, format!("cannot read stdin: {error}"))),
    }
}
