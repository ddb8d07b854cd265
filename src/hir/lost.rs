use std::collections::BTreeSet;
use std::sync::RwLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::syntax::ast::File;

/// The names that broken statements would have declared: who misses one of them is not told again.
#[derive(Debug, Default)]
pub struct Lost {
    /// They change when a text is checked again, for all tables at once.
    names: RwLock<(BTreeSet<String>, bool, bool)>,
    /// How often it was asked.
    asked: AtomicUsize,
}

impl Lost {
    pub fn of(file: &File) -> Self {
        let lost = Self::default();
        lost.set(file, false);
        lost
    }

    /// Whether that is a change. `torn`: a bracket is never closed.
    pub fn set(&self, file: &File, torn: bool) -> bool {
        let names = (file.lost.iter().map(|name| name.name.clone()).collect(), torn, file.headless);
        let mut here = self.names.write().expect("no thread panics with the lock");
        let changed = *here != names;
        *here = names;
        changed
    }

    pub fn contains(&self, name: &str) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.names.read().expect("no thread panics with the lock").0.contains(name)
    }

    pub fn is_empty(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.names.read().expect("no thread panics with the lock").0.is_empty()
    }

    /// Something else was asked that a broken text answers otherwise.
    pub fn note(&self) {
        self.asked.fetch_add(1, Ordering::Relaxed);
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}
