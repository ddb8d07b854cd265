//! pest's errors in the words of the language.

use std::ops::Range;

use pest::error::{Error, ErrorVariant, InputLocation};

use super::usage::{phrase, usage};
use super::{Reader, Rule};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::mistake::{self, Place};
use crate::syntax::token::TokenKind;

pub(super) fn position(error: &Error<Rule>) -> usize {
    match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    }
}

/// What is wrong, and what to take out to read on.
pub(super) struct Explained {
    pub error: Diagnostic,
    /// Bytes of the file.
    pub cut: Option<Range<usize>>,
    /// The token where the next statement begins, if this one took it in.
    pub next: Option<usize>,
    /// The token where a next statement begins that is a part of this one.
    pub skip: Option<usize>,
}

impl Reader<'_> {
    /// What is wrong at byte `at` of the statement `range`. `text` is what was parsed, from `self.base` on.
    pub(super) fn explain(
        &self,
        rule: Rule,
        range: Range<usize>,
        at: usize,
        error: &Error<Rule>,
        text: &str,
    ) -> Explained {
        let layout = self.layout;
        let ErrorVariant::ParsingError { positives, .. } = &error.variant else {
            let error = Diagnostic::error(Code::E0001, layout.span(range), "this statement is nested too deeply")
                .label("too deep")
                .help("compute a part of it in a statement of its own");
            return Explained { error, cut: None, next: None, skip: None };
        };
        let found = range
            .clone()
            .find(|token| layout.tokens[*token].is_significant() && layout.tokens[*token].end as usize > at);
        let place = Place {
            layout,
            range: range.clone(),
            found,
            wants_name: positives.iter().any(|rule| is_name(*rule)),
            wants_else: positives.contains(&Rule::kw_else) && !positives.contains(&Rule::EOI),
            wants_then: positives.contains(&Rule::kw_then),
            wants_range: positives.contains(&Rule::op_range) && !positives.contains(&Rule::EOI),
            wants_arrow: positives.contains(&Rule::arrow),
            wants_value: positives.contains(&Rule::expr),
            may_end: positives.contains(&Rule::EOI),
            setting: rule == Rule::setting_statement,
        };
        if let Some(comment) = mistake::foreign_comment(&place)
            && text[comment.start - self.base..].starts_with("//")
        {
            let span = dbjob_plan::Span::new(layout.file, comment.start, comment.start + 2);
            let error = Diagnostic::error(Code::E0001, span, "a comment does not begin with `//`")
                .label("this divides")
                .instead("#");
            return Explained { error, cut: Some(comment), next: None, skip: None };
        }
        if let Some(comment) = mistake::block_comment(&place) {
            let span = layout.span(comment.start..comment.start + 2);
            let error = Diagnostic::error(Code::E0001, span, "there are no `/* */` comments")
                .label("here")
                .help("write `#` before each line");
            let next = layout.next_significant(comment.end).filter(|next| {
                let line_end = layout.tokens[comment.end..*next].iter().any(|token| token.kind == TokenKind::LineEnd);
                line_end && *next < range.end
            });
            let end = if next.is_some() { range.end } else { comment.end };
            let cut = layout.span(comment.start..end);
            return Explained { error, cut: Some(cut.start as usize..cut.end as usize), next, skip: None };
        }
        if let Some((error, next)) = mistake::goes_on_by_accident(&place) {
            let start = error.span.start as usize;
            return Explained {
                error,
                cut: Some(start..layout.span(range).end as usize),
                next: Some(next),
                skip: None,
            };
        }
        let error = match mistake::find(&place) {
            Some(error) => error,
            None => self.generic(&place, positives),
        };
        let mut error = if error.help.is_none() { error.help(usage(rule)) } else { error };
        // `map a` and `with b` on two lines.
        let below = layout.next_significant(range.end).filter(|below| {
            let word = format!("`{}`", layout.symbol(*below));
            let is_word = layout.tokens[*below].kind == TokenKind::Word;
            found.is_none() && is_word && positives.iter().any(|rule| phrase(*rule) == Some(&word))
        });
        if let Some(below) = below {
            let word = layout.symbol(below);
            error = error.help(format!("a statement ends with its line: write `{word}` on the same line"));
        }
        Explained { error, cut: self.broken_entry(range, at), next: None, skip: below }
    }

    fn generic(&self, place: &Place<'_>, positives: &[Rule]) -> Diagnostic {
        let layout = self.layout;
        let mut wanted: Vec<&str> = Vec::new();
        for rule in positives {
            if let Some(phrase) = phrase(*rule)
                && !wanted.contains(&phrase)
            {
                wanted.push(phrase);
            }
        }
        // After a whole operand much may follow that says little.
        if wanted.contains(&"an operator") {
            wanted.retain(|phrase| !matches!(*phrase, "`(`" | "`.`" | "`over`" | "`=`" | "`in`" | "`..`"));
        }
        if wanted.len() > 3 {
            wanted.retain(|phrase| !matches!(*phrase, "an operator" | "`?`" | "`in`" | "`named`"));
        }
        let ends = positives.contains(&Rule::EOI);
        let wanted = match (wanted.is_empty(), ends) {
            (true, true) => "the end of the statement".to_owned(),
            (true, false) => String::new(),
            (false, _) => either(&wanted),
        };
        match place.found {
            Some(found) => {
                let written = describe(layout.tokens[found].kind, layout.text_of(found));
                let span = layout.tokens[found].span(layout.file);
                let message = match (wanted.is_empty(), ends) {
                    (true, _) => format!("{written} does not belong here"),
                    (false, true) if wanted != "the end of the statement" => {
                        format!("{written} does not belong here; {wanted} could stand here, or the statement could end")
                    }
                    _ => format!("expected {wanted}, found {written}"),
                };
                Diagnostic::error(Code::E0001, span, message).label("unexpected")
            }
            None => {
                let last = place.range.end - 1;
                let span = layout.tokens[last].span(layout.file);
                let error = Diagnostic::error(Code::E0001, span, "the statement ends too early");
                match wanted.as_str() {
                    "" => error.label("something is missing after this"),
                    wanted => error.label(format!("{wanted} is missing after this")),
                }
            }
        }
    }
}

fn is_name(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::name
            | Rule::column_name
            | Rule::columns
            | Rule::derived
            | Rule::assigned
            | Rule::selector
            | Rule::selection
            | Rule::operation
            | Rule::column
            | Rule::setting
            | Rule::option
            | Rule::cell
            | Rule::reference
            | Rule::expr
    )
}

fn describe(kind: TokenKind, written: &str) -> String {
    match kind {
        TokenKind::String => "a string".to_owned(),
        TokenKind::Number => format!("the number `{written}`"),
        TokenKind::Date => format!("the date `{written}`"),
        _ => format!("`{written}`"),
    }
}

fn either(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [init @ .., last] => format!("{} or {last}", init.join(", ")),
    }
}
