use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::FitError;

/// A fixed number of threads of its own. With one thread the work is done on the caller's.
pub struct Pool {
    threads: Option<rayon::ThreadPool>,
}

impl Pool {
    /// Errors when the system gives no threads.
    pub fn new(threads: usize) -> Result<Self, FitError> {
        if threads <= 1 {
            return Ok(Self::single());
        }
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|e| FitError::data(format!("cannot start {threads} threads: {e}")))?;
        Ok(Self { threads: Some(pool) })
    }

    pub const fn single() -> Self {
        Self { threads: None }
    }

    pub(crate) fn threads(&self) -> usize {
        self.threads.as_ref().map_or(1, rayon::ThreadPool::current_num_threads)
    }

    /// `work(0), work(1), …` in this order, whichever thread did them.
    pub(crate) fn run<T: Send>(&self, count: usize, work: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
        match &self.threads {
            Some(pool) if count > 1 => pool.install(|| (0..count).into_par_iter().map(work).collect()),
            _ => (0..count).map(work).collect(),
        }
    }

    /// The work on a thread of the pool, from where others are reached sooner.
    pub(crate) fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.threads {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    /// `work(0, first), work(1, second), …`, whichever thread did them; with `here` the caller's.
    pub(crate) fn each<P: Send, T: Send>(
        &self,
        parts: Vec<P>,
        here: bool,
        work: impl Fn(usize, P) -> T + Sync + Send,
    ) -> Vec<T> {
        match &self.threads {
            Some(pool) if parts.len() > 1 && !here => {
                pool.install(|| parts.into_par_iter().enumerate().map(|(i, part)| work(i, part)).collect())
            }
            _ => parts.into_iter().enumerate().map(|(i, part)| work(i, part)).collect(),
        }
    }

    /// `work(0), work(1), …` begun in this order, until one of them says false.
    pub(crate) fn run_in_order(&self, count: usize, work: impl Fn(usize) -> bool + Sync + Send) {
        let next = AtomicUsize::new(0);
        let take = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return;
                }
                if !work(number) {
                    next.store(count, Ordering::Relaxed);
                    return;
                }
            }
        };
        match &self.threads {
            Some(pool) if count > 1 => drop(pool.broadcast(|_| take())),
            _ => take(),
        }
    }
}

/// Row ranges of at most `size` that cover `rows`: the unit of work, the same for any number of threads.
pub(crate) fn blocks(rows: usize, size: usize) -> Vec<std::ops::Range<usize>> {
    (0..rows).step_by(size).map(|start| start..(start + size).min(rows)).collect()
}
