//! A version of a model that is served: requests wait in a queue, and its threads score together whatever waits.

use std::collections::VecDeque;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use dbjob_plan::Manifest;
use tokio::sync::oneshot;

use crate::scorer::{Refusal, Scored, Scorer};
use crate::shape::Shape;
use crate::{Columns, Values};

/// So many rows are scored together at most, unless one request has more.
const TOGETHER: usize = 1024;

pub struct Model {
    pub scorer: Arc<dyn Scorer>,
    pub shape: Shape,
    pub stats: Stats,
    queue: Arc<Queue>,
}

/// What was done so far.
#[derive(Debug, Default)]
pub struct Stats {
    pub rows: AtomicU64,
    pub refused: AtomicU64,
}

struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    /// Rows that may wait.
    room: usize,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    rows: usize,
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

impl Model {
    /// `replicas`: how many threads score side by side. `room`: how many rows may wait.
    pub fn start(scorer: Arc<dyn Scorer>, replicas: usize, room: usize) -> std::io::Result<Self> {
        let queue = Arc::new(Queue { state: Mutex::default(), filled: Condvar::new(), room });
        for _ in 0..replicas.max(1) {
            let (queue, scorer) = (queue.clone(), scorer.clone());
            thread::Builder::new().name("score".into()).spawn(move || work(&queue, &*scorer))?;
        }
        let shape = Shape::of(scorer.manifest(), scorer.fields());
        Ok(Self { scorer, shape, stats: Stats::default(), queue })
    }

    pub fn manifest(&self) -> &Manifest {
        self.scorer.manifest()
    }

    pub fn name(&self) -> &str {
        &self.manifest().model
    }

    /// What the model says of rows; they are scored together with those of other requests.
    pub async fn score(&self, rows: Columns) -> Result<Share, Refused> {
        if rows.rows() == 0 {
            return Ok(Share::none());
        }
        let count = rows.rows() as u64;
        let (reply, answer) = oneshot::channel();
        self.queue.put(Job { rows, reply })?;
        let scored = answer.await.map_err(|_| Refused::Failed)?;
        self.stats.rows.fetch_add(count, Ordering::Relaxed);
        self.stats.refused.fetch_add(scored.refusals() as u64, Ordering::Relaxed);
        Ok(scored)
    }

    /// Rows that wait.
    pub fn waiting(&self) -> usize {
        self.queue.lock().rows
    }
}

/// When nobody uses this version any more, its threads end. What waits is scored first.
impl Drop for Model {
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.filled.notify_all();
    }
}

impl Queue {
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
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// What waits, up to [`TOGETHER`] rows; waits for something, not for more. `None`: closed and empty.
    fn take(&self) -> Option<Vec<Job>> {
        let mut state = self.lock();
        while state.waiting.is_empty() {
            if state.closed {
                return None;
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let (mut jobs, mut rows) = (Vec::new(), 0);
        while let Some(job) = state.waiting.front() {
            if rows > 0 && rows + job.rows.rows() > TOGETHER {
                break;
            }
            rows += job.rows.rows();
            jobs.extend(state.waiting.pop_front());
        }
        state.rows -= rows;
        Some(jobs)
    }
}

fn work(queue: &Queue, scorer: &dyn Scorer) {
    while let Some(jobs) = queue.take() {
        let mut replies = Vec::with_capacity(jobs.len());
        let mut all: Option<Columns> = None;
        for job in jobs {
            // Nobody waits for it any more.
            if job.reply.is_closed() {
                continue;
            }
            replies.push((job.rows.rows(), job.reply));
            match &mut all {
                Some(all) => all.append(job.rows),
                None => all = Some(job.rows),
            }
        }
        let Some(rows) = all else { continue };
        let scored = guarded(scorer, &rows);
        hand_out(scored, replies);
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
        let share = Share { all: all.clone(), row, rows, cell, refused: refused..refused + count };
        (row, cell, refused) = (row + rows, cell + rows - count, refused + count);
        // Who has gone away misses nothing.
        let _ = reply.send(share);
    }
}

/// A request's part of what was scored together.
#[derive(Debug)]
pub struct Share {
    all: Arc<Scored>,
    row: usize,
    rows: usize,
    cell: usize,
    refused: Range<usize>,
}

impl Share {
    fn none() -> Self {
        Self { all: Arc::default(), row: 0, rows: 0, cell: 0, refused: 0..0 }
    }

    pub fn columns(&self) -> &[(String, Values)] {
        &self.all.columns
    }

    /// For each row the place of its cells in the columns, or why it has none.
    pub fn rows(&self) -> impl Iterator<Item = Result<usize, &Refusal>> {
        let mut refused = self.all.refused[self.refused.clone()].iter().peekable();
        let mut cell = self.cell;
        (self.row..self.row + self.rows).map(move |row| match refused.next_if(|(at, _)| *at == row) {
            Some((_, why)) => Err(why),
            None => {
                cell += 1;
                Ok(cell - 1)
            }
        })
    }

    fn refusals(&self) -> usize {
        self.refused.len()
    }
}
