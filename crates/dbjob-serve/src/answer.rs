//! What a caller gets, row by row.

use std::io::Write as _;

use dbjob_plan::{Value, Values, contract};
use serde_json::Value as J;

use crate::model::{Model, Share};
use crate::problem::{Problem, Wrong};
use crate::read::{Rows, duration};
use crate::scorer::Refusal;

/// The predictions of the rows of a request, and what is wrong with the others.
pub struct Answer<'a> {
    model: &'a Model,
    share: Share,
    bad: Vec<(usize, Vec<Wrong>)>,
    rows: usize,
}

/// What became of a row.
pub enum Row {
    /// The place of its cells in the columns.
    Cell(usize),
    Wrong(Vec<Wrong>),
    Failed(String),
}

impl<'a> Answer<'a> {
    /// `share`: of the rows that were read.
    pub fn new(model: &'a Model, share: Share, rows: usize, bad: Vec<(usize, Vec<Wrong>)>) -> Self {
        Self { model, share, bad, rows }
    }

    pub fn columns(&self) -> &[(String, Values)] {
        self.share.columns()
    }

    /// What became of each row, in their order.
    pub fn each(&self) -> impl Iterator<Item = Row> {
        let mut bad = self.bad.iter().peekable();
        let mut scored = self.share.rows();
        (0..self.rows).map(move |at| match bad.next_if(|(row, _)| *row == at) {
            Some((_, wrong)) => Row::Wrong(wrong.clone()),
            None => match scored.next() {
                Some(Ok(cell)) => Row::Cell(cell),
                Some(Err(Refusal::Row { reason, column })) => Row::Wrong(vec![self.refused(reason, column.as_deref())]),
                Some(Err(Refusal::Failed(why))) => Row::Failed(why.clone()),
                None => Row::Failed("the model gave no answer for a row".to_owned()),
            },
        })
    }

    /// The field of the request where the column is one; else the column is part of the reason.
    fn refused(&self, reason: &str, column: Option<&str>) -> Wrong {
        let rule = column.and_then(|c| self.model.shape.fields.iter().find(|r| r.field.name == c));
        match rule {
            Some(rule) => rule.wrong(reason),
            None => Wrong::new(None, reason),
        }
    }

    /// The answer to one row that stands for itself.
    pub fn one(&self) -> Result<Vec<u8>, Problem> {
        match self.each().next() {
            Some(Row::Cell(cell)) => {
                let mut out = Vec::with_capacity(128);
                self.object(cell, &mut out);
                Ok(out)
            }
            Some(Row::Wrong(wrong)) => Err(Problem::refused(wrong)),
            Some(Row::Failed(_)) | None => Err(failed()),
        }
    }

    /// A list with a prediction or a problem for each row.
    pub fn list(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.rows * 96 + 2);
        for (at, row) in self.each().enumerate() {
            out.push(if at == 0 { b'[' } else { b',' });
            match row {
                Row::Cell(cell) => self.object(cell, &mut out),
                Row::Wrong(mut wrong) => {
                    wrong.iter_mut().for_each(|w| w.row = Some(at + 1));
                    out.extend(Problem::refused(wrong).json());
                }
                Row::Failed(_) => out.extend(failed().json()),
            }
        }
        if self.rows == 0 {
            out.push(b'[');
        }
        out.push(b']');
        out
    }

    /// For protocols that know no problem of a row: the cells of all rows.
    ///
    /// Errors: what is wrong with rows.
    pub fn whole(&self) -> Result<Vec<usize>, Problem> {
        let (mut cells, mut wrong) = (Vec::with_capacity(self.rows), Vec::new());
        for (at, row) in self.each().enumerate() {
            match row {
                Row::Cell(cell) => cells.push(cell),
                Row::Wrong(all) => wrong.extend(all.into_iter().map(|w| Wrong { row: Some(at + 1), ..w })),
                Row::Failed(_) => return Err(failed()),
            }
        }
        if wrong.is_empty() { Ok(cells) } else { Err(Problem::refused(wrong)) }
    }

    /// Writes the prediction of a row.
    pub fn object(&self, cell: usize, out: &mut Vec<u8>) {
        for (i, (name, values)) in self.columns().iter().enumerate() {
            out.push(if i == 0 { b'{' } else { b',' });
            text(name, out);
            out.push(b':');
            value(values, cell, self.scale(i), out);
        }
        out.push(b'}');
    }

    /// Digits after the point, where the column is a decimal.
    fn scale(&self, column: usize) -> u8 {
        match (column, &self.model.manifest().output.dtype) {
            (0, dbjob_plan::DataType::Decimal { scale, .. }) => *scale,
            _ => 0,
        }
    }

    /// Writes a cell of a column as JSON.
    pub fn cell(&self, column: usize, cell: usize, out: &mut Vec<u8>) {
        value(&self.columns()[column].1, cell, self.scale(column), out);
    }

    /// Why rows could not be scored, for the log.
    pub fn failure(&self) -> Option<String> {
        self.each().find_map(|row| match row {
            Row::Failed(why) => Some(why),
            _ => None,
        })
    }
}

pub fn failed() -> Problem {
    Problem::new(
        axum::http::StatusCode::INTERNAL_SERVER_ERROR,
        "the model could not be asked; the server's log says why",
    )
}

fn text(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text).expect("texts can be written");
}

fn value(values: &Values, at: usize, scale: u8, out: &mut Vec<u8>) {
    const NULL: &[u8] = b"null";
    match values {
        Values::Bool(v) => out.extend(v[at].map_or(NULL, |b| if b { b"true" } else { b"false" })),
        Values::Int(v) => match v[at] {
            Some(x) => write!(out, "{x}").expect("memory takes it"),
            None => out.extend(NULL),
        },
        // Infinities are null: JSON has none.
        Values::Float(v) => serde_json::to_writer(out, &v[at]).expect("numbers can be written"),
        Values::Text(v) => match &v[at] {
            Some(x) => text(x, out),
            None => out.extend(NULL),
        },
        other => serde_json::to_writer(out, &json(other, at, scale)).expect("values can be written"),
    }
}

/// A cell as it stands in requests and answers; `scale` is that of a decimal.
pub fn json(values: &Values, at: usize, scale: u8) -> J {
    item(&values.value(at, scale))
}

/// As contracts have values, but for durations: a caller sends and gets these in ISO 8601.
fn item(value: &Value) -> J {
    match value {
        Value::Duration(us) => duration::write(*us).into(),
        Value::List(items) => items.iter().map(item).collect(),
        other => contract::json(other),
    }
}

/// Of one body: what was read, and what is to be scored of it.
pub async fn ask<'a>(model: &'a Model, rows: Rows) -> Result<Answer<'a>, Problem> {
    let count = rows.count();
    match model.score(rows.good).await {
        Ok(share) => Ok(Answer::new(model, share, count, rows.bad)),
        Err(crate::queue::Refused::Full) => {
            let why = "too many rows wait to be scored; try again later";
            Err(Problem::new(axum::http::StatusCode::SERVICE_UNAVAILABLE, why))
        }
        Err(crate::queue::Refused::Failed) => Err(failed()),
    }
}
