//! The judgement of a fresh model: metrics and gates over its test rows, or over what its folds held out.

use std::sync::Arc;

use dbjob_learn::{Baseline, Scores, Target};
use dbjob_plan::{Event, FitSpec, RunContext, RunError};
use polars::prelude::{self as pl, Column, DataFrame};

use super::evaluate::{self, Live, Test};
use super::fit::{Fresh, take, weights};
use super::held_out::{HeldOut, OutOfFold};
use super::learned::{Learned, Report};
use super::slices::{self, SliceColumns};
use super::target::Truth;
use crate::fault::engine_error;
use crate::map::MapStates;

/// Rows that a model is judged by, with its predictions.
pub(super) struct Judged {
    /// Codes of the model's classes, or numbers in the caller's units.
    pub truth: Target,
    pub scores: Scores,
    /// The numbers that callers get; empty for classes.
    pub numbers: Vec<f64>,
    /// How much each row counts, of a model with `weight`.
    pub weights: Option<Vec<f64>>,
    /// The identifying columns, the weight, the truth and the predictions.
    pub table: DataFrame,
    pub by: SliceColumns,
}

/// What a model is judged with, besides its rows.
pub struct Judge<'a> {
    pub held_out: Vec<HeldOut>,
    pub live: &'a Live,
    pub maps: &'a MapStates,
    pub cx: &'a RunContext<'a>,
    pub item: &'a str,
}

impl Fresh {
    /// Judges the model by the test rows of `table`, or by what its folds held out if the plan says so. Tells, with
    /// metrics, of [`Event::Evaluated`].
    ///
    /// Errors: E0715 when there is nothing to judge it by.
    pub fn judged(
        mut self,
        table: &DataFrame,
        Judge { held_out, live, maps, cx, item }: Judge<'_>,
    ) -> Result<Learned, RunError> {
        let spec = &self.learned.spec;
        if spec.target().is_none() {
            return self.clusters(table, live, maps, (cx, item));
        }
        let asked = spec.is_judged();
        let mut report = Report { rows: self.parts.counts, ..Report::default() };
        let judged = if spec.judged_by_folds {
            let judged = HeldOut::pooled(&held_out, self.learned.classes.len())?;
            report.rows.out_of_fold = judged.as_ref().map_or(0, |j| j.table.height() as u64);
            judged
        } else {
            Some(self.test(table, maps)?)
        };
        match judged {
            Some(judged) if judged.table.height() > 0 => {
                if asked {
                    let baseline = self.baseline(maps)?;
                    let Judged { truth, scores, numbers, by, .. } = &judged;
                    let test = Test { truth, scores, numbers, weights: judged.weights.as_deref(), baseline: &baseline };
                    report.metrics = evaluate::metrics(spec, &test, self.learned.threads, cx, item)?;
                    report.confusion = evaluate::confusion(spec, &self.learned.classes, &test);
                    report.slices = slices::metrics(spec, &test, by)?;
                    for requirement in &spec.require {
                        report.requirements.push(match &requirement.for_each {
                            Some(column) => slices::gate_for_each(requirement, column, spec, &test, by, live)?,
                            None => evaluate::gate(requirement, &report.metrics, live),
                        });
                    }
                    cx.emit(Event::Evaluated {
                        item: item.to_owned(),
                        rows: report.rows,
                        metrics: report.metrics.clone(),
                        requirements: report.requirements.clone(),
                        confusion: report.confusion.clone(),
                    });
                }
                report.test_predictions = judged.table;
            }
            _ if asked => return Err(Self::nothing_to_judge(spec)),
            judged => report.test_predictions = judged.map(|j| j.table).unwrap_or_default(),
        }
        self.learned.report = report;
        self.learned.out_of_fold = OutOfFold::of(&held_out)?;
        Ok(Learned(Arc::new(self.learned)))
    }

    pub(super) fn nothing_to_judge(spec: &FitSpec) -> RunError {
        let (rows, help) = if spec.judged_by_folds {
            ("no fold holds a row with an output", "there are too few rows for the folds")
        } else {
            let help = "give the split a test part, as in `split test 20%`, or leave out `evaluate` and `require`";
            ("there are no test rows", help)
        };
        RunError::new("E0715", format!("`{}` is to be evaluated, but {rows}", spec.model)).help(help)
    }

    /// The test rows of the model's own table.
    fn test(&self, table: &DataFrame, maps: &MapStates) -> Result<Judged, RunError> {
        let (learned, parts) = (&self.learned, &self.parts);
        let (spec, meaning) = (&learned.spec, learned.meaning(maps));
        let test = take(table, &parts.test)?;
        let row = |i: usize| u64::from(parts.test[i]) + 1;
        let (scores, weights) = (learned.scores(&test, maps, &row)?, weights(&test, spec, &row)?);
        let unmapped = meaning.restored(column(&test, &spec.output.column)?)?;
        let (truth, numbers) = match (&parts.truth, &self.classes) {
            (Truth::Classes { distinct, rows }, Some(classes)) => {
                let codes = classes.codes(distinct);
                let codes = parts.test.iter().filter_map(|r| rows[*r as usize].map(|v| codes[v as usize])).collect();
                (Target::Classes { codes, count: classes.values.len() }, Vec::new())
            }
            // In the caller's units: errors on a logarithm would say little.
            _ => (Target::Numbers(floats(&unmapped)?), floats(&meaning.number(&scores.columns[0], "predicted")?)?),
        };
        let table = predictions(&test, spec, unmapped, |prefix| meaning.columns(&scores, prefix))?;
        let by = slices::columns(spec, &test)?;
        Ok(Judged { truth, scores, numbers, weights, table, by })
    }

    /// The guess from the train rows, in the caller's units.
    fn baseline(&self, maps: &MapStates) -> Result<Baseline, RunError> {
        let train = match &self.y {
            Target::Numbers(learned) => Target::Numbers(floats(&self.learned.meaning(maps).number(learned, "train")?)?),
            classes => classes.clone(),
        };
        Baseline::fit(&train, self.weights.as_deref())
            .ok_or_else(|| RunError::new("E0715", "the train rows have no weight"))
    }
}

pub(super) fn column<'a>(table: &'a DataFrame, name: &str) -> Result<&'a Column, RunError> {
    table.column(name).map_err(engine_error)
}

/// Null (an int that is not near) becomes NaN, which no metric is defined on.
pub(super) fn floats(column: &Column) -> Result<Vec<f64>, RunError> {
    let column = column.cast(&pl::DataType::Float64).map_err(engine_error)?;
    Ok(column.f64().map_err(engine_error)?.iter().map(|x| x.unwrap_or(f64::NAN)).collect())
}

/// What is stored of rows that a model is judged by.
pub(super) fn predictions(
    test: &DataFrame,
    spec: &FitSpec,
    truth: Column,
    predict: impl Fn(&str) -> Result<Vec<Column>, RunError>,
) -> Result<DataFrame, RunError> {
    let mut columns: Vec<Column> = Vec::new();
    for name in spec.beside_predictions() {
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
