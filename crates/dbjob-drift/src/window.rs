use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::compare::{ColumnDrift, Drift, drift};
use crate::profile::{Column, Profile};
use crate::tally::{Cell, Tally};

/// A number of a column, if it has that.
type Measure = fn(&ColumnDrift) -> Option<f64>;

/// A window is made of so many parts, of which the oldest goes when a new one begins.
const PARTS: u32 = 60;

/// The rows of the last while, as counts: its memory does not grow with them.
#[derive(Debug)]
pub struct Window {
    profile: Profile,
    length: Duration,
    parts: Mutex<VecDeque<Part>>,
}

#[derive(Debug)]
struct Part {
    begun: Instant,
    columns: Vec<Tally>,
    predictions: Vec<Tally>,
}

impl Window {
    pub fn new(profile: Profile, length: Duration) -> Self {
        Self { profile, length, parts: Mutex::default() }
    }

    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Counts rows. `fill` gets the columns of the profile with their tallies, those of requests and those of predictions.
    pub fn see(&self, now: Instant, fill: impl FnOnce(&mut [(&Column, &mut Tally)], &mut [(&Column, &mut Tally)])) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        self.forget(&mut parts, now);
        if parts.back().is_none_or(|last| now.duration_since(last.begun) >= self.length / PARTS) {
            let none = |columns: &[Column]| vec![Tally::default(); columns.len()];
            let (columns, predictions) = (none(&self.profile.columns), none(&self.profile.predictions));
            parts.push_back(Part { begun: now, columns, predictions });
        }
        let Part { columns, predictions, .. } = parts.back_mut().expect("one was added");
        let mut columns: Vec<_> = self.profile.columns.iter().zip(columns).collect();
        let mut predictions: Vec<_> = self.profile.predictions.iter().zip(predictions).collect();
        fill(&mut columns, &mut predictions);
    }

    /// How far the rows of the window are from those of the training.
    pub fn drift(&self, now: Instant) -> Drift {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        self.forget(&mut parts, now);
        let mut columns = vec![Tally::default(); self.profile.columns.len()];
        let mut predictions = vec![Tally::default(); self.profile.predictions.len()];
        for part in parts.iter() {
            columns.iter_mut().zip(&part.columns).for_each(|(all, more)| all.merge(more));
            predictions.iter_mut().zip(&part.predictions).for_each(|(all, more)| all.merge(more));
        }
        drop(parts);
        drift(&self.profile, &columns, &predictions)
    }

    fn forget(&self, parts: &mut VecDeque<Part>, now: Instant) {
        while parts.front().is_some_and(|first| now.duration_since(first.begun) >= self.length) {
            parts.pop_front();
        }
    }

    /// The drift in Prometheus' text format; `labels` are those of the model, without brackets.
    pub fn metrics(&self, labels: &str, now: Instant) -> String {
        let found = self.drift(now);
        let mut out = format!("dbjob_drift_rows{{{labels}}} {}\n", found.rows.now);
        let comma = if labels.is_empty() { "" } else { "," };
        let all: Vec<(String, &ColumnDrift)> = [("column", &found.columns), ("prediction", &found.predictions)]
            .into_iter()
            .flat_map(|(kind, columns)| columns.iter().map(move |column| (kind, column)))
            .map(|(kind, column)| (format!("{labels}{comma}{kind}=\"{}\"", escaped(&column.column)), column))
            .collect();
        let measures: [(&str, Measure); 4] = [
            ("dbjob_drift_psi", |c| Some(c.psi)),
            ("dbjob_drift_ks", |c| c.ks),
            ("dbjob_drift_null_rate", |c| Some(c.null_rate.now)),
            ("dbjob_drift_new_level_rows", |c| Some(c.new_level_rows as f64)),
        ];
        for (name, measure) in measures {
            for (labels, column) in &all {
                if let Some(value) = measure(column) {
                    out.push_str(&format!("{name}{{{labels}}} {value}\n"));
                }
            }
        }
        out
    }
}

/// A text between the quotes of a label.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

impl Tally {
    /// Counts cells of a column of a window.
    pub fn extend<'a>(&mut self, column: &Column, cells: impl Iterator<Item = Cell<'a>>) {
        cells.for_each(|cell| self.add(column, cell));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::levels;

    #[test]
    fn a_window_forgets_what_is_older() {
        let profile = Profile { columns: vec![levels("x", [Some("a")].into_iter())], predictions: vec![] };
        let window = Window::new(profile, Duration::from_secs(60));
        let start = Instant::now();
        let see = |after: u64, level: &'static str| {
            window.see(start + Duration::from_secs(after), |columns, _| {
                let (column, tally) = &mut columns[0];
                tally.add(column, Cell::Level(level));
            });
        };
        see(0, "a");
        see(30, "b\"");
        let drift = |after: u64| window.drift(start + Duration::from_secs(after));
        assert_eq!((drift(31).rows.now, drift(31).columns[0].new_level_rows), (2, 1));
        assert_eq!((drift(61).rows.now, drift(61).columns[0].new_level_rows), (1, 1));
        assert_eq!(drift(91).rows.now, 0);
        see(100, "a");
        let text = window.metrics("model=\"m\"", start + Duration::from_secs(101));
        assert!(text.contains("dbjob_drift_psi{model=\"m\",column=\"x\"} 0\n"), "{text}");
        assert!(window.parts.lock().unwrap().len() == 1);
    }
}
