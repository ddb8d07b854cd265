//! What the compiler says about a job: values with a stable code, spans and a help line, and their renderers.

mod codes;
mod json;
mod problem;
mod snippet;
mod terminal;
#[cfg(test)]
mod tests;

pub use codes::{Code, explain};
use dbjob_plan::Span;
pub use json::render_json;
pub use problem::{Problem, describe_location};
pub use terminal::render_terminal;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Warning,
    Error,
}

/// One thing that is wrong. One cause gives one diagnostic.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnostic {
    pub code: Code,
    pub severity: Severity,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// The smallest span that is wrong.
    pub span: Span,
    /// What stands at the span, in a few words, for the picture.
    pub label: String,
    /// Other places that show why.
    pub related: Vec<(Span, String)>,
    /// What to write instead.
    pub help: Option<String>,
}

impl Diagnostic {
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            span,
            label: String::new(),
            related: Vec::new(),
            help: None,
        }
    }

    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds `did you mean …` when a known name is near; leaves the diagnostic alone otherwise.
    pub fn near<'a>(self, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match near_name(name, known) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => self,
        }
    }
}

/// The known name that a typo most likely meant: Damerau-Levenshtein at most a third of its length (at least 1), or the
/// same letters in another case.
pub fn near_name<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    known
        .into_iter()
        .map(|k| (strsim::damerau_levenshtein(&lower, &k.to_lowercase()), k))
        .filter(|(distance, k)| {
            let longer = name.chars().count().max(k.chars().count());
            // Names that share no letter are not near.
            *distance <= (longer / 3).max(1) && *distance < longer.max(1)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, k)| k)
}
