use dbjob_plan::Span;

/// A change of the text that mends a problem, certain enough to be made without asking.
#[derive(Debug, Clone, PartialEq)]
pub struct Fix {
    /// What it does, as an order: `write `age``.
    pub title: String,
    /// The text that takes the place of each span. Spans do not overlap; an empty one is an insertion.
    pub edits: Vec<(Span, String)>,
}
