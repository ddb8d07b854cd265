use std::sync::Arc;

use dbjob_learn::{Matrix, Model, Pool, Scores};
use dbjob_plan::{
    Confusion, FitSpec, MetricValue, ModelReport, RequirementResult, RowCounts, RunError, SearchReport, SliceMetric,
    Unfinished, Value,
};
use polars::prelude::{Column, DataFrame};

use super::calibrated::calibrated;
use super::features::{Purpose, matrix};
use super::fit::Fresh;
use super::held_out::OutOfFold;
use super::predict::Meaning;
use crate::map::MapStates;

/// A fitted model with all that is needed to predict with it and to tell of it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Learned(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub spec: FitSpec,
    pub model: Box<dyn Model>,
    /// In the order of the probabilities, in the caller's units; empty for numbers.
    pub classes: Vec<Value>,
    pub threads: usize,
    /// What there was no time for; of a model that was read back: nothing.
    pub unfinished: Vec<Unfinished>,
    pub report: Report,
    /// Of a model with folds that something asks for.
    pub out_of_fold: Option<OutOfFold>,
}

/// How a fit went; of a model that was read back: nothing.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub rows: RowCounts,
    pub metrics: Vec<(String, MetricValue)>,
    pub confusion: Option<Confusion>,
    pub requirements: Vec<RequirementResult>,
    pub slices: Vec<SliceMetric>,
    pub test_predictions: DataFrame,
}

impl Learned {
    /// A model that was read back from a package.
    pub(crate) fn restore(spec: FitSpec, model: Box<dyn Model>, classes: Vec<Value>, threads: usize) -> Self {
        let (unfinished, report) = (Vec::new(), Report::default());
        Self(Arc::new(Inner { spec, model, classes, threads, unfinished, report, out_of_fold: None }))
    }

    /// The prediction columns for every row of `table`, which has the model's inputs: the value under `prefix` in the
    /// caller's units and type, then the probabilities of the classes. A row's result depends on that row only.
    ///
    /// Errors: E0719 for a row with a null or a number that is not finite in an input.
    pub fn predict(&self, table: &DataFrame, prefix: &str, maps: &MapStates) -> Result<Vec<Column>, RunError> {
        let scores = self.0.scores(table, maps, &|i| i as u64 + 1)?;
        self.0.meaning(maps).columns(&scores, prefix)
    }

    /// The same for rows of the model's own table, of which a train row gets what the model of its fold says, that was
    /// fitted without it; null where its fold is never held out.
    ///
    /// Errors: E0719 as above.
    pub fn predict_out_of_fold(
        &self,
        table: &DataFrame,
        prefix: &str,
        maps: &MapStates,
    ) -> Result<Vec<Column>, RunError> {
        let whole = self.predict(table, prefix, maps)?;
        let found = self.0.out_of_fold.as_ref();
        found.ok_or_else(|| RunError::new("E0799", "the folds of the model were not kept"))?.over(table, whole)
    }

    /// As it was judged, with what `fresh` has learned: from more rows, say.
    pub fn refitted(self, fresh: Fresh) -> Self {
        let judged = Arc::into_inner(self.0).expect("nobody else has a model that was just judged");
        let Inner { report, out_of_fold, mut unfinished, .. } = judged;
        for more in &fresh.learned.unfinished {
            // Of the two fits that one is told of that gave the model.
            unfinished.retain(|other| other.what != more.what);
            unfinished.push(more.clone());
        }
        Self(Arc::new(Inner { report, out_of_fold, unfinished, ..fresh.learned }))
    }

    /// The same model with other results of its gates, made from its metrics and the results so far.
    pub(super) fn with_requirements(
        self,
        judge: impl FnOnce(&FitSpec, &[(String, MetricValue)], &[RequirementResult]) -> Vec<RequirementResult>,
    ) -> Self {
        match Arc::try_unwrap(self.0) {
            Ok(mut inner) => {
                let report = &mut inner.report;
                report.requirements = judge(&inner.spec, &report.metrics, &report.requirements);
                Self(Arc::new(inner))
            }
            // Somebody has it already, as it is.
            Err(shared) => Self(shared),
        }
    }

    pub fn spec(&self) -> &FitSpec {
        &self.0.spec
    }

    /// What a report tells of it that is not deployed.
    pub fn report(&self, search: Option<SearchReport>) -> ModelReport {
        let Report { rows, metrics, confusion, requirements, slices, .. } = &self.0.report;
        ModelReport {
            model: self.0.spec.model.clone(),
            algorithm: self.0.spec.algorithm.name.clone(),
            rows: *rows,
            metrics: metrics.clone(),
            confusion: confusion.clone(),
            requirements: requirements.clone(),
            slices: slices.clone(),
            search,
            threshold: self.0.spec.fixed_threshold(),
            calibration: self.0.spec.calibration.as_ref().map(|c| c.method),
            conformal: self.0.spec.conformal,
            unfinished: self.0.unfinished.clone(),
            package: None,
            version: None,
            promoted: false,
            breaks: Vec::new(),
        }
    }

    /// Whether every requirement held.
    pub fn held(&self) -> bool {
        self.requirements().iter().all(|r| r.held)
    }

    /// The maps and the model as an ONNX file.
    ///
    /// Errors: E0799 for what `check` has refused.
    pub fn onnx(&self, maps: &MapStates, job: &str) -> Result<Vec<u8>, RunError> {
        dbjob_onnx::write(self.spec(), self.model(), self.classes(), maps, job)
            .map_err(|e| RunError::new("E0799", e.to_string()).help(e.help).or_span(e.span))
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

    pub fn confusion(&self) -> Option<&Confusion> {
        self.0.report.confusion.as_ref()
    }

    /// What there was no time for.
    pub fn unfinished(&self) -> &[Unfinished] {
        &self.0.unfinished
    }

    pub fn requirements(&self) -> &[RequirementResult] {
        &self.0.report.requirements
    }

    /// The identifying columns, the true output and the predictions (prefix `prediction`) of the test rows, or of those
    /// that the folds held out.
    pub fn test_predictions(&self) -> &DataFrame {
        &self.0.report.test_predictions
    }

    pub(crate) fn model(&self) -> &dyn Model {
        &*self.0.model
    }
}

impl Inner {
    pub fn meaning<'a>(&'a self, maps: &'a MapStates) -> Meaning<'a> {
        Meaning {
            task: self.spec.task,
            output: &self.spec.output,
            classes: &self.classes,
            threshold: self.spec.fixed_threshold(),
            conformal: self.spec.conformal,
            maps,
        }
    }

    pub fn scores(&self, table: &DataFrame, maps: &MapStates, row: &dyn Fn(usize) -> u64) -> Result<Scores, RunError> {
        if table.height() == 0 {
            return Ok(Scores { columns: vec![Vec::new(); self.model.classes().max(1)] });
        }
        self.scores_of(&matrix(table, &self.spec, maps, (Purpose::Predict, Some(self.model.levels())), row)?)
    }

    /// The scores of rows that are features already.
    pub fn scores_of(&self, x: &Matrix) -> Result<Scores, RunError> {
        let failed = |e: dbjob_learn::FitError| RunError::new("E0799", e.message);
        // Threads cost more than a few thousand rows.
        let pool = if x.rows() < 4096 { Pool::single() } else { Pool::new(self.threads).map_err(failed)? };
        let scores = self.model.predict(x, &pool).map_err(failed)?;
        Ok(match &self.spec.calibration {
            Some(calibration) => calibrated(scores, &self.classes, calibration),
            None => scores,
        })
    }
}
