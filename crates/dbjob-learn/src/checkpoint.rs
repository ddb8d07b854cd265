use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::context::Checkpoints;
use crate::store::{Stored, write};
use crate::{FitContext, Matrix, Target, Tensors};

const KEY: &str = "dbjob.checkpoint";

#[derive(Serialize, Deserialize)]
struct Header {
    /// What is fitted, and by which program.
    fit: String,
    /// Rounds.
    done: u64,
}

/// Keeps the state of one fit now and then. A state is a safetensors file.
pub(crate) struct Keeper<'a> {
    to: Option<Checkpoints<'a>>,
    fit: String,
    last: Mutex<Instant>,
}

impl<'a> Keeper<'a> {
    /// `learner`: the algorithm with its options and seed.
    pub fn new(
        cx: &FitContext<'a>,
        learner: &impl std::fmt::Debug,
        x: &Matrix,
        y: &Target,
        weights: Option<&[f64]>,
    ) -> Self {
        let fit = cx.checkpoints.map(|_| {
            let valid = cx.valid.map(|valid| identity("", valid.x, valid.y, valid.weights));
            identity(&format!("{learner:?} {:?} {valid:?}", cx.rounds), x, y, weights)
        });
        let fit = fit.unwrap_or_default();
        Self { to: cx.checkpoints, fit, last: Mutex::new(Instant::now()) }
    }

    /// The rounds and the state to go on from, if there are some of this very fit.
    pub fn resume(&self) -> Option<(u64, Stored<'a>)> {
        let (header, stored) = Stored::read(self.to?.resume?, KEY).ok()?;
        let header: Header = serde_json::from_str(&header).ok()?;
        (header.fit == self.fit).then_some((header.done, stored))
    }

    /// Keeps the state if it is time to, or `now` at any rate.
    pub fn keep(&self, now: bool, done: u64, state: impl FnOnce() -> Tensors) {
        self.keep_with(now, || Some((done, state())));
    }

    /// The same with the rounds that the state is of; `None`: there is nothing to keep.
    pub fn keep_with(&self, now: bool, state: impl FnOnce() -> Option<(u64, Tensors)>) {
        let Some(to) = self.to else { return };
        // Who finds it taken comes while another state is being kept.
        let Ok(mut last) = self.last.try_lock() else { return };
        if !now && last.elapsed() < to.interval {
            return;
        }
        if let Some((done, tensors)) = state() {
            let header = Header { fit: self.fit.clone(), done };
            let header = serde_json::to_string(&header).expect("words and numbers are JSON");
            (to.save)(&write(&tensors, KEY, header));
        }
        *last = Instant::now();
    }
}

/// Tells one fit from another. Another version of the program may compute otherwise.
fn identity(learner: &str, x: &Matrix, y: &Target, weights: Option<&[f64]>) -> String {
    let mut hash = DefaultHasher::new();
    let mut floats = |values: &[f64]| values.iter().for_each(|v| hash.write_u64(v.to_bits()));
    (0..x.width()).for_each(|j| floats(x.column(j)));
    weights.into_iter().for_each(&mut floats);
    match y {
        Target::Numbers(numbers) => floats(numbers),
        Target::Classes { codes, count } => (codes, count).hash(&mut hash),
        Target::Unlabelled(_) => {}
    }
    (x.names(), x.rows(), weights.is_some()).hash(&mut hash);
    format!("{} {learner} {:016x}", env!("CARGO_PKG_VERSION"), hash.finish())
}
