//! The trials of a search, made when what they follow from is known.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use dbjob_plan::Algorithm;

use crate::learn::{Found, Trials};

pub(super) struct Line<'a> {
    trials: &'a Trials<'a>,
    state: Mutex<State>,
    more: Condvar,
}

struct State {
    /// By number; `None`: there was no other one left.
    made: BTreeMap<usize, Option<Algorithm>>,
    found: Vec<Found>,
}

impl<'a> Line<'a> {
    /// Those that follow from no others are made.
    pub fn of(trials: &'a Trials<'a>) -> Self {
        let (count, mut made) = (trials.count(), BTreeMap::new());
        for number in (0..count).filter(|n| trials.follows(*n).is_empty()) {
            trials.make(number, &mut made, &[]);
        }
        Self { trials, state: Mutex::new(State { made, found: vec![None; count] }), more: Condvar::new() }
    }

    /// A trial, as soon as all is known that it follows from; `None`: there is no other one left. Who takes trials takes them in
    /// their order and must [`Self::promise`] each before.
    pub fn take(&self, number: usize) -> Option<Algorithm> {
        let follows = self.trials.follows(number);
        let mut state = self.state();
        while !state.made.contains_key(&number) && state.found[follows.clone()].iter().any(Option::is_none) {
            state = self.more.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let State { made, found } = &mut *state;
        self.trials.make(number, made, found);
        made[&number].clone()
    }

    pub fn is_made(&self, number: usize) -> bool {
        self.state().made.contains_key(&number)
    }

    /// What was found of a trial will be known, whatever happens on the way.
    pub fn promise(&self, number: usize) -> Promise<'_> {
        Promise { line: self, number, value: None }
    }

    /// Trials by number.
    pub fn made(&self) -> BTreeMap<usize, Algorithm> {
        self.state().made.iter().filter_map(|(n, trial)| Some((*n, trial.clone()?))).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Dropped, it tells the value; the first one counts.
pub(super) struct Promise<'a> {
    line: &'a Line<'a>,
    number: usize,
    pub value: Option<f64>,
}

impl Drop for Promise<'_> {
    fn drop(&mut self) {
        self.line.state().found[self.number].get_or_insert(self.value);
        self.line.more.notify_all();
    }
}
