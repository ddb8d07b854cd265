//! Bodies of requests to typed rows. What is wrong with a row is told of that row; the others are read.

mod cell;
pub mod csv;
pub mod duration;
pub mod frame;
pub mod json;
pub mod table;
pub mod tensors;

use crate::Columns;
use crate::problem::{Problem, Wrong};
use crate::shape::Shape;

/// The rows of a body.
#[derive(Debug)]
pub struct Rows {
    /// Those that are right.
    pub good: Columns,
    /// The others (from 0, ascending).
    pub bad: Vec<(usize, Vec<Wrong>)>,
}

impl Rows {
    pub fn count(&self) -> usize {
        self.good.rows() + self.bad.len()
    }
}

/// So many things are told of one body, beyond one a row.
const TOLD: usize = 1000;

/// Fills columns row by row.
pub(crate) struct Filler<'a> {
    shape: &'a Shape,
    limit: usize,
    rows: Rows,
    /// The fields of the row at hand that were there, whether right or not.
    seen: Vec<bool>,
    wrong: Vec<Wrong>,
    /// How much is told of the body so far.
    told: usize,
    /// What makes the whole body be refused although it is JSON.
    problem: Option<Problem>,
}

impl<'a> Filler<'a> {
    pub fn new(shape: &'a Shape, limit: usize) -> Self {
        let rows = Rows { good: Columns::of(shape.fields.iter().map(|r| &r.field)), bad: Vec::new() };
        Self { shape, limit, rows, seen: vec![false; shape.len()], wrong: Vec::new(), told: 0, problem: None }
    }

    /// Something is wrong with the row at hand. The first thing of a row is always told, others as long as it is not too much.
    fn tell(&mut self, wrong: impl FnOnce() -> Wrong) {
        if self.wrong.is_empty() || self.told < TOLD {
            self.told += 1;
            self.wrong.push(wrong());
        }
    }

    /// Ends the row at hand.
    ///
    /// Errors: there are more rows than a request may have.
    fn finish(&mut self) -> Result<(), ()> {
        let shape = self.shape;
        for (at, rule) in shape.fields.iter().enumerate() {
            if !std::mem::take(&mut self.seen[at]) {
                self.tell(|| rule.missing());
            }
        }
        self.end()
    }

    /// The rows that were read.
    ///
    /// Errors: what makes the whole body be refused.
    pub fn done(self) -> Result<Rows, Problem> {
        self.problem.map_or(Ok(self.rows), Err)
    }

    fn end(&mut self) -> Result<(), ()> {
        if self.rows.count() >= self.limit {
            self.problem = Some(too_many(self.limit));
            return Err(());
        }
        if self.wrong.is_empty() {
            self.rows.good.finish_row();
        } else {
            let at = self.rows.count();
            self.rows.good.drop_row();
            self.rows.bad.push((at, std::mem::take(&mut self.wrong)));
        }
        Ok(())
    }
}

pub(crate) fn too_many(limit: usize) -> Problem {
    Problem::new(axum::http::StatusCode::PAYLOAD_TOO_LARGE, format!("a request may have {limit} rows at most"))
}

/// What serde says of a text that is no JSON, or not of the form that is asked for.
pub(crate) fn not_json(error: &serde_json::Error) -> Problem {
    use serde_json::error::Category;
    match error.classify() {
        Category::Data => Problem::unprocessable(error.to_string()),
        _ => Problem::bad_request(format!("the body is not JSON: {error}")),
    }
}
