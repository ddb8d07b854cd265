//! What the compiler says about a job: values with a stable code, spans and a help line, and their renderers.

mod cause;
mod codes;
mod fix;
mod github;
mod json;
mod problem;
mod sarif;
mod snippet;
mod terminal;
#[cfg(test)]
mod tests;

pub use cause::merge_uses;
pub use codes::{Code, explain};
use dbjob_plan::Span;
pub use fix::{Edit, Fix};
pub use github::render_github;
pub use json::render_json;
pub use problem::{Problem, describe_location};
pub use sarif::render_sarif;
pub use terminal::render_terminal;

use crate::name;

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
    pub fix: Option<Box<Fix>>,
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

    /// The same with every place put elsewhere.
    pub fn moved(mut self, to: &dyn Fn(Span) -> Span) -> Self {
        self.span = to(self.span);
        for (span, _) in &mut self.related {
            *span = to(*span);
        }
        for edit in self.fix.iter_mut().flat_map(|fix| &mut fix.edits) {
            match edit {
                Edit::Write(span, _) | Edit::TakeOut(span) => *span = to(*span),
            }
        }
        self
    }

    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Of what stands there a second time.
    pub fn again(mut self) -> Self {
        self.help.get_or_insert_with(|| "leave one of them out".into());
        self.label("again here")
    }

    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds the change that mends it.
    pub fn fix(mut self, fix: Fix) -> Self {
        self.set_fix(fix);
        self
    }

    /// Adds the change that mends it.
    pub fn set_fix(&mut self, fix: Fix) {
        self.fix = Some(Box::new(fix));
    }

    /// What is certain to belong at the span instead: as help and as fix.
    pub fn instead(self, text: impl Into<String>) -> Self {
        let text = text.into();
        let span = self.span;
        self.help(format!("write `{text}`")).fix(Fix::write(span, text))
    }

    /// The entry or statement of a list at the span has no use: a fix that takes it out.
    pub fn needless(self, span: Span) -> Self {
        self.fix(Fix::take_out(span))
    }

    /// Adds `did you mean …` when a known name is near, and a fix when it is the only one; `name` is what stands at the
    /// span. Leaves the diagnostic alone otherwise.
    pub fn near<'a>(self, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        self.near_as(name, known, name::written)
    }

    /// As `near`, for the content of a text.
    pub fn near_text<'a>(self, text: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        self.near_as(text, known, name::quoted)
    }

    /// As `near`, for a name that does not stand at the span: no fix.
    pub fn near_elsewhere<'a>(self, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match near_name(name, known) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => self,
        }
    }

    fn near_as<'a>(self, name: &str, known: impl IntoIterator<Item = &'a str>, written: fn(&str) -> String) -> Self {
        let near = near_names(name, known);
        let Some((_, best)) = near.first() else { return self };
        let span = self.span;
        let diagnostic = self.help(format!("did you mean `{best}`?"));
        if is_clear(&near) { diagnostic.fix(Fix::write(span, written(best))) } else { diagnostic }
    }
}

/// The known name that a typo most likely meant: Damerau-Levenshtein at most a third of its length (at least 1), or the
/// same letters in another case.
pub fn near_name<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    near_names(name, known).first().map(|(_, near)| *near)
}

/// The one known name that a typo can have meant: who goes on as if it stood there makes no second problem of it.
pub fn meant_name<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = near_names(name, known);
    near.first().filter(|_| is_clear(&near)).map(|(_, near)| *near)
}

/// Whether the first is nearer than the others by more than chance.
fn is_clear(near: &[(usize, &str)]) -> bool {
    near.len() == 1 || near.len() > 1 && near[1].0 >= near[0].0 + 2
}

/// All that a typo may have meant, the nearest first, each with its distance.
fn near_names<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<(usize, &'a str)> {
    let lower = name.to_lowercase();
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .map(|k| (strsim::damerau_levenshtein(&lower, &k.to_lowercase()), k))
        .filter(|(distance, k)| {
            let longer = name.chars().count().max(k.chars().count());
            // Names that share no letter are not near.
            *distance <= (longer / 3).max(1) && *distance < longer.max(1)
        })
        .collect();
    near.sort_by_key(|(distance, _)| *distance);
    let mut known: Vec<&str> = Vec::new();
    near.retain(|(_, name)| {
        !known.contains(name) && {
            known.push(name);
            true
        }
    });
    near
}
