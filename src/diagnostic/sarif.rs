//! SARIF 2.1.0, the format that code hosts and editors read findings from.

use dbjob_plan::Span;
use serde_json::{Map, Value, json};

use super::problem::describe_location;
use super::{Code, Problem, Severity, explain};
use crate::source::SourceMap;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// One SARIF log with one run, pretty-printed with a line end. The rules are the codes that occur, with their pages.
/// Lines and columns are 1-based, columns count characters.
pub fn render_sarif(problems: &[Problem], sources: &SourceMap) -> String {
    let mut codes: Vec<Code> = problems.iter().map(|p| p.code).collect();
    codes.sort();
    codes.dedup();
    let results: Vec<Value> = problems.iter().map(|p| result(p, &codes, sources)).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "dbjob",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": codes.iter().map(|c| rule(*c)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    serde_json::to_string_pretty(&log).expect("strings and numbers are always JSON") + "\n"
}

fn rule(code: Code) -> Value {
    let page = explain(code);
    let body = page.split_once("\n\n").map_or(page, |(_, body)| body);
    let paragraph = body.split("\n\n").next().unwrap_or(body).replace('\n', " ");
    json!({
        "id": code.as_str(),
        "shortDescription": { "text": code.title() },
        "fullDescription": { "text": paragraph },
        "help": { "text": body, "markdown": body },
        "defaultConfiguration": { "level": level(code.severity()) },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn result(problem: &Problem, codes: &[Code], sources: &SourceMap) -> Value {
    let mut text = problem.message.clone();
    if let Some(place) = problem.data.as_ref().and_then(describe_location) {
        text.push_str(&format!(", in {place}"));
    }
    if let Some(help) = &problem.help {
        text.push_str(&format!("; {help}"));
    }
    let mut result = Map::new();
    result.insert("ruleId".into(), problem.code.as_str().into());
    result.insert("ruleIndex".into(), codes.binary_search(&problem.code).expect("every code is a rule").into());
    result.insert("level".into(), level(problem.severity).into());
    result.insert("message".into(), json!({ "text": text }));
    if let Some(span) = problem.span {
        result.insert("locations".into(), json!([location(span, &problem.label, sources)]));
    }
    if !problem.related.is_empty() {
        let related = problem.related.iter().map(|(span, text)| location(*span, text, sources));
        result.insert("relatedLocations".into(), related.collect());
    }
    let changes = problem.fix.as_ref().and_then(|fix| Some((&fix.title, fix.changes(sources)?)));
    if let Some((title, changes)) = changes {
        result.insert("fixes".into(), json!([fix(title, &changes, sources)]));
    }
    result.into()
}

fn location(span: Span, message: &str, sources: &SourceMap) -> Value {
    let mut location = json!({
        "physicalLocation": { "artifactLocation": artifact(span, sources), "region": region(span, sources) },
    });
    if !message.is_empty() {
        location["message"] = json!({ "text": message });
    }
    location
}

fn region(span: Span, sources: &SourceMap) -> Value {
    let file = sources.get(span.file);
    let (line, column) = file.position(span.start);
    let (end_line, end_column) = file.position(span.end);
    json!({ "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column })
}

/// The changes of each file together, in the order of the files.
fn fix(title: &str, changes: &[(Span, String)], sources: &SourceMap) -> Value {
    let of_files: Vec<Value> = changes
        .chunk_by(|a, b| a.0.file == b.0.file)
        .map(|changes| {
            let replacement = |(span, text): &(Span, String)| {
                let mut replacement = json!({ "deletedRegion": region(*span, sources) });
                if !text.is_empty() {
                    replacement["insertedContent"] = json!({ "text": text });
                }
                replacement
            };
            let replacements: Vec<Value> = changes.iter().map(replacement).collect();
            json!({ "artifactLocation": artifact(changes[0].0, sources), "replacements": replacements })
        })
        .collect();
    json!({ "description": { "text": title }, "artifactChanges": of_files })
}

fn artifact(span: Span, sources: &SourceMap) -> Value {
    json!({ "uri": uri(&sources.path(span.file).to_string_lossy()) })
}

/// A path as a URI reference: relative paths stay relative.
fn uri(path: &str) -> String {
    let path = if cfg!(windows) { path.replace('\\', "/") } else { path.to_owned() };
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(byte.into()),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
