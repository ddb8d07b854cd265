//! A version of a model that is served.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::HeaderValue;
use dbjob_plan::Manifest;

use crate::queue::{Queue, Refused};
use crate::scorer::{Refusal, Scored, Scorer};
use crate::shape::Shape;
use crate::{Columns, Values};

pub struct Model {
    pub scorer: Arc<dyn Scorer>,
    pub shape: Shape,
    pub stats: Stats,
    /// Its version as the header of its answers.
    pub header: HeaderValue,
    queue: Arc<Queue>,
}

/// What was done so far.
#[derive(Debug, Default)]
pub struct Stats {
    pub rows: AtomicU64,
    pub refused: AtomicU64,
}

impl Model {
    /// `replicas`: how many threads score side by side. `room`: how many rows may wait.
    pub fn start(scorer: Arc<dyn Scorer>, replicas: usize, room: usize) -> std::io::Result<Self> {
        let queue = Queue::start(scorer.clone(), replicas, room)?;
        let header = HeaderValue::from(scorer.manifest().version);
        let shape = Shape::of(scorer.manifest(), scorer.fields());
        Ok(Self { scorer, shape, header, stats: Stats::default(), queue })
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
        let scored = self.queue.score(rows).await?;
        self.stats.rows.fetch_add(count, Ordering::Relaxed);
        self.stats.refused.fetch_add(scored.refusals() as u64, Ordering::Relaxed);
        Ok(scored)
    }

    /// Rows that wait.
    pub fn waiting(&self) -> usize {
        self.queue.waiting()
    }
}

/// When nobody uses this version any more, its threads end. What waits is scored first.
impl Drop for Model {
    fn drop(&mut self) {
        self.queue.close();
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
    /// `rows` from `row` on: their cells from `cell` on, and which of the refusals are theirs.
    pub fn of(all: Arc<Scored>, row: usize, rows: usize, cell: usize, refused: Range<usize>) -> Self {
        Self { all, row, rows, cell, refused }
    }

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
