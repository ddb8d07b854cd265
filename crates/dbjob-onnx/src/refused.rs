use dbjob_plan::Span;

/// A part of a model's steps that ONNX cannot express.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    pub span: Span,
    /// What it is, for `ONNX cannot express …`.
    pub what: String,
    /// What to write instead.
    pub help: String,
}

impl Refused {
    pub(crate) fn new(span: Span, what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { span, what: what.into(), help: help.into() }
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ONNX cannot express {}", self.what)
    }
}

impl std::error::Error for Refused {}
