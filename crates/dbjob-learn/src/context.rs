use std::time::Duration;

use crate::{Matrix, Target};

/// What a fit gets from outside: cores, time, and whom to tell.
pub struct FitContext<'a> {
    /// Cores to use, at least 1. The model does not depend on it.
    pub threads: usize,
    /// Called after every round of an iterative fit, from any thread, one call at a time in order of `done`.
    pub progress: &'a (dyn Fn(Progress) + Sync),
    /// Asked often, from any thread; true stops the fit with [`crate::FitErrorKind::Cancelled`].
    pub cancelled: &'a (dyn Fn() -> bool + Sync),
    /// Asked often, from any thread; once it is true an iterative fit ends with the best model so far. See
    /// [`crate::Fitted::ended_early`].
    pub out_of_time: &'a (dyn Fn() -> bool + Sync),
    /// Told what the user should know about a fit that succeeded: that it did not converge.
    pub warn: &'a (dyn Fn(String) + Sync),
    pub checkpoints: Option<Checkpoints<'a>>,
    /// For algorithms that stop early; without it they hold out some of the train rows.
    pub valid: Option<Valid<'a>>,
    /// After how many rounds a fit that stops early ends, where that is known before: then no rows judge it.
    pub rounds: Option<u64>,
}

/// Rows that are not learned from: they tell an iterative fit when to stop.
#[derive(Clone, Copy)]
pub struct Valid<'a> {
    /// With the features of the train rows.
    pub x: &'a Matrix,
    /// Of the same kind as that of the train rows. A class of no train row is left out.
    pub y: &'a Target,
    pub weights: Option<&'a [f64]>,
}

/// Where an iterative fit keeps its state, to go on from there after an interruption. A fit that goes on gives the model,
/// bit for bit, of one that was never interrupted.
#[derive(Clone, Copy)]
pub struct Checkpoints<'a> {
    /// The time between two of them; one more is kept when the fit is stopped.
    pub interval: Duration,
    /// Gets the whole state each time, from any thread, one call at a time.
    pub save: &'a (dyn Fn(&[u8]) + Sync),
    /// What an earlier fit saved last. Not used unless it is of these very rows, this algorithm, these options and seed.
    pub resume: Option<&'a [u8]>,
}

/// The state after `done` of at most `total` rounds: iterations, epochs or trees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    pub done: u64,
    pub total: u64,
    /// The objective on the train rows, where the algorithm has one.
    pub loss: Option<f64>,
    /// The objective on rows that are not learned from, where the fit stops by it.
    pub valid: Option<f64>,
}

impl FitContext<'static> {
    /// Tells nobody and never stops.
    pub fn quiet(threads: usize) -> Self {
        Self {
            threads,
            progress: &|_| {},
            cancelled: &|| false,
            out_of_time: &|| false,
            warn: &|_| {},
            checkpoints: None,
            valid: None,
            rounds: None,
        }
    }
}

impl FitContext<'_> {
    /// Whether there is a reason not to go on.
    pub(crate) fn stops(&self) -> bool {
        (self.cancelled)() || (self.out_of_time)()
    }
}
