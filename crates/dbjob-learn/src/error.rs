use std::fmt;

/// Why a fit gave no model.
#[derive(Debug, Clone, PartialEq)]
pub struct FitError {
    pub kind: FitErrorKind,
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The feature that it is about.
    pub feature: Option<String>,
    /// The row of the matrix that it is about, 0-based.
    pub row: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FitErrorKind {
    /// The data do not allow a fit.
    Data,
    /// An option is unknown, missing, of the wrong type or out of range.
    Option,
    /// [`crate::FitContext`] said to stop.
    Cancelled,
    /// The optimisation gave numbers that are not finite.
    Diverged,
}

impl FitError {
    pub(crate) fn new(kind: FitErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), help: None, feature: None, row: None }
    }

    pub(crate) fn data(message: impl Into<String>) -> Self {
        Self::new(FitErrorKind::Data, message)
    }

    pub(crate) fn option(message: impl Into<String>) -> Self {
        Self::new(FitErrorKind::Option, message)
    }

    pub(crate) fn cancelled() -> Self {
        Self::new(FitErrorKind::Cancelled, "the fit was stopped")
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn at(mut self, feature: &str, row: usize) -> Self {
        self.feature = Some(feature.to_owned());
        self.row = Some(row);
        self
    }
}

impl fmt::Display for FitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FitError {}
