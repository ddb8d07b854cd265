//! The rows of a search as learners take them: made once, and shared by all trials of an algorithm.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use dbjob_learn::{Fitted, Matrix, Pool, Scores, Target};
use dbjob_plan::{FitSpec, RunError, Task};
use polars::prelude::DataFrame;

use super::clusters::silhouette_of;
use super::evaluate::{decided, judged, metric};
use super::features::{Purpose, matrix};
use super::fit::{Fitting, Fresh, ToStopBy, Train, take, weights};
use super::judge::{column, floats};
use super::options::fit_error;
use super::predict::Meaning;
use super::target::Truth;
use crate::map::MapStates;

/// A table whose train part is learned from, or a share of it, and whose test part compares the trials.
pub struct View<'a> {
    table: &'a DataFrame,
    maps: &'a MapStates,
    share: f64,
    /// By algorithm, each of which may take the inputs otherwise, and whether it stops early.
    ready: Mutex<HashMap<(String, bool), Arc<Ready>>>,
}

struct Ready {
    train: Train,
    held: Held,
    /// The rows that compare, for fits that stop early: they stop by them, too.
    to_stop_by: Option<ToStopBy>,
}

/// The value of a metric and what it is of.
type Judged = (Option<f64>, Fitted);

/// The rows that compare.
struct Held {
    x: Option<Matrix>,
    truth: Target,
    weights: Option<Vec<f64>>,
}

impl<'a> View<'a> {
    pub fn new(table: &'a DataFrame, maps: &'a MapStates, share: f64) -> Self {
        Self { table, maps, share, ready: Mutex::default() }
    }

    /// What the metric says of a fit of `spec`, where it is defined, and the fit; `None` where its time did not suffice.
    ///
    /// Errors: those of [`Fresh::fit`].
    pub fn value(&self, spec: &FitSpec, name: &str, fitting: &Fitting<'_>) -> Result<Option<Judged>, RunError> {
        let ready = self.ready(spec)?;
        let Ready { train, held, to_stop_by } = &*ready;
        let rows = held.x.as_ref().map_or(0, Matrix::rows);
        let data = (&train.x, &train.y, train.weights.as_deref());
        let fitted =
            Fresh::run(spec, data, to_stop_by, rows, fitting).map_err(|e| fit_error(e, spec, |i| train.row(i)))??;
        if fitted.ended_early.is_some() {
            return Ok(None);
        }
        let failed = |e: dbjob_learn::FitError| RunError::new("E0799", e.message);
        let scores = match &held.x {
            Some(x) => {
                let pool = Pool::new(fitting.threads).map_err(failed)?;
                fitted.model.predict(x, &pool).map_err(failed)?
            }
            None => Scores { columns: vec![Vec::new(); fitted.model.classes().max(1)] },
        };
        if spec.task == Task::Clustering {
            let Some(x) = &held.x else { return Ok(Some((None, fitted))) };
            let pool = Pool::new(fitting.threads).map_err(failed)?;
            let value = silhouette_of(x, &scores.columns[0], spec.serving.plan.seed, &pool).ok();
            return Ok(Some((value, fitted)));
        }
        let numbers = match spec.task {
            Task::Regression => floats(&self.meaning(spec, train).number(&scores.columns[0], "predicted")?)?,
            _ => Vec::new(),
        };
        let predicted = decided(&scores, spec.fixed_threshold());
        let judged = judged(&held.truth, &scores, &predicted, &numbers, held.weights.as_deref());
        Ok(Some((metric(name)?.compute(&judged).ok(), fitted)))
    }

    fn meaning<'m>(&'m self, spec: &'m FitSpec, train: &'m Train) -> Meaning<'m> {
        Meaning {
            task: spec.task,
            output: &spec.output,
            classes: train.classes.as_ref().map_or(&[], |c| &c.values),
            threshold: spec.fixed_threshold(),
            conformal: None,
            maps: self.maps,
        }
    }

    fn ready(&self, spec: &FitSpec) -> Result<Arc<Ready>, RunError> {
        // Who comes second waits for the first.
        let mut all = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (spec.algorithm.name.clone(), spec.algorithm.stops_early());
        if let Some(ready) = all.get(&key) {
            return Ok(Arc::clone(ready));
        }
        let train = Train::of(spec, self.table, self.maps)?.sample(self.share, spec.serving.plan.seed);
        let held = self.held(spec, &train)?;
        let stops = spec.algorithm.stops_early();
        let to_stop_by = if stops { train.to_stop_by(&train.parts.test, self.table, spec, self.maps)? } else { None };
        let ready = Arc::new(Ready { train, held, to_stop_by });
        all.insert(key, Arc::clone(&ready));
        Ok(ready)
    }

    fn held(&self, spec: &FitSpec, train: &Train) -> Result<Held, RunError> {
        let parts = &train.parts;
        let rows = take(self.table, &parts.test)?;
        let row = |i: usize| u64::from(parts.test[i]) + 1;
        let take = (Purpose::Predict, Some(train.x.all_levels()));
        let x = (rows.height() > 0).then(|| matrix(&rows, spec, self.maps, take, &row)).transpose()?;
        let truth = match (&parts.truth, &train.classes) {
            (Truth::None, _) => Target::Unlabelled(parts.test.len()),
            (Truth::Classes { distinct, rows }, Some(classes)) => {
                let codes = classes.codes(distinct);
                let codes = parts.test.iter().filter_map(|r| rows[*r as usize].map(|v| codes[v as usize])).collect();
                Target::Classes { codes, count: classes.values.len() }
            }
            // In the caller's units.
            _ => Target::Numbers(floats(&self.meaning(spec, train).restored(column(&rows, &spec.output.column)?)?)?),
        };
        Ok(Held { x, truth, weights: weights(&rows, spec, &row)? })
    }
}
