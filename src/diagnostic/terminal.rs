use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use dbjob_plan::{FileId, Span};
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan};

use super::problem::describe_location;
use super::snippet::Snippet;
use super::{Problem, Severity};
use crate::source::SourceMap;

/// Pictures of problems: the code, the message, the lines with what is wrong marked, what to write instead.
///
/// `width` is in terminal columns. Ends with a line end unless there are no problems.
pub fn render_terminal(problems: &[Problem], sources: &SourceMap, colour: bool, width: usize) -> String {
    let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(width.max(40))
        .with_links(false)
        .with_break_words(false)
        .without_syntax_highlighting();
    let files: BTreeSet<FileId> = problems
        .iter()
        .flat_map(|p| p.span.into_iter().chain(p.related.iter().map(|(s, _)| *s)))
        .map(|s| s.file)
        .collect();
    let snippets: BTreeMap<FileId, Snippet> = files.into_iter().map(|id| (id, Snippet::new(sources.get(id)))).collect();
    let mut out = String::new();
    for problem in problems {
        if !out.is_empty() {
            out.push('\n');
        }
        handler.render_report(&mut out, &Picture::new(problem, &snippets)).expect("writing to a string cannot fail");
    }
    out
}

/// One problem as miette wants it; related places in other files are notes below with snippets of their own.
struct Picture<'a> {
    code: Option<String>,
    severity: miette::Severity,
    message: String,
    snippet: Option<&'a Snippet>,
    labels: Vec<LabeledSpan>,
    help: Option<&'a str>,
    elsewhere: Vec<Picture<'a>>,
}

impl<'a> Picture<'a> {
    fn new(problem: &'a Problem, snippets: &'a BTreeMap<FileId, Snippet>) -> Self {
        let snippet = problem.span.map(|s| &snippets[&s.file]);
        let mut message = problem.message.clone();
        if let Some(place) = problem.data.as_ref().and_then(describe_location) {
            message.push_str("\nin ");
            message.push_str(&place);
        }
        let mut labels = Vec::new();
        let mut elsewhere = Vec::new();
        if let (Some(span), Some(snippet)) = (problem.span, snippet) {
            labels.push(label(snippet, span, &problem.label, true));
        }
        for (span, text) in &problem.related {
            match (problem.span, snippet) {
                (Some(main), Some(snippet)) if main.file == span.file => {
                    labels.push(label(snippet, *span, text, false))
                }
                _ => {
                    let snippet = &snippets[&span.file];
                    elsewhere.push(Picture {
                        code: None,
                        severity: miette::Severity::Advice,
                        message: text.clone(),
                        snippet: Some(snippet),
                        labels: vec![label(snippet, *span, "", true)],
                        help: None,
                        elsewhere: Vec::new(),
                    });
                }
            }
        }
        let severity = match problem.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        };
        Self {
            code: Some(format!("{}[{}]", problem.severity.word(), problem.code)),
            severity,
            message,
            snippet,
            labels,
            help: problem.help.as_deref(),
            elsewhere,
        }
    }
}

fn label(snippet: &Snippet, span: Span, text: &str, primary: bool) -> LabeledSpan {
    let text = (!text.is_empty()).then(|| text.to_owned());
    let span = snippet.clamp(span.start as usize, span.end as usize);
    if primary { LabeledSpan::new_primary_with_span(text, span) } else { LabeledSpan::new_with_span(text, span) }
}

impl fmt::Debug for Picture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Display for Picture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Picture<'_> {}

impl miette::Diagnostic for Picture<'_> {
    fn code<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.code.as_ref().map(|c| Box::new(c) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.help.map(|h| Box::new(h) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.snippet.map(|s| s as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        (!self.labels.is_empty()).then(|| Box::new(self.labels.iter().cloned()) as Box<dyn Iterator<Item = _>>)
    }

    fn related<'b>(&'b self) -> Option<Box<dyn Iterator<Item = &'b dyn miette::Diagnostic> + 'b>> {
        (!self.elsewhere.is_empty()).then(|| {
            Box::new(self.elsewhere.iter().map(|p| p as &dyn miette::Diagnostic)) as Box<dyn Iterator<Item = _>>
        })
    }
}
