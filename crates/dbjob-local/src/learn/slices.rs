//! Metrics and gates of the rows of each value of a column.

use std::collections::BTreeMap;

use dbjob_learn::{Baseline, Scores, Target};
use dbjob_plan::{FitSpec, MetricValue, Requirement, RequirementResult, RunError, SliceMetric, Value};
use polars::prelude::{Column, DataFrame};

use super::evaluate::{Live, Test, decided, gate, judged, metric};
use super::judge::column;
use crate::fault::engine_error;
use crate::types::value_of;

/// Values of a gate for each slice that are told at most.
const MOST_TOLD: usize = 20;

/// The columns that tell slices apart, by name, row by row.
pub(super) type SliceColumns = BTreeMap<String, Column>;

pub(super) fn columns(spec: &FitSpec, rows: &DataFrame) -> Result<SliceColumns, RunError> {
    spec.slice_columns().into_iter().map(|name| Ok((name.to_owned(), column(rows, name)?.clone()))).collect()
}

/// The rows of each value, values in order.
fn groups(column: &Column) -> Result<Vec<(Value, Vec<usize>)>, RunError> {
    let mut by_text: BTreeMap<(bool, String), (Value, Vec<usize>)> = BTreeMap::new();
    for row in 0..column.len() {
        let value = column.get(row).map(|v| value_of(&v)).map_err(engine_error)?;
        // Null comes last.
        let key = (value == Value::Null, value.to_string());
        by_text.entry(key).or_insert_with(|| (value, Vec::new())).1.push(row);
    }
    Ok(by_text.into_values().collect())
}

/// The judged rows of one slice.
struct Part {
    truth: Target,
    scores: Scores,
    numbers: Vec<f64>,
    weights: Option<Vec<f64>>,
}

impl Part {
    fn of(test: &Test<'_>, rows: &[usize]) -> Self {
        let pick = |values: &[f64]| rows.iter().filter_map(|row| values.get(*row).copied()).collect::<Vec<f64>>();
        let truth = match test.truth {
            Target::Classes { codes, count } => {
                Target::Classes { codes: rows.iter().map(|row| codes[*row]).collect(), count: *count }
            }
            Target::Numbers(numbers) => Target::Numbers(pick(numbers)),
            Target::Unlabelled(_) => Target::Unlabelled(rows.len()),
        };
        let scores = Scores { columns: test.scores.columns.iter().map(|c| pick(c)).collect() };
        Self { truth, scores, numbers: pick(test.numbers), weights: test.weights.map(pick) }
    }

    /// `None` where one of the two is not defined.
    fn metric(&self, spec: &FitSpec, name: &str, baseline: &Baseline) -> Result<(Option<f64>, Option<f64>), RunError> {
        let metric = metric(name)?;
        let predicted = decided(&self.scores, spec.fixed_threshold());
        let weights = self.weights.as_deref();
        let value = metric.compute(&judged(&self.truth, &self.scores, &predicted, &self.numbers, weights));
        Ok((value.ok(), baseline.evaluate(metric, &self.truth, weights).ok()))
    }
}

/// What `evaluate METRIC by COLUMN` asks for, in that order.
pub(super) fn metrics(spec: &FitSpec, test: &Test<'_>, by: &SliceColumns) -> Result<Vec<SliceMetric>, RunError> {
    let mut found = Vec::new();
    for slice in &spec.slices {
        for (of, rows) in groups(&by[&slice.column])? {
            let (value, _) = Part::of(test, &rows).metric(spec, &slice.metric, test.baseline)?;
            let (metric, column) = (slice.metric.clone(), slice.column.clone());
            found.push(SliceMetric { metric, column, of, rows: rows.len() as u64, value });
        }
    }
    Ok(found)
}

/// A gate that must hold for each value of a column. Of what it was judged by the slices are told where it does not hold,
/// or all of them if it holds; the first few of many.
pub(super) fn gate_for_each(
    requirement: &Requirement,
    name: &str,
    spec: &FitSpec,
    test: &Test<'_>,
    by: &SliceColumns,
    live: &Live,
) -> Result<RequirementResult, RunError> {
    let mut asked: Vec<&str> = requirement.expr.columns().into_iter().filter(|c| !c.starts_with("deployed.")).collect();
    asked.iter_mut().for_each(|c| *c = c.strip_prefix("baseline.").unwrap_or(c));
    asked.dedup();
    let mut results = Vec::new();
    for (of, rows) in groups(&by[name])? {
        let part = Part::of(test, &rows);
        let mut metrics = Vec::new();
        for metric in &asked {
            if let (Some(value), Some(baseline)) = part.metric(spec, metric, test.baseline)? {
                metrics.push(((*metric).to_owned(), MetricValue::new(value, baseline)));
            }
        }
        results.push((of, gate(requirement, &metrics, live)));
    }
    let held = results.iter().all(|(_, result)| result.held);
    let told = results.iter().filter(|(_, result)| held || !result.held).take(MOST_TOLD);
    let values = told.flat_map(|(of, result)| {
        result.values.iter().map(move |(metric, value)| (format!("{metric} where {name} = {of}"), *value))
    });
    Ok(RequirementResult { text: requirement.text.clone(), held, values: values.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use polars::prelude::{IntoColumn, NamedFrom, Series};

    #[test]
    fn values_are_in_order_and_null_is_last() {
        let column = Series::new("c".into(), [Some("b"), None, Some("a"), Some("b")]).into_column();
        let found = groups(&column).unwrap();
        let shown: Vec<_> = found.iter().map(|(value, rows)| (value.to_string(), rows.clone())).collect();
        assert_eq!(shown, [("\"a\"".into(), vec![2]), ("\"b\"".into(), vec![0, 3]), ("null".into(), vec![1])]);
    }
}
