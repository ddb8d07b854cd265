//! How far the rows of the last hour are from those of the training, while a server runs.

use std::time::{Duration, Instant};

use dbjob_drift::{Cell, Column, Profile, Tally, Window};
use dbjob_plan::{DataType, Field};
use dbjob_serve::{Columns, Scored, Values};

const HOUR: Duration = Duration::from_secs(3600);

/// The window, with the place of each column of the profile among those of requests and of predictions.
pub(super) struct Watched {
    window: Window,
    columns: Vec<Option<usize>>,
    predictions: Vec<Option<usize>>,
}

impl Watched {
    pub fn new(profile: &Profile, fields: &[Field], predictions: &[Field]) -> Self {
        let places = |columns: &[Column], fields: &[Field]| {
            columns.iter().map(|c| fields.iter().position(|f| f.name == c.name)).collect()
        };
        Self {
            columns: places(&profile.columns, fields),
            predictions: places(&profile.predictions, predictions),
            window: Window::new(profile.clone(), HOUR),
        }
    }

    /// Counts rows of requests, and what was said of them.
    pub fn see(&self, rows: &Columns, fields: &[Field], scored: &Scored, predictions: &[Field]) {
        self.window.see(Instant::now(), |columns, answers| {
            for ((column, tally), place) in columns.iter_mut().zip(&self.columns) {
                if let Some(at) = place {
                    count(column, tally, &rows.columns[*at], &fields[*at].dtype);
                }
            }
            for ((column, tally), place) in answers.iter_mut().zip(&self.predictions) {
                if let Some((_, values)) = place.and_then(|at| scored.columns.get(at))
                    && let Some(at) = place
                {
                    count(column, tally, values, &predictions[*at].dtype);
                }
            }
        });
    }

    /// In Prometheus' text format.
    pub fn text(&self, labels: &str) -> String {
        self.window.metrics(labels, Instant::now())
    }
}

fn count(column: &Column, tally: &mut Tally, values: &Values, dtype: &DataType) {
    fn cells<'a, T>(values: &'a [Option<T>], of: impl Fn(&'a T) -> Cell<'a>) -> impl Iterator<Item = Cell<'a>> {
        values.iter().map(move |v| v.as_ref().map_or(Cell::Null, &of))
    }
    match values {
        Values::Bool(v) => tally.extend(column, cells(v, |b| Cell::Level(if *b { "true" } else { "false" }))),
        Values::Int(v) | Values::Datetime(v) | Values::Duration(v) => {
            tally.extend(column, cells(v, |x| Cell::Number(*x as f64)));
        }
        Values::Float(v) => tally.extend(column, cells(v, |x| Cell::Number(*x))),
        Values::Date(v) => tally.extend(column, cells(v, |d| Cell::Number(f64::from(*d)))),
        Values::Text(v) => tally.extend(column, cells(v, |t| Cell::Level(t))),
        Values::Decimal(v) => {
            let scale = if let DataType::Decimal { scale, .. } = dtype { *scale } else { 0 };
            let number = |unscaled: &i128| dbjob_plan::Decimal { unscaled: *unscaled, scale }.to_float();
            tally.extend(column, cells(v, |d| Cell::Number(number(d))));
        }
        Values::List(v) => tally.extend(column, cells(v, |_| Cell::There)),
    }
}
