//! Rows that wait to be scored. Whatever waits is scored together, by a request that waits itself if that is quick, else by
//! threads that are there for nothing else.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::Columns;
use crate::model::Share;
use crate::scorer::{Refusal, Scored, Scorer};

/// So many rows are scored together at most, unless one request has more.
const TOGETHER: usize = 1024;
/// What is quick: so many rows, if the last ones took no longer than this. It holds up the other requests of a thread.
const FEW: usize = 64;
const QUICK: Duration = Duration::from_micros(500);
/// Of so many requests in a row that were alone when they were scored, so many let others go first, in vain.
const TRIED: usize = 64;
const PATIENT: usize = 2;
/// So often in a row a request scores for others.
const TURNS: usize = 4;

pub struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    scorer: Arc<dyn Scorer>,
    /// How many score at the same time at most.
    replicas: usize,
    /// Rows that may wait.
    room: usize,
    /// Whether a few rows took longer than [`QUICK`] when they were scored last. Until it is known, they do.
    slow: AtomicBool,
    /// How many requests in a row were alone when they were scored.
    alone: AtomicUsize,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    rows: usize,
    /// How many score at the moment.
    busy: usize,
    closed: bool,
}

struct Job {
    rows: Columns,
    reply: oneshot::Sender<Share>,
}

/// Why rows are not taken.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// Too many wait already.
    Full,
    /// The model could not be asked.
    Failed,
}

impl Queue {
    /// With its threads, as many as `replicas`. They end when it is closed and nothing waits any more.
    pub fn start(scorer: Arc<dyn Scorer>, replicas: usize, room: usize) -> std::io::Result<Arc<Self>> {
        let replicas = replicas.max(1);
        let (state, filled) = (Mutex::default(), Condvar::new());
        let (slow, alone) = (AtomicBool::new(true), AtomicUsize::new(0));
        let queue = Arc::new(Self { state, filled, scorer, replicas, room, slow, alone });
        for _ in 0..replicas {
            let queue = queue.clone();
            thread::Builder::new().name("score".into()).spawn(move || queue.serve())?;
        }
        Ok(queue)
    }

    /// What the model says of rows.
    pub async fn score(&self, rows: Columns) -> Result<Share, Refused> {
        let here = rows.rows() <= FEW && !self.slow.load(Ordering::Relaxed);
        let (reply, answer) = oneshot::channel();
        self.put(Job { rows, reply })?;
        if here {
            // Requests that came at the same time are read first, and scored together with this one, if there are any:
            // now and then it is tried.
            if self.alone.load(Ordering::Relaxed) % TRIED < PATIENT {
                tokio::task::yield_now().await;
            }
            self.lend_a_hand();
        } else {
            self.filled.notify_one();
        }
        answer.await.map_err(|_| Refused::Failed)
    }

    /// Rows that wait.
    pub fn waiting(&self) -> usize {
        self.lock().rows
    }

    /// What waits is scored; the threads end.
    pub fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, job: Job) -> Result<(), Refused> {
        let mut state = self.lock();
        if state.rows > 0 && state.rows + job.rows.rows() > self.room {
            return Err(Refused::Full);
        }
        state.rows += job.rows.rows();
        state.waiting.push_back(job);
        Ok(())
    }

    /// A request scores what waits; what is still there after some turns is left to the threads.
    fn lend_a_hand(&self) {
        let mut state = self.lock();
        if state.busy == self.replicas {
            // Whoever scores looks again before he ends.
            return;
        }
        state.busy += 1;
        for _ in 0..TURNS {
            if state.waiting.is_empty() {
                break;
            }
            let jobs = state.take(FEW);
            match jobs.len() {
                1 => drop(self.alone.fetch_add(1, Ordering::Relaxed)),
                _ => self.alone.store(0, Ordering::Relaxed),
            }
            drop(state);
            self.work(jobs);
            state = self.lock();
        }
        self.leave(state);
    }

    /// A thread's work.
    fn serve(&self) {
        let mut state = self.lock();
        loop {
            while state.waiting.is_empty() || state.busy == self.replicas {
                if state.closed && state.waiting.is_empty() {
                    return;
                }
                state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.busy += 1;
            let jobs = state.take(TOGETHER);
            drop(state);
            self.work(jobs);
            self.leave(self.lock());
            state = self.lock();
        }
    }

    /// One scores less. What came meanwhile is not forgotten.
    fn leave(&self, mut state: MutexGuard<'_, State>) {
        state.busy -= 1;
        let more = !state.waiting.is_empty();
        drop(state);
        if more {
            self.filled.notify_one();
        }
    }

    fn work(&self, jobs: Vec<Job>) {
        let mut replies = Vec::with_capacity(jobs.len());
        let (mut all, mut more): (Option<Columns>, usize) = (None, jobs.iter().map(|job| job.rows.rows()).sum());
        for job in jobs {
            more -= job.rows.rows();
            // Nobody waits for it any more.
            if job.reply.is_closed() {
                continue;
            }
            replies.push((job.rows.rows(), job.reply));
            match &mut all {
                Some(all) => all.append(job.rows),
                None => {
                    let mut first = job.rows;
                    first.reserve(more);
                    all = Some(first);
                }
            }
        }
        let Some(rows) = all else { return };
        let begun = Instant::now();
        let scored = guarded(&*self.scorer, &rows);
        if rows.rows() <= FEW {
            self.slow.store(begun.elapsed() > QUICK, Ordering::Relaxed);
        }
        hand_out(scored, replies);
    }
}

impl State {
    /// What waits, in its order, up to so many rows, but one request at least.
    fn take(&mut self, limit: usize) -> Vec<Job> {
        let (mut jobs, mut rows) = (Vec::new(), 0);
        while let Some(job) = self.waiting.front() {
            if !jobs.is_empty() && rows + job.rows.rows() > limit {
                break;
            }
            rows += job.rows.rows();
            jobs.extend(self.waiting.pop_front());
        }
        self.rows -= rows;
        jobs
    }
}

/// A panic must not take the thread down, nor other requests.
fn guarded(scorer: &dyn Scorer, rows: &Columns) -> Scored {
    catch_unwind(AssertUnwindSafe(|| scorer.score(rows))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref().copied());
        let why = format!("panic: {}", text.unwrap_or("no message"));
        Scored {
            columns: Vec::new(),
            refused: (0..rows.rows()).map(|row| (row, Refusal::Failed(why.clone()))).collect(),
        }
    })
}

/// Each request gets its own rows.
fn hand_out(scored: Scored, replies: Vec<(usize, oneshot::Sender<Share>)>) {
    let all = Arc::new(scored);
    let (mut row, mut cell, mut refused) = (0, 0, 0);
    for (rows, reply) in replies {
        let count = all.refused[refused..].iter().take_while(|(at, _)| *at < row + rows).count();
        let share = Share::of(all.clone(), row, rows, cell, refused..refused + count);
        (row, cell, refused) = (row + rows, cell + rows - count, refused + count);
        // Who has gone away misses nothing.
        let _ = reply.send(share);
    }
}

#[cfg(test)]
mod tests;
