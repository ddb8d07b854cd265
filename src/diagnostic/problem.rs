use dbjob_plan::{DataLocation, RunError, Span};

use super::{Code, Diagnostic, Fix, Severity};

/// What renderers show: a diagnostic of the compiler, or a failure outside of it, which may have no place in the job
/// and may have one in data.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    pub code: Code,
    pub severity: Severity,
    pub message: String,
    pub span: Option<Span>,
    pub label: String,
    pub related: Vec<(Span, String)>,
    pub help: Option<String>,
    pub fix: Option<Box<Fix>>,
    pub data: Option<DataLocation>,
}

impl Problem {
    /// An error that has no place in a job.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            span: None,
            label: String::new(),
            related: Vec::new(),
            help: None,
            fix: None,
            data: None,
        }
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl From<Diagnostic> for Problem {
    fn from(d: Diagnostic) -> Self {
        Self {
            code: d.code,
            severity: d.severity,
            message: d.message,
            span: Some(d.span),
            label: d.label,
            related: d.related,
            help: d.help,
            fix: d.fix,
            data: None,
        }
    }
}

/// An error of a run whose code is none of ours is one of the engine.
impl From<RunError> for Problem {
    fn from(e: RunError) -> Self {
        let code = Code::parse(&e.code).unwrap_or(Code::E0799);
        Self { span: e.span, help: e.help, data: e.data, ..Self::error(code, e.message) }
    }
}

/// `data/orders.csv, row 17 (line 19), column `amount`: "12,50"`, of what is known; `None` when nothing is.
pub fn describe_location(data: &DataLocation) -> Option<String> {
    let mut place: Vec<String> = data.file.iter().cloned().collect();
    match (data.row, data.line) {
        (Some(row), Some(line)) => place.push(format!("row {row} (line {line})")),
        (Some(row), None) => place.push(format!("row {row}")),
        (None, Some(line)) => place.push(format!("line {line}")),
        (None, None) => {}
    }
    place.extend(data.column.iter().map(|c| format!("column `{c}`")));
    let mut text = place.join(", ");
    if let Some(value) = &data.value {
        text.push_str(if text.is_empty() { "value " } else { ": " });
        // A text comes in its quotes already.
        let quoted = value.len() > 1 && value.starts_with('"') && value.ends_with('"');
        text.push_str(&if quoted { value.clone() } else { format!("{value:?}") });
    }
    (!text.is_empty()).then_some(text)
}
