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
    /// What the message says before its row, and behind it.
    around_row: (String, String),
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
        Self { kind, message: message.into(), help: None, feature: None, row: None, around_row: Default::default() }
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

    /// About a row of the matrix: `before`, its number, `behind`.
    pub(crate) fn in_row(before: impl Into<String>, row: usize, behind: impl Into<String>) -> Self {
        let (before, behind) = (before.into(), behind.into());
        let message = format!("{before} in row {}{behind}", row + 1);
        Self { row: Some(row), around_row: (before, behind), ..Self::data(message) }
    }

    /// About a feature.
    pub(crate) fn of(mut self, feature: &str) -> Self {
        self.feature = Some(feature.to_owned());
        self
    }

    /// The message with another number (1-based) for its row, if it has one: rows of a matrix are chosen from those of a
    /// table.
    pub fn told(&self, number: impl Fn(usize) -> u64) -> String {
        let (before, behind) = &self.around_row;
        self.row.map_or_else(|| self.message.clone(), |row| format!("{before} in row {}{behind}", number(row)))
    }
}

impl fmt::Display for FitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FitError {}
