//! What a value knows that is not known when a prediction is asked for, and by which way it came to know it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use dbjob_plan::Span;

use super::clock::Clock;
use super::way::Way;
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
    way: Way,
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
        Self { kind, span, known: None, way: Way::default() }
    }

    /// Adds source -> step -> step to a message, each with its place.
    pub fn tell(&self, name: &str, diagnostic: Diagnostic) -> Diagnostic {
        self.way.tell(diagnostic.related(self.span, format!("`{name}` is {}", self.kind.words())))
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
        let step = |source: &TaintSource| TaintSource { way: source.way.further(span, words), ..source.clone() };
        Taint(self.0.iter().map(|(name, source)| (name.clone(), step(source))).collect())
    }
}
