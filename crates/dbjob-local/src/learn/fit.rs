//! The fit: from the train rows of a table to a model that nobody has judged yet.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dbjob_learn::{Checkpoints, FitContext, Fitted, Matrix, Target, Valid, learner, scattered};
use dbjob_plan::{
    Event, FitSpec, NodeId, PART, PART_NONE, PART_TEST, PART_TRAIN, PART_VALID, RowCounts, RunContext, RunError,
    Unfinished,
};
use polars::prelude::{self as pl, DataFrame};

use super::classes::Classes;
use super::features::{Purpose, matrix};
use super::held_out::{HeldOut, OutOfFold};
use super::learned::{Inner, Learned, Report};
use super::options::{fit_error, options, task};
use super::target::Truth;
use crate::fault::engine_error;
use crate::map::MapStates;

/// How a fit is carried out.
#[derive(Clone, Copy)]
pub struct Fitting<'a> {
    pub cx: &'a RunContext<'a>,
    pub item: &'a str,
    /// Cores for it.
    pub threads: usize,
    /// When an iterative fit ends with what it has.
    pub until: Option<Instant>,
    /// Under which node its state is kept, and how often.
    pub checkpoint: Option<(NodeId, Duration)>,
    /// After how many rounds a fit that stops early ends; without it the valid rows judge.
    pub rounds: Option<u64>,
}

/// A model as it comes from the fit, with what it is judged by.
pub struct Fresh {
    pub(super) learned: Inner,
    pub(super) parts: Parts,
    pub(super) classes: Option<Classes>,
    /// The truth of the train rows as the learner saw it.
    pub(super) y: Target,
    pub(super) weights: Option<Vec<f64>>,
    /// After how many rounds the rows that judged a fit that stops early found it best.
    best_round: Option<u64>,
}

impl Fresh {
    /// Fits `spec` on the train rows of `table`. The seed is that of `spec.serving.plan`, which the compiler copies from
    /// the job. Tells of progress.
    ///
    /// Rows whose output is null are neither learned nor judged. Without a split all rows are train.
    ///
    /// Errors: E0715 when the data allow no fit, E0718 when the run was cancelled, E0705 and E0799 when the table is not
    /// what the plan promised.
    pub fn fit(spec: &FitSpec, table: &DataFrame, maps: &MapStates, fitting: &Fitting<'_>) -> Result<Self, RunError> {
        let train = Train::of(spec, table, maps)?;
        train.parts.can_judge(spec)?;
        let data = (&train.x, &train.y, train.weights.as_deref());
        let valid = if spec.algorithm.stops_early() && fitting.rounds.is_none() {
            train.to_stop_by(&train.parts.valid, table, spec, maps)?
        } else {
            None
        };
        let fitted = Self::run(spec, data, &valid, train.parts.held.len(), fitting)
            .map_err(|e| fit_error(e, spec, |i| train.row(i)))??;
        let best_round = fitted.best_round;
        let Train { parts, x, y, classes, weights } = train;
        drop((x, valid));
        let unfinished = fitted.ended_early.map(|early| Unfinished {
            done: early.done,
            of: early.total,
            what: early.unit.to_owned(),
        });

        let learned = Inner {
            spec: spec.clone(),
            model: fitted.model,
            classes: classes.as_ref().map(|c| c.values.clone()).unwrap_or_default(),
            threads: fitting.threads,
            unfinished: unfinished.into_iter().collect(),
            report: Report { rows: parts.counts, ..Report::default() },
            out_of_fold: None,
        };
        Ok(Self { learned, parts, classes, y, weights, best_round })
    }

    /// After how many rounds it was the best, where rows have judged that.
    pub fn best_round(&self) -> Option<u64> {
        self.best_round
    }

    /// As [`Self::fit`], of what was fitted on those rows already.
    pub fn fitted(
        fitted: Fitted,
        spec: &FitSpec,
        table: &DataFrame,
        maps: &MapStates,
        threads: usize,
    ) -> Result<Self, RunError> {
        let Fitted { model, best_round, .. } = fitted;
        let learned = Inner {
            spec: spec.clone(),
            model,
            classes: Vec::new(),
            threads,
            unfinished: Vec::new(),
            report: Report::default(),
            out_of_fold: None,
        };
        let mut fresh = Self::of(learned, table, maps)?;
        fresh.learned.classes = fresh.classes.as_ref().map(|c| c.values.clone()).unwrap_or_default();
        fresh.best_round = best_round;
        Ok(fresh)
    }

    /// A model that was learned from the train rows of `table` before.
    pub(super) fn of(mut learned: Inner, table: &DataFrame, maps: &MapStates) -> Result<Self, RunError> {
        let spec = &learned.spec;
        let parts = Parts::of(table, spec)?;
        parts.can_judge(spec)?;
        let train = take(table, &parts.train)?;
        let (y, classes) = target(&parts.truth, &parts.train, spec, maps)?;
        let weights = weights(&train, spec, &|i| parts.train[i] as u64 + 1)?;
        learned.report = Report { rows: parts.counts, ..Report::default() };
        Ok(Self { learned, parts, classes, y, weights, best_round: None })
    }

    /// What there was no time for.
    pub fn unfinished(&self) -> &[Unfinished] {
        &self.learned.unfinished
    }

    /// Adds what there was no time for around the fit.
    pub fn lacks(&mut self, more: Vec<Unfinished>) {
        self.learned.unfinished.extend(more);
    }

    /// The model without a judgement: of a fold, whose predictions alone are of interest.
    pub fn unjudged(mut self, held_out: Vec<HeldOut>) -> Result<Learned, RunError> {
        self.learned.out_of_fold = OutOfFold::of(&held_out)?;
        Ok(Learned(Arc::new(self.learned)))
    }

    /// `to_predict`: the rows that the model is asked for next.
    pub(super) fn run(
        spec: &FitSpec,
        (x, y, weights): (&Matrix, &Target, Option<&[f64]>),
        valid: &Option<ToStopBy>,
        to_predict: usize,
        fitting: &Fitting<'_>,
    ) -> Result<Result<Fitted, RunError>, dbjob_learn::FitError> {
        let Fitting { cx, item, threads, until, checkpoint, rounds } = *fitting;
        let options = match options(&spec.algorithm) {
            Ok(options) => options,
            Err(error) => return Ok(Err(error)),
        };
        let learner = learner(&spec.algorithm.name, task(spec.task), &options, spec.serving.plan.seed)?;
        let progress = |p: dbjob_learn::Progress| {
            cx.emit(Event::Progress { item: item.to_owned(), done: p.done, total: p.total, loss: p.loss });
        };
        let warn = |message: String| cx.emit(Event::Warning { item: item.to_owned(), message });
        let cancelled = || cx.cancel.is_cancelled();
        // The model is judged in the same time.
        let share = 1.0 + learner.prediction_share() * to_predict as f64 / x.rows() as f64;
        let now = Instant::now();
        let until = until.map(|until| now + until.saturating_duration_since(now).div_f64(share));
        let out_of_time = || until.is_some_and(|until| Instant::now() >= until);
        let kept = checkpoint.and_then(|(node, interval)| Some((cx.checkpoints?, node, interval)));
        let before = kept.and_then(|(checkpoints, node, _)| checkpoints.load(node));
        let save = |state: &[u8]| {
            if let Some((checkpoints, node, _)) = kept {
                checkpoints.save(node, state);
            }
        };
        let checkpoints = kept.map(|(.., interval)| Checkpoints { interval, save: &save, resume: before.as_deref() });
        let context = FitContext {
            threads,
            progress: &progress,
            cancelled: &cancelled,
            out_of_time: &out_of_time,
            warn: &warn,
            checkpoints,
            valid: valid.as_ref().map(|(x, y, weights)| Valid { x, y, weights: weights.as_deref() }),
            rounds,
        };
        let fitted = learner.fit(x, y, weights, &context)?;
        // What had no time goes on from there when it gets more.
        if let (Some((checkpoints, node, _)), None) = (kept, &fitted.ended_early) {
            checkpoints.clear(node);
        }
        Ok(Ok(fitted))
    }
}

/// Features, truth and weights of rows that say when a fit ends.
pub(super) type ToStopBy = (Matrix, Target, Option<Vec<f64>>);

/// The train rows of a table as a learner takes them.
pub(super) struct Train {
    pub parts: Parts,
    pub x: Matrix,
    pub y: Target,
    pub classes: Option<Classes>,
    pub weights: Option<Vec<f64>>,
}

impl Train {
    /// Errors: as [`Fresh::fit`], but for those of the learner.
    pub fn of(spec: &FitSpec, table: &DataFrame, maps: &MapStates) -> Result<Self, RunError> {
        let parts = Parts::of(table, spec)?;
        if parts.train.is_empty() {
            return Err(parts.no_train_rows(spec));
        }
        let train = take(table, &parts.train)?;
        let row = |i: usize| u64::from(parts.train[i]) + 1;
        let x = matrix(&train, spec, maps, (Purpose::Fit, None), &row)?;
        let (y, classes) = target(&parts.truth, &parts.train, spec, maps)?;
        let weights = weights(&train, spec, &row)?;
        Ok(Self { parts, x, y, classes, weights })
    }

    /// The table's row (1-based) of a row of the matrix.
    pub fn row(&self, i: usize) -> u64 {
        u64::from(self.parts.train[i]) + 1
    }

    /// Rows of the table as what was learned from, to stop by; without those of classes that train does not know.
    pub fn to_stop_by(
        &self,
        rows: &[u32],
        table: &DataFrame,
        spec: &FitSpec,
        maps: &MapStates,
    ) -> Result<Option<ToStopBy>, RunError> {
        let (rows, y) = match (&self.parts.truth, &self.classes) {
            (Truth::Classes { distinct, rows: values }, Some(classes)) => {
                let (codes, count) = (classes.codes(distinct), classes.values.len());
                let code =
                    |row: &u32| values[*row as usize].map(|v| codes[v as usize]).filter(|c| (*c as usize) < count);
                let known: Vec<(u32, u32)> = rows.iter().filter_map(|row| Some((*row, code(row)?))).collect();
                let (rows, codes) = known.into_iter().unzip();
                (rows, Target::Classes { codes, count })
            }
            _ => (rows.to_vec(), target(&self.parts.truth, rows, spec, maps)?.0),
        };
        if rows.is_empty() {
            return Ok(None);
        }
        let row = |i: usize| u64::from(rows[i]) + 1;
        let valid = take(table, &rows)?;
        let features = matrix(&valid, spec, maps, (Purpose::Fit, Some(self.x.all_levels())), &row)?;
        Ok(Some((features, y, weights(&valid, spec, &row)?)))
    }

    /// A share of the rows, drawn by the seed: of each class the same, and two at least. What is in a share is in every
    /// larger one.
    pub fn sample(mut self, share: f64, seed: i64) -> Self {
        if share >= 1.0 {
            return self;
        }
        let class = |row: usize| match &self.y {
            Target::Classes { codes, .. } => codes[row],
            _ => 0,
        };
        let mut order: Vec<(u32, u64, usize)> =
            (0..self.x.rows()).map(|row| (class(row), scattered(seed, row as u64), row)).collect();
        order.sort_unstable();
        let mut rows: Vec<usize> = Vec::new();
        for of in order.chunk_by(|a, b| a.0 == b.0) {
            let wanted = ((of.len() as f64 * share).ceil() as usize).clamp(of.len().min(2), of.len());
            rows.extend(of[..wanted].iter().map(|(.., row)| *row));
        }
        rows.sort_unstable();
        self.x = self.x.take(&rows);
        self.y = match self.y {
            Target::Classes { codes, count } => {
                Target::Classes { codes: rows.iter().map(|row| codes[*row]).collect(), count }
            }
            Target::Numbers(numbers) => Target::Numbers(rows.iter().map(|row| numbers[*row]).collect()),
            Target::Unlabelled(_) => Target::Unlabelled(rows.len()),
        };
        self.weights = self.weights.map(|weights| rows.iter().map(|row| weights[*row]).collect());
        self.parts.train = rows.iter().map(|row| self.parts.train[*row]).collect();
        self
    }
}

/// Which rows of a table serve what.
pub(super) struct Parts {
    pub truth: Truth,
    pub train: Vec<u32>,
    pub valid: Vec<u32>,
    pub test: Vec<u32>,
    /// The test rows and those of the test part without an output.
    pub held: Vec<u32>,
    pub counts: RowCounts,
}

impl Parts {
    fn of(table: &DataFrame, spec: &FitSpec) -> Result<Self, RunError> {
        let truth = Truth::read(table, spec)?;
        let parts: Vec<Option<i64>> = if spec.split {
            table.column(PART).and_then(|c| c.i64().map(|c| c.iter().collect())).map_err(engine_error)?
        } else {
            vec![Some(PART_TRAIN); table.height()]
        };
        let (mut train, mut valid, mut test, mut held) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut counts = RowCounts::default();
        for (row, part) in parts.into_iter().enumerate() {
            if part == Some(PART_TEST) {
                held.push(row as u32);
            }
            match part {
                _ if truth.is_null(row) => counts.without_output += 1,
                Some(PART_TRAIN) => train.push(row as u32),
                Some(PART_VALID) => valid.push(row as u32),
                Some(PART_TEST) => test.push(row as u32),
                Some(PART_NONE) => {}
                other => return Err(RunError::new("E0799", format!("row {} has the part {other:?}", row + 1))),
            }
        }
        (counts.train, counts.valid, counts.test) = (train.len() as u64, valid.len() as u64, test.len() as u64);
        Ok(Self { truth, train, valid, test, held, counts })
    }

    /// Errors: E0715 when test rows are to judge and there are none.
    fn can_judge(&self, spec: &FitSpec) -> Result<(), RunError> {
        let by_test = spec.is_judged() && !spec.judged_by_folds && spec.target().is_some();
        if by_test && self.test.is_empty() { Err(Fresh::nothing_to_judge(spec)) } else { Ok(()) }
    }

    fn no_train_rows(&self, spec: &FitSpec) -> RunError {
        let RowCounts { valid, test, without_output, .. } = self.counts;
        let error = RunError::new("E0715", format!("cannot fit `{}`: there are no train rows", spec.model));
        match (valid + test, without_output) {
            (0, 0) => error.help("the table is empty: look at the filters and joins above it"),
            (0, n) => error.help(format!("the output `{}` is null in all {n} rows", spec.output.column)),
            (other, _) => error.help(format!("{other} rows are in other parts: give the split a larger train part")),
        }
    }
}

pub(super) fn take(table: &DataFrame, rows: &[u32]) -> Result<DataFrame, RunError> {
    let at = pl::IdxCa::from_vec("".into(), rows.iter().map(|r| *r as pl::IdxSize).collect());
    table.take(&at).map_err(engine_error)
}

/// The truth of some rows; for classes with their meaning.
fn target(
    truth: &Truth,
    rows: &[u32],
    spec: &FitSpec,
    maps: &MapStates,
) -> Result<(Target, Option<Classes>), RunError> {
    match truth {
        Truth::None => Ok((Target::Unlabelled(rows.len()), None)),
        Truth::Numbers(numbers) => {
            let values = rows.iter().map(|r| numbers[*r as usize].expect("rows without output are left out")).collect();
            Ok((Target::Numbers(values), None))
        }
        Truth::Classes { distinct, rows: values } => {
            let learned: Vec<u32> = rows.iter().filter_map(|r| values[*r as usize]).collect();
            let seen: BTreeSet<u32> = learned.iter().copied().collect();
            let seen = seen.into_iter().map(|v| distinct[v as usize].clone()).collect();
            let classes = Classes::learn(seen, spec, maps)?;
            let count = classes.values.len();
            let codes = classes.codes(distinct);
            if let Some(value) = learned.iter().find(|v| codes[**v as usize] as usize == count) {
                let message = format!(
                    "cannot fit `{}`: the output `{}` has the value {}, which is no level of {}",
                    spec.model, spec.output.column, distinct[*value as usize], spec.output.dtype
                );
                return Err(RunError::new("E0715", message));
            }
            let codes = learned.into_iter().map(|v| codes[v as usize]).collect();
            Ok((Target::Classes { codes, count }, Some(classes)))
        }
    }
}

/// How much each of some rows counts.
pub(super) fn weights(
    train: &DataFrame,
    spec: &FitSpec,
    row: &dyn Fn(usize) -> u64,
) -> Result<Option<Vec<f64>>, RunError> {
    let Some(name) = &spec.weight else { return Ok(None) };
    let column = train.column(name).and_then(|c| c.cast(&pl::DataType::Float64)).map_err(engine_error)?;
    let values = column.f64().map_err(engine_error)?;
    let number = |(i, w): (usize, Option<f64>)| match w {
        Some(w) if w.is_finite() && w >= 0.0 => Ok(w),
        w => {
            let shown = w.map_or_else(|| "null".to_owned(), |w| w.to_string());
            let message =
                format!("cannot weigh the rows of `{}`: the weight `{name}` is {shown} in row {}", spec.model, row(i));
            Err(RunError::new("E0715", message).help("weights are finite and not negative"))
        }
    };
    values.iter().enumerate().map(number).collect::<Result<_, _>>().map(Some)
}
