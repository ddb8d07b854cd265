/// What a fit gets from outside: cores, and whom to tell.
pub struct FitContext<'a> {
    /// Cores to use, at least 1. The model does not depend on it.
    pub threads: usize,
    /// Called after every round of an iterative fit, from any thread, one call at a time in order of `done`.
    pub progress: &'a (dyn Fn(Progress) + Sync),
    /// Asked at least once a round; true stops the fit with [`crate::FitErrorKind::Cancelled`].
    pub cancelled: &'a (dyn Fn() -> bool + Sync),
    /// Told what the user should know about a fit that succeeded: that it did not converge.
    pub warn: &'a (dyn Fn(String) + Sync),
}

/// The state after `done` of at most `total` rounds: iterations, epochs or trees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    pub done: u64,
    pub total: u64,
    /// The objective on the train rows, where the algorithm has one.
    pub loss: Option<f64>,
}

impl FitContext<'static> {
    /// Tells nobody and never stops.
    pub fn quiet(threads: usize) -> Self {
        Self { threads, progress: &|_| {}, cancelled: &|| false, warn: &|_| {} }
    }
}
