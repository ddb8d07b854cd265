use std::collections::BTreeSet;
use std::sync::Arc;

use dbjob_learn::{Baseline, FitContext, Model, Pool, Scores, Target, learner};
use dbjob_plan::{
    Event, FitSpec, MetricValue, PART, PART_TEST, PART_TRAIN, PART_VALID, RequirementResult, RowCounts, RunContext,
    RunError, Value,
};
use polars::prelude::{self as pl, Column, DataFrame};

use super::classes::Classes;
use super::evaluate::{self, Test};
use super::features::{Purpose, matrix};
use super::options::{fit_error, options, task};
use super::predict::Meaning;
use super::target::Truth;
use crate::fault::engine_error;
use crate::map::{MapStates, unmap_column};

/// A fitted model with all that is needed to predict with it and to tell of it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Learned(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    spec: FitSpec,
    model: Box<dyn Model>,
    /// In the order of the probabilities, in the caller's units; empty for numbers.
    classes: Vec<Value>,
    threads: usize,
    report: Report,
}

/// How a fit went; of a model that was read back: nothing.
#[derive(Debug, Default)]
struct Report {
    rows: RowCounts,
    metrics: Vec<(String, MetricValue)>,
    requirements: Vec<RequirementResult>,
    test_predictions: DataFrame,
}

impl Learned {
    /// Fits `spec` on the train rows of `table` and judges it on the test rows. The seed is that of `spec.serving.plan`,
    /// which the compiler copies from the job. Tells of progress and, with metrics, of [`Event::Evaluated`].
    ///
    /// Rows whose output is null are neither learned nor judged. Without a split all rows are train.
    ///
    /// Errors: E0715 when the data allow no fit or no judgement, E0718 when the run was cancelled, E0705 and E0799 when
    /// the table is not what the plan promised.
    pub fn fit(
        spec: &FitSpec,
        table: &DataFrame,
        maps: &MapStates,
        cx: &RunContext<'_>,
        item: &str,
    ) -> Result<Self, RunError> {
        let parts = Parts::of(table, spec)?;
        if parts.train.is_empty() {
            return Err(parts.no_train_rows(spec));
        }
        let wants_test = !spec.metrics.is_empty() || !spec.require.is_empty();
        if wants_test && parts.test.is_empty() {
            return Err(RunError::new(
                "E0715",
                format!("`{}` is to be evaluated, but there are no test rows", spec.model),
            )
            .help("give the split a test part, as in `split test 20%`, or leave out `evaluate` and `require`"));
        }
        let train = take(table, &parts.train)?;
        let row = |i: usize| parts.train[i] as u64 + 1;
        let x = matrix(&train, spec, maps, Purpose::Fit, &row)?;
        let (y, classes) = target(&parts.truth, &parts.train, spec, maps)?;
        let weights = weights(&train, spec, &row)?;
        let model = Self::run(spec, &x, &y, weights.as_deref(), cx, item).map_err(|e| fit_error(e, spec, row))??;
        drop((train, x));

        let mut learned = Inner {
            spec: spec.clone(),
            model,
            classes: classes.as_ref().map(|c| c.values.clone()).unwrap_or_default(),
            threads: cx.threads,
            report: Report { rows: parts.counts, ..Report::default() },
        };
        let judging = Judging { parts: &parts, classes: classes.as_ref(), y: &y, weights: weights.as_deref() };
        learned.report = judging.judge(&learned, table, maps, cx, item)?;
        Ok(Self(Arc::new(learned)))
    }

    fn run(
        spec: &FitSpec,
        x: &dbjob_learn::Matrix,
        y: &Target,
        weights: Option<&[f64]>,
        cx: &RunContext<'_>,
        item: &str,
    ) -> Result<Result<Box<dyn Model>, RunError>, dbjob_learn::FitError> {
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
        let context = FitContext { threads: cx.threads, progress: &progress, cancelled: &cancelled, warn: &warn };
        learner.fit(x, y, weights, &context).map(Ok)
    }

    /// A model that was read back from a package.
    pub(crate) fn restore(spec: FitSpec, model: Box<dyn Model>, classes: Vec<Value>, threads: usize) -> Self {
        Self(Arc::new(Inner { spec, model, classes, threads, report: Report::default() }))
    }

    /// The prediction columns for every row of `table`, which has the model's inputs: the value under `prefix` in the
    /// caller's units and type, then the probabilities of the classes. A row's result depends on that row only.
    ///
    /// Errors: E0719 for a row with a null or a number that is not finite in an input.
    pub fn predict(&self, table: &DataFrame, prefix: &str, maps: &MapStates) -> Result<Vec<Column>, RunError> {
        let scores = self.0.scores(table, maps, &|i| i as u64 + 1)?;
        self.0.meaning(maps).columns(&scores, prefix)
    }

    pub fn spec(&self) -> &FitSpec {
        &self.0.spec
    }

    /// Features in the order of the weights.
    pub fn features(&self) -> &[String] {
        self.0.model.features()
    }

    /// In the order of the probabilities, in the caller's units; empty for numbers.
    pub fn classes(&self) -> &[Value] {
        &self.0.classes
    }

    pub fn rows(&self) -> RowCounts {
        self.0.report.rows
    }

    /// In the order asked for.
    pub fn metrics(&self) -> &[(String, MetricValue)] {
        &self.0.report.metrics
    }

    pub fn requirements(&self) -> &[RequirementResult] {
        &self.0.report.requirements
    }

    /// The identifying columns, the true output and the predictions (prefix `prediction`) of the test rows.
    pub fn test_predictions(&self) -> &DataFrame {
        &self.0.report.test_predictions
    }

    pub(crate) fn model(&self) -> &dyn Model {
        &*self.0.model
    }
}

impl Inner {
    fn meaning<'a>(&'a self, maps: &'a MapStates) -> Meaning<'a> {
        Meaning { task: self.spec.task, output: &self.spec.output, classes: &self.classes, maps }
    }

    fn scores(&self, table: &DataFrame, maps: &MapStates, row: &dyn Fn(usize) -> u64) -> Result<Scores, RunError> {
        if table.height() == 0 {
            return Ok(Scores { columns: vec![Vec::new(); self.model.classes().max(1)] });
        }
        let x = matrix(table, &self.spec, maps, Purpose::Predict, row)?;
        let failed = |e: dbjob_learn::FitError| RunError::new("E0799", e.message);
        // Threads cost more than a few thousand rows.
        let pool = if x.rows() < 4096 { Pool::single() } else { Pool::new(self.threads).map_err(failed)? };
        self.model.predict(&x, &pool).map_err(failed)
    }
}

/// Which rows of a table serve what.
struct Parts {
    truth: Truth,
    train: Vec<u32>,
    test: Vec<u32>,
    counts: RowCounts,
}

impl Parts {
    fn of(table: &DataFrame, spec: &FitSpec) -> Result<Self, RunError> {
        let truth = Truth::read(table, spec)?;
        let parts: Vec<Option<i64>> = if spec.split {
            table.column(PART).and_then(|c| c.i64().map(|c| c.iter().collect())).map_err(engine_error)?
        } else {
            vec![Some(PART_TRAIN); table.height()]
        };
        let (mut train, mut test, mut counts) = (Vec::new(), Vec::new(), RowCounts::default());
        for (row, part) in parts.into_iter().enumerate() {
            match part {
                _ if truth.is_null(row) => counts.without_output += 1,
                Some(PART_TRAIN) => train.push(row as u32),
                Some(PART_VALID) => counts.valid += 1,
                Some(PART_TEST) => test.push(row as u32),
                other => return Err(RunError::new("E0799", format!("row {} has the part {other:?}", row + 1))),
            }
        }
        (counts.train, counts.test) = (train.len() as u64, test.len() as u64);
        Ok(Self { truth, train, test, counts })
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

fn take(table: &DataFrame, rows: &[u32]) -> Result<DataFrame, RunError> {
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

fn weights(train: &DataFrame, spec: &FitSpec, row: &dyn Fn(usize) -> u64) -> Result<Option<Vec<f64>>, RunError> {
    let Some(name) = &spec.weight else { return Ok(None) };
    let column = train.column(name).and_then(|c| c.cast(&pl::DataType::Float64)).map_err(engine_error)?;
    let values = column.f64().map_err(engine_error)?;
    let number = |(i, w): (usize, Option<f64>)| match w {
        Some(w) if w.is_finite() && w >= 0.0 => Ok(w),
        w => {
            let shown = w.map_or_else(|| "null".to_owned(), |w| w.to_string());
            let message = format!("cannot fit `{}`: the weight `{name}` is {shown} in row {}", spec.model, row(i));
            Err(RunError::new("E0715", message).help("weights are finite and not negative"))
        }
    };
    values.iter().enumerate().map(number).collect::<Result<_, _>>().map(Some)
}

/// What a fresh model is judged by.
struct Judging<'a> {
    parts: &'a Parts,
    classes: Option<&'a Classes>,
    y: &'a Target,
    weights: Option<&'a [f64]>,
}

impl Judging<'_> {
    fn judge(
        &self,
        learned: &Inner,
        table: &DataFrame,
        maps: &MapStates,
        cx: &RunContext<'_>,
        item: &str,
    ) -> Result<Report, RunError> {
        let (spec, meaning) = (&learned.spec, learned.meaning(maps));
        let test = take(table, &self.parts.test)?;
        let scores = learned.scores(&test, maps, &|i| self.parts.test[i] as u64 + 1)?;
        let truth = unmap_column(column(&test, &spec.output.column)?, &spec.output.unmap, maps)?;
        let mut report = Report { rows: self.parts.counts, ..Report::default() };
        if test.height() > 0 && !(spec.metrics.is_empty() && spec.require.is_empty()) {
            report.metrics = self.metrics(&meaning, spec, &scores, &truth, cx, item)?;
            report.requirements = evaluate::requirements(spec, &report.metrics);
            cx.emit(Event::Evaluated {
                item: item.to_owned(),
                rows: report.rows,
                metrics: report.metrics.clone(),
                requirements: report.requirements.clone(),
            });
        }
        report.test_predictions = test_predictions(&test, spec, truth, |prefix| meaning.columns(&scores, prefix))?;
        Ok(report)
    }

    fn metrics(
        &self,
        meaning: &Meaning<'_>,
        spec: &FitSpec,
        scores: &Scores,
        truth: &Column,
        cx: &RunContext<'_>,
        item: &str,
    ) -> Result<Vec<(String, MetricValue)>, RunError> {
        let (truth, numbers, train) = match (&self.parts.truth, self.classes, self.y) {
            (Truth::Classes { distinct, rows }, Some(classes), _) => {
                let codes = classes.codes(distinct);
                let codes =
                    self.parts.test.iter().filter_map(|r| rows[*r as usize].map(|v| codes[v as usize])).collect();
                (Target::Classes { codes, count: classes.values.len() }, Vec::new(), self.y.clone())
            }
            (_, _, Target::Numbers(learned)) => {
                // In the caller's units: errors on a logarithm would say little.
                let train = floats(&meaning.number(learned, "train")?)?;
                let predicted = floats(&meaning.number(&scores.columns[0], "predicted")?)?;
                (Target::Numbers(floats(truth)?), predicted, Target::Numbers(train))
            }
            _ => return Err(RunError::new("E0799", "the truth is of another task than the model")),
        };
        let baseline = Baseline::fit(&train, self.weights)
            .ok_or_else(|| RunError::new("E0715", "the train rows have no weight"))?;
        evaluate::metrics(spec, &Test { truth: &truth, scores, numbers: &numbers, baseline: &baseline }, cx, item)
    }
}

fn column<'a>(table: &'a DataFrame, name: &str) -> Result<&'a Column, RunError> {
    table.column(name).map_err(engine_error)
}

/// Null (an int that is not near) becomes NaN, which no metric is defined on.
fn floats(column: &Column) -> Result<Vec<f64>, RunError> {
    let column = column.cast(&pl::DataType::Float64).map_err(engine_error)?;
    Ok(column.f64().map_err(engine_error)?.iter().map(|x| x.unwrap_or(f64::NAN)).collect())
}

fn test_predictions(
    test: &DataFrame,
    spec: &FitSpec,
    truth: Column,
    predict: impl Fn(&str) -> Result<Vec<Column>, RunError>,
) -> Result<DataFrame, RunError> {
    let mut columns: Vec<Column> = Vec::new();
    for name in spec.identify.iter().filter(|n| **n != spec.output.column) {
        columns.push(column(test, name)?.clone());
    }
    columns.push(truth.with_name(spec.output.column.as_str().into()));
    let mut prefix = "prediction".to_owned();
    while columns.iter().any(|c| c.name().starts_with(&prefix)) {
        prefix.push('_');
    }
    columns.extend(predict(&prefix)?);
    DataFrame::new(test.height(), columns).map_err(engine_error)
}
