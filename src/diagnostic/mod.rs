//! What the compiler says about a job: values with a stable code, spans and a help line, and their renderers.

mod codes;
mod fix;
mod json;
mod problem;
mod snippet;
mod terminal;
#[cfg(test)]
mod tests;

pub use codes::{Code, explain};
use dbjob_plan::Span;
pub use fix::Fix;
pub use json::render_json;
pub use problem::{Problem, describe_location};
pub use terminal::render_terminal;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is wrong, but something is taken unchecked.
    Note,
    Warning,
    Error,
}

impl Severity {
    pub fn word(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
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
    /// The change that mends it, where one is certain.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// A diagnostic of an `E` code.
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        debug_assert_eq!(code.severity(), Severity::Error, "{code}");
        Self::new(code, span, message.into())
    }

    /// A diagnostic of a `W` code.
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        debug_assert_eq!(code.severity(), Severity::Warning, "{code}");
        Self::new(code, span, message.into())
    }

    /// A diagnostic of an `N` code.
    pub fn note(code: Code, span: Span, message: impl Into<String>) -> Self {
        debug_assert_eq!(code.severity(), Severity::Note, "{code}");
        Self::new(code, span, message.into())
    }

    fn new(code: Code, span: Span, message: String) -> Self {
        let severity = code.severity();
        Self { code, severity, message, span, label: String::new(), related: Vec::new(), help: None, fix: None }
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

    /// Adds the change that mends it: each text takes the place of its span.
    pub fn fix(mut self, title: impl Into<String>, edits: impl IntoIterator<Item = (Span, String)>) -> Self {
        self.fix = Some(Fix { title: title.into(), edits: edits.into_iter().collect() });
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
