use dbjob_plan::{DataLocation, Span};
use serde::Serialize;

use super::Problem;
use crate::source::SourceMap;

/// One JSON document of all problems, `{"diagnostics": [...]}`, pretty-printed with a line end; its fields are
/// described in docs/cli.md. Lines and columns are 1-based, columns count characters, `span` counts bytes.
pub fn render_json(problems: &[Problem], sources: &SourceMap) -> String {
    let document = Document { diagnostics: problems.iter().map(|p| Entry::new(p, sources)).collect() };
    let mut text = serde_json::to_string_pretty(&document).expect("strings and numbers are always JSON");
    text.push('\n');
    text
}

#[derive(Serialize)]
struct Document<'a> {
    diagnostics: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    code: &'static str,
    severity: &'static str,
    message: &'a str,
    #[serde(flatten)]
    place: Place,
    label: &'a str,
    related: Vec<Related<'a>>,
    help: Option<&'a str>,
    fix: Option<Change<'a>>,
    /// Where in data, for problems of a run.
    data: Option<&'a DataLocation>,
}

/// All null for a problem that has no place in a file.
#[derive(Serialize, Default)]
struct Place {
    file: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
    end_line: Option<usize>,
    end_column: Option<usize>,
    span: Option<Bytes>,
}

#[derive(Serialize)]
struct Bytes {
    start: u32,
    end: u32,
}

#[derive(Serialize)]
struct Related<'a> {
    message: &'a str,
    #[serde(flatten)]
    place: Place,
}

#[derive(Serialize)]
struct Change<'a> {
    title: &'a str,
    edits: Vec<Edit>,
}

#[derive(Serialize)]
struct Edit {
    text: String,
    #[serde(flatten)]
    place: Place,
}

impl<'a> Entry<'a> {
    fn new(problem: &'a Problem, sources: &SourceMap) -> Self {
        Self {
            code: problem.code.as_str(),
            severity: problem.severity.word(),
            message: &problem.message,
            place: problem.span.map(|s| Place::new(s, sources)).unwrap_or_default(),
            label: &problem.label,
            related: problem
                .related
                .iter()
                .map(|(span, message)| Related { message, place: Place::new(*span, sources) })
                .collect(),
            help: problem.help.as_deref(),
            fix: problem.fix.as_ref().and_then(|fix| {
                let edit = |(span, text)| Edit { text, place: Place::new(span, sources) };
                Some(Change { title: &fix.title, edits: fix.changes(sources)?.into_iter().map(edit).collect() })
            }),
            data: problem.data.as_ref(),
        }
    }
}

impl Place {
    fn new(span: Span, sources: &SourceMap) -> Self {
        let file = sources.get(span.file);
        let (line, column) = file.position(span.start);
        let (end_line, end_column) = file.position(span.end);
        Self {
            file: Some(file.path.display().to_string()),
            line: Some(line),
            column: Some(column),
            end_line: Some(end_line),
            end_column: Some(end_column),
            span: Some(Bytes { start: span.start, end: span.end }),
        }
    }
}
