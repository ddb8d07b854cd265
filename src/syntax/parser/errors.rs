//! pest's errors in the words of the language.

use std::ops::Range;

use pest::error::{Error, ErrorVariant, InputLocation};

use super::{Reader, Rule};
use crate::diagnostic::{Code, Diagnostic};

pub(super) fn position(error: &Error<Rule>) -> usize {
    match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    }
}

impl Reader<'_> {
    /// What is wrong at byte `at`, and the bytes of a foreign comment that may be taken out.
    pub(super) fn explain(
        &mut self,
        rule: Rule,
        range: Range<usize>,
        at: usize,
        error: &Error<Rule>,
    ) -> (Diagnostic, Option<Range<usize>>) {
        let _ = (rule, range);
        let message = match &error.variant {
            ErrorVariant::ParsingError { positives, .. } => format!("expected {positives:?}"),
            ErrorVariant::CustomError { message } => message.clone(),
        };
        let span = dbjob_plan::Span::new(self.layout.file, at, at);
        (Diagnostic::error(Code::E0001, span, message), None)
    }
}
