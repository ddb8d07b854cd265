//! What each step makes of the columns: jobs with the derivations beneath each statement, `#~ column <- how source, …`.
//! A column that a step only passes on is not told. `BLESS=1` writes what is found, to be reviewed line by line.

use std::collections::BTreeMap;
use std::path::Path;

use dbjob::hir::Given;
use dbjob::lower::lower;
use dbjob::source::{SourceFile, SourceMap};
use dbjob::world::NoWorld;
use dbjob::{Analysis, analyse};
use dbjob_plan::{Edge, Lineage, Plan, Via};

fn plan(name: &str, text: &str) -> (Plan, SourceMap) {
    let mut sources = SourceMap::default();
    let file = sources.add(SourceFile::new(name, text));
    let Analysis { checked, diagnostics, .. } = analyse(file, &mut sources, &Given::default(), &NoWorld);
    let errors: Vec<_> = diagnostics.iter().filter(|d| d.severity == dbjob::diagnostic::Severity::Error).collect();
    assert!(errors.is_empty(), "{name}: {errors:#?}");
    (lower(&checked.sound().expect("no error")), sources)
}

fn word(via: Via) -> String {
    format!("{via:?}").to_lowercase()
}

/// The lines that belong beneath each 1-based line of the text.
fn told(plan: &Plan, sources: &SourceMap) -> BTreeMap<usize, Vec<String>> {
    let lineage = Lineage::of(plan);
    let shown = |edges: &[Edge], here| {
        let edges: Vec<String> = edges
            .iter()
            .map(|e| {
                let item = &plan.node(e.column.node).item;
                let own = if e.column.node == here { "this".to_owned() } else { item.clone() };
                format!("{} {own}.{}", word(e.via), e.column.column)
            })
            .collect();
        if edges.is_empty() { "nothing".to_owned() } else { edges.join(", ") }
    };
    let mut lines: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for id in plan.topological() {
        let node = plan.node(id);
        let file = sources.get(node.span.file);
        let out = lines.entry(file.position(node.span.end).0).or_default();
        for (column, made_of) in dbjob_plan::Derivation::of(plan, id).columns {
            let passed_on = matches!(&made_of[..], [e] if e.via == Via::Copy && e.column.column == column);
            if !passed_on {
                out.push(format!("{column} <- {}", shown(&made_of, id)));
            }
        }
        if let Some(rows) = lineage.rows(id) {
            out.push(format!("rows <- {}", shown(rows, id)));
        }
    }
    lines
}

fn annotated(text: &str, told: &BTreeMap<usize, Vec<String>>) -> String {
    let mut out = String::new();
    for (at, line) in text.lines().enumerate() {
        out.push_str(&format!("{line}\n"));
        for told in told.get(&(at + 1)).into_iter().flatten() {
            out.push_str(&format!("  #~ {told}\n"));
        }
    }
    out
}

#[test]
fn every_step_says_what_its_columns_are_made_of() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lineage");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|p| p.extension().is_some_and(|e| e == "dbjob"));
    files.sort();
    assert!(!files.is_empty());
    for path in files {
        let expected = std::fs::read_to_string(&path).unwrap();
        let bare: String =
            expected.lines().filter(|l| !l.trim_start().starts_with("#~")).map(|l| format!("{l}\n")).collect();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let (plan, sources) = plan(&name, &bare);
        let actual = annotated(&bare, &told(&plan, &sources));
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &actual).unwrap();
            continue;
        }
        assert!(actual == expected, "{name} should be\n{actual}");
    }
}
