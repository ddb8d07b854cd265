//! Planted faults, each with a clean twin.
//!
//! `GROUP/NAME.leak.dbjob` has one fault, `GROUP/NAME.clean.dbjob` is the same job without it, a few lines apart. The groups
//! are the taxonomy of Yang, Brower-Sinning, Lewis and Kästner, "Data Leakage in Notebooks" (ASE 2022): overlap, preprocessing,
//! multi_test; and what else a model must not know: label, late, time, group, feedback. `shared` holds files that they use.
//!
//! At the end of a leak stands what is expected: `#~ CODE LINE:FROM-TO MESSAGE`, then the way from the source to the model,
//! a place a line: `#~   LINE:FROM-TO WORDS`, with the file before it if it is another one. Columns count characters from 1,
//! TO is excluded. All of it must be so, and nothing else may be told; of a twin nothing at all, neither error nor warning
//! nor note. `BLESS=1` writes what is found, to be reviewed line by line.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use dbjob::diagnostic::Diagnostic;
use dbjob::source::SourceMap;
use dbjob_plan::{FileId, Span};

const GROUPS: [&str; 8] = ["overlap", "preprocessing", "multi_test", "label", "late", "time", "group", "feedback"];

/// The leaks, by their groups.
fn leaks() -> BTreeMap<String, Vec<PathBuf>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/leakage");
    GROUPS
        .iter()
        .map(|group| {
            let files = fs::read_dir(root.join(group)).expect("a group is a folder");
            let mut paths: Vec<PathBuf> = files.map(|f| f.expect("readable").path()).collect();
            paths.retain(|path| path.to_string_lossy().ends_with(".leak.dbjob"));
            paths.sort();
            ((*group).to_owned(), paths)
        })
        .collect()
}

fn twin(leak: &Path) -> PathBuf {
    PathBuf::from(leak.to_string_lossy().replace(".leak.dbjob", ".clean.dbjob"))
}

fn place(span: Span, sources: &SourceMap) -> String {
    let file = sources.get(span.file);
    let (line, from) = file.position(span.start);
    let (end_line, to) = file.position(span.end);
    let to = if end_line == line { to } else { file.line(line).chars().count() + 1 };
    let name = match span.file {
        FileId(0) => String::new(),
        _ => format!("{} ", file.path.file_name().unwrap_or_default().to_string_lossy()),
    };
    format!("{name}{line}:{from}-{to}")
}

fn told(problems: &[Diagnostic], sources: &SourceMap) -> Vec<String> {
    let mut lines = Vec::new();
    for d in problems {
        lines.push(format!("#~ {} {} {}", d.code, place(d.span, sources), d.message));
        lines.extend(d.related.iter().map(|(span, words)| format!("#~   {} {words}", place(*span, sources))));
    }
    lines
}

fn text_of(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// What stands in a program besides comments and empty lines.
fn statements(text: &str) -> Vec<&str> {
    text.lines().filter(|l| !l.trim().is_empty() && !l.trim_start().starts_with('#')).collect()
}

#[test]
fn every_leak_is_found_with_its_way_and_no_twin_is_doubted() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut failures = Vec::new();
    for path in leaks().into_values().flatten() {
        let text = text_of(&path);
        let (program, expected): (Vec<&str>, Vec<&str>) = text.lines().partition(|l| !l.starts_with("#~ "));
        let (problems, sources) = crate::ui::problems(&path, &text);
        let found = told(&problems, &sources);
        if bless {
            let program = program.join("\n");
            fs::write(&path, format!("{}\n\n{}\n", program.trim_end(), found.join("\n"))).expect("writable");
        } else if found != expected {
            failures.push(format!("{}:\n{}", path.display(), found.join("\n")));
        }
        if problems.len() != 1 {
            failures.push(format!("{}: {} problems, not one", path.display(), problems.len()));
        }
        let twin = twin(&path);
        let (problems, sources) = crate::ui::problems(&twin, &text_of(&twin));
        if !problems.is_empty() {
            failures.push(format!("{}:\n{}", twin.display(), told(&problems, &sources).join("\n")));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn every_twin_is_its_leak_but_for_a_few_lines() {
    for path in leaks().into_values().flatten() {
        let (leak, clean) = (text_of(&path), text_of(&twin(&path)));
        let (leak, clean) = (statements(&leak), statements(&clean));
        let only = |a: &[&str], b: &[&str]| a.iter().filter(|line| !b.contains(line)).count();
        let (gone, new) = (only(&leak, &clean), only(&clean, &leak));
        let moved = leak != clean;
        assert!(moved && gone <= 12 && new <= 12, "{}: {gone} lines gone, {new} new", path.display());
    }
}

#[test]
fn the_corpus_covers_the_taxonomy_through_many_steps() {
    let (mut count, mut long) = (0, 0);
    for (group, paths) in leaks() {
        assert!(paths.len() >= 4, "only {} leaks of {group}", paths.len());
        for path in paths {
            count += 1;
            // The source, four steps, the model.
            long += usize::from(text_of(&path).lines().filter(|l| l.starts_with("#~   ")).count() >= 5);
        }
    }
    assert!(count >= 70, "only {count} leaks");
    assert!(long >= 10, "only {long} leaks have four steps between source and model");
}
