//! Every ```` ```dbjob ```` block of the README and of docs/ is checked. A block is a whole file, or says of what it is a
//! fragment:
//!
//! - ```` ```dbjob items ````: items, beside those of tests/docs/context.dbjob; with `--profile NAME` behind it as with that;
//! - ```` ```dbjob uses ````: `use` of files that have the items of the context;
//! - ```` ```dbjob steps ````: steps of a transform that joins `orders` and `users` of the context;
//! - ```` ```dbjob expressions ````: expressions over the columns of that transform, one a line.
//!
//! No block has an error. What this version does not run yet may be shown in a fragment, for that is marked in its text.

use std::fs;
use std::path::{Path, PathBuf};

use dbjob::diagnostic::{Code, Diagnostic, Severity};
use dbjob::hir::Given;
use dbjob::source::{SourceFile, SourceMap};
use dbjob::syntax::{self, ast::Ident};
use dbjob::world::{TextFile, World};
use dbjob_plan::{DataType, Field, FileId, RunError, Schema, Source, Span};

use super::markdown::{Block, blocks};

const CONTEXT: &str = include_str!("context.dbjob");

/// The files that fragments speak of have these columns.
struct AnyFile;

impl World for AnyFile {
    fn schema(&self, _: &Source) -> Result<Option<Schema>, RunError> {
        let text = |name: &str| Field::new(name, DataType::String, true);
        let names = ["order_id", "user_id", "ordered_at", "items", "amount", "country", "returned", "returned_at"];
        Ok(Some(Schema::new(names.into_iter().chain(["Price (EUR)", "note"]).map(text).collect())))
    }

    fn text(&self, path: &str) -> Result<TextFile, RunError> {
        let text = if path.contains("tables") { CONTEXT } else { "dataset other from csv(\"o.csv\") { x: int }\n" };
        Ok(TextFile { path: path.into(), text: text.to_owned() })
    }
}

pub fn problems(text: &str, profile: Option<&str>) -> Vec<Diagnostic> {
    let mut sources = SourceMap::default();
    let file = sources.add(SourceFile::new("block.dbjob", text));
    let named = sources.add(SourceFile::new("--profile", profile.unwrap_or("")));
    let ident = |name: &str| Ident { name: name.to_owned(), span: Span::new(named, 0, name.len()) };
    let given = Given { profile: profile.map(ident), ..Given::default() };
    dbjob::analyse(file, &mut sources, &given, &AnyFile).diagnostics
}

/// The context without the items that the block has itself.
fn beside(block: &str) -> String {
    let head = |text: &str| text.split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>();
    let heads = |text: &str| -> Vec<(Vec<String>, String)> {
        let mut sources = SourceMap::default();
        let file = sources.add(SourceFile::new("a.dbjob", text));
        let items = syntax::parse(file, text).ast.items;
        items.iter().map(|item| (head(sources.slice(item.span)), sources.slice(item.span).to_owned())).collect()
    };
    let own: Vec<_> = heads(block).into_iter().map(|(head, _)| head).collect();
    let kept = heads(CONTEXT).into_iter().filter(|(head, _)| !own.contains(head)).map(|(_, text)| text + "\n");
    kept.collect()
}

fn wrong(block: &Block) -> Vec<Diagnostic> {
    let steps =
        |steps: &str| format!("{CONTEXT}\ntransform fragment from orders {{\n  join users on user_id\n{steps}\n}}\n");
    let Some(kind) = block.info.get(1) else {
        return problems(&block.text, None).into_iter().filter(|d| d.severity > Severity::Note).collect();
    };
    // Items of the context may miss those that the block has instead.
    let (text, from) = match kind.as_str() {
        "items" => {
            let beside = beside(&block.text);
            (beside.clone() + &block.text, beside.len())
        }
        "uses" => (block.text.clone(), 0),
        "steps" => (steps(&block.text), 0),
        "expressions" => {
            let lines = block.text.lines().filter(|line| !line.trim().is_empty());
            (steps(&lines.enumerate().map(|(n, line)| format!("  derive x{n} = {line}\n")).collect::<String>()), 0)
        }
        other => panic!("line {}: there are no fragments `{other}`", block.line),
    };
    let of_block = |d: &Diagnostic| d.span.file == FileId(0) && d.span.start as usize >= from && d.code != Code::E0901;
    let profile = block.info.iter().skip_while(|word| *word != "--profile").nth(1);
    problems(&text, profile.map(String::as_str))
        .into_iter()
        .filter(|d| d.severity == Severity::Error && of_block(d))
        .collect()
}

fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = vec![root.join("README.md"), root.join("examples/README.md"), root.join("CONTRIBUTING.md")];
    for entry in fs::read_dir(root.join("docs")).expect("docs is there") {
        let path = entry.expect("docs is readable").path();
        paths.extend(path.extension().is_some_and(|e| e == "md").then_some(path));
    }
    paths
}

#[test]
fn every_block_of_a_job_is_sound() {
    let (mut failures, mut count) = (String::new(), 0);
    for path in documents() {
        for block in blocks(&fs::read_to_string(&path).expect("a readable document")) {
            if block.language() != "dbjob" {
                continue;
            }
            count += 1;
            let wrong = wrong(&block);
            if !wrong.is_empty() {
                failures.push_str(&format!("{}:{}: {wrong:#?}\n", path.display(), block.line));
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
    assert!(count >= 9, "only {count} blocks");
}
