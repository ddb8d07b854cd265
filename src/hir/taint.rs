//! What a value knows that is not known when a prediction is asked for, and by which way it came to know it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use dbjob_plan::Span;

use super::clock::Clock;
use crate::diagnostic::Diagnostic;

/// The labels, late columns and in-sample predictions that something derives from, by their names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Taint(BTreeMap<String, TaintSource>);

#[derive(Debug, Clone, PartialEq)]
pub struct TaintSource {
    pub kind: TaintKind,
    /// The place that says so.
    pub span: Span,
    /// From when on it is known, as a time of the row that it stands in; not said, or lost on the way: never.
    pub known: Option<Clock>,
    /// The way from there to here, the last hop first.
    way: Option<Arc<Hop>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaintKind {
    Label,
    /// A label that the job computes.
    Built,
    Late,
    /// A prediction on rows that its model learned from.
    InSample,
}

/// A step that handed it on.
#[derive(Debug, PartialEq)]
struct Hop {
    span: Span,
    words: String,
    before: Option<Arc<Hop>>,
}

impl TaintKind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Label | Self::Built => "label",
            Self::Late => "late",
            Self::InSample => "in-sample",
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::Label | Self::Built => "the label",
            Self::Late => "known only after the fact",
            Self::InSample => "a prediction on rows that the model learned from",
        }
    }
}

impl TaintSource {
    pub fn new(kind: TaintKind, span: Span) -> Self {
        Self { kind, span, known: None, way: None }
    }

    /// Adds source -> step -> step to a message, each with its place; a long way is told by its ends.
    pub fn tell(&self, name: &str, mut diagnostic: Diagnostic) -> Diagnostic {
        diagnostic = diagnostic.related(self.span, format!("`{name}` is {}", self.kind.words()));
        let mut hops = Vec::new();
        let mut at = self.way.as_ref();
        while let Some(hop) = at {
            hops.push(hop);
            at = hop.before.as_ref();
        }
        hops.reverse();
        for hop in hops {
            diagnostic = diagnostic.related(hop.span, hop.words.clone());
        }
        diagnostic
    }
}

impl Taint {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &TaintSource)> {
        self.0.iter().map(|(name, source)| (name.as_str(), source))
    }

    /// A source of its own; what was known of it stays.
    pub fn add(&mut self, name: impl Into<String>, source: TaintSource) {
        self.0.entry(name.into()).or_insert(source);
    }

    /// Takes over what another knows; of two ways to one source the first is kept.
    pub fn absorb(&mut self, other: &Taint) {
        for (name, source) in &other.0 {
            match self.0.entry(name.clone()) {
                Entry::Vacant(free) => {
                    free.insert(source.clone());
                }
                // One of the two came from another row.
                Entry::Occupied(mut own) if own.get().known != source.known => own.get_mut().known = None,
                Entry::Occupied(_) => {}
            }
        }
    }

    /// The same for a value that may come from another row than the columns beside it.
    pub fn elsewhere(&self) -> Taint {
        let lost = |source: &TaintSource| TaintSource { known: None, ..source.clone() };
        Taint(self.0.iter().map(|(name, source)| (name.clone(), lost(source))).collect())
    }

    /// From when on a source is known.
    pub fn know(&mut self, name: &str, clock: Clock) {
        if let Some(source) = self.0.get_mut(name) {
            source.known = Some(clock);
        }
    }

    /// Forgets the sources that `keep` does not hold for.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &TaintSource) -> bool) {
        self.0.retain(|name, source| keep(name, source));
    }

    /// The same, one step further: handed on at `span`, which does what `words` say.
    pub fn through(&self, span: Span, words: &str) -> Taint {
        let step = |source: &TaintSource| {
            let way = Some(Arc::new(Hop { span, words: words.to_owned(), before: source.way.clone() }));
            TaintSource { way, ..source.clone() }
        };
        Taint(self.0.iter().map(|(name, source)| (name.clone(), step(source))).collect())
    }
}
