//! Programs with the expected problems beside them.
//!
//! Under a line stand the problems that begin on it, each as `#~ CODE FROM-TO MESSAGE`: 1-based columns in characters,
//! TO excluded; the message must contain MESSAGE. A problem that is not expected fails the test, as does one that is
//! expected and missing. Problems of files that a program uses stand under its first line, with the
//! file. `BLESS=1` writes what is found into the files, to be reviewed line by line.

mod cascades;
mod fixes;

use std::fs;
use std::path::{Path, PathBuf};

use dbjob::diagnostic::{Code, Diagnostic};
use dbjob::hir::Given;
use dbjob::source::{SourceFile, SourceMap};
use dbjob::world::{TextFile, World};
use dbjob_plan::{FileId, RunError, Schema, Source};

/// Other files that programs use, and no data.
struct Folder<'a>(&'a Path);

impl World for Folder<'_> {
    fn schema(&self, _: &Source) -> Result<Option<Schema>, RunError> {
        Ok(None)
    }

    fn text(&self, path: &str) -> Result<TextFile, RunError> {
        let text = fs::read_to_string(self.0.join(path));
        let text = text.map_err(|_| RunError::new("E0701", format!("there is no file `{path}`")))?;
        Ok(TextFile { path: path.into(), text })
    }
}

pub fn programs() -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui"))
        .expect("tests/ui is there")
        .map(|entry| entry.expect("tests/ui is readable").path())
        .filter(|path| path.extension().is_some_and(|e| e == "dbjob"))
        .collect();
    paths.sort();
    paths
}

/// The problems of a text, syntax first.
pub fn problems(path: &Path, text: &str) -> (Vec<Diagnostic>, SourceMap) {
    let mut sources = SourceMap::default();
    let file = sources.add(SourceFile::new(path, text));
    let world = Folder(path.parent().expect("a program is in a folder"));
    let all = dbjob::analyse(file, &mut sources, &Given::default(), &world).diagnostics;
    (all, sources)
}

/// One problem as it stands in a program: (line, text of the expectation).
fn found(path: &Path, text: &str) -> Vec<(usize, String, String)> {
    let (problems, sources) = problems(path, text);
    problems
        .iter()
        .map(|d| {
            let file = sources.get(d.span.file);
            let (line, from) = file.position(d.span.start);
            let (end_line, to) = file.position(d.span.end);
            let to = if end_line == line { to } else { file.line(line).chars().count() + 1 };
            if d.span.file != FileId(0) {
                let place = format!("{} {}:{line}:{from}-{to}", d.code, file.path.display());
                return (1, place, d.message.clone());
            }
            (line, format!("{} {from}-{to}", d.code), d.message.clone())
        })
        .collect()
}

#[test]
fn every_program_has_just_the_problems_beside_it() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut failures = Vec::new();
    let programs = programs();
    assert!(programs.len() >= 30, "only {} programs in tests/ui", programs.len());
    for path in programs {
        let text = fs::read_to_string(&path).expect("a readable program");
        if bless {
            fs::write(&path, blessed(&path, &text)).expect("a writable program");
            continue;
        }
        let mut expected: Vec<(usize, String)> = Vec::new();
        let mut line_above = 0;
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            match line.trim_start().strip_prefix("#~ ") {
                Some(expectation) => expected.push((line_above, expectation.trim_end().to_owned())),
                None => line_above = index + 1,
            }
        }
        for (line, place, message) in found(&path, &text) {
            let hit = expected
                .iter()
                .position(|(l, e)| *l == line && e.strip_prefix(&place).is_some_and(|m| message.contains(m.trim())));
            match hit {
                Some(hit) => {
                    expected.remove(hit);
                }
                None => failures.push(format!("{}:{line}: not expected: {place} {message}", path.display())),
            }
        }
        for (line, expectation) in expected {
            failures.push(format!("{}:{line}: missing: {expectation}", path.display()));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn every_problem_says_what_to_write() {
    let mut silent = Vec::new();
    for path in programs() {
        let text = fs::read_to_string(&path).expect("a readable program");
        let (problems, sources) = problems(&path, text.trim_start_matches('\u{feff}'));
        for d in problems.iter().filter(|d| d.help.is_none()) {
            silent.push(format!("{}: {} {}", sources.place(d.span), d.code, d.message));
        }
    }
    assert!(silent.is_empty(), "\n{}", silent.join("\n"));
}

fn blessed(path: &Path, text: &str) -> String {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let kept: Vec<&str> = text.lines().filter(|l| !l.trim_start().starts_with("#~ ")).collect();
    let bare = kept.join(newline) + newline;
    let found = found(path, &bare);
    let mut out = String::new();
    for (index, line) in kept.iter().enumerate() {
        out.push_str(line);
        out.push_str(newline);
        for (_, place, message) in found.iter().filter(|(l, _, _)| *l == index + 1) {
            out.push_str(&format!("#~ {place} {message}{newline}"));
        }
    }
    out
}

/// Codes that no program of tests/ui can raise, each with the reason.
const ELSEWHERE: &[(Code, &str)] = &[(Code::N0001, "files cannot be looked into here: its page and tests/cli do")];

#[test]
fn every_code_of_the_compiler_has_a_program_that_raises_it() {
    let texts: String = programs().iter().map(|p| fs::read_to_string(p).expect("a readable program")).collect();
    for code in Code::ALL.iter().filter(|code| !crate::docs::pages::is_of_a_run(**code)) {
        let elsewhere = ELSEWHERE.iter().any(|(c, _)| c == code);
        assert_ne!(texts.contains(&format!("#~ {code} ")), elsewhere, "{code} has no program, or has one by now");
    }
}

#[test]
fn every_example_is_free_of_problems() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut count = 0;
    for entry in fs::read_dir(folder).expect("examples is there") {
        let path = entry.expect("examples is readable").path();
        if path.extension().is_some_and(|e| e == "dbjob") {
            count += 1;
            let text = fs::read_to_string(&path).expect("a readable example");
            let (problems, sources) = problems(&path, &text);
            let shown: Vec<_> = problems
                .iter()
                .map(|d| {
                    format!(
                        "{}:{}: {} {}",
                        path.display(),
                        sources.get(d.span.file).position(d.span.start).0,
                        d.code,
                        d.message
                    )
                })
                .collect();
            assert!(problems.is_empty(), "\n{}", shown.join("\n"));
        }
    }
    assert!(count >= 4, "only {count} examples");
}
