//! By which steps something came from its source to a column.

use std::sync::Arc;

use dbjob_plan::Span;

use crate::diagnostic::Diagnostic;

/// The steps, the last one first; shared between the columns that have a part of the way in common.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Way(Option<Arc<Hop>>);

/// A step that handed it on.
#[derive(Debug, PartialEq)]
struct Hop {
    span: Span,
    words: String,
    before: Option<Arc<Hop>>,
}

impl Way {
    /// One step more, at `span`, which does what `words` say.
    pub fn further(&self, span: Span, words: &str) -> Self {
        Self(Some(Arc::new(Hop { span, words: words.to_owned(), before: self.0.clone() })))
    }

    /// The steps in their order.
    fn hops(&self) -> Vec<&Hop> {
        let mut hops: Vec<&Hop> = std::iter::successors(self.0.as_deref(), |hop| hop.before.as_deref()).collect();
        hops.reverse();
        hops
    }

    pub fn passes(&self, span: Span) -> bool {
        self.hops().iter().any(|hop| hop.span == span)
    }

    /// Adds step -> step to a message, each with its place.
    pub fn tell(&self, diagnostic: Diagnostic) -> Diagnostic {
        self.hops().into_iter().fold(diagnostic, |d, hop| d.related(hop.span, hop.words.clone()))
    }
}
