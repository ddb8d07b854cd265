use std::collections::BTreeMap;

use dbjob_learn::metric::{Judged, metric};
use dbjob_learn::{Baseline, Scores, Target};
use dbjob_plan::{Event, FitSpec, MetricValue, RequirementResult, RunContext, RunError, Value, evaluate_scalar};

/// Predictions of the test rows beside their truth.
pub(super) struct Test<'a> {
    /// Codes, or numbers in the caller's units.
    pub truth: &'a Target,
    pub scores: &'a Scores,
    /// The numbers that callers get; empty for classes.
    pub numbers: &'a [f64],
    pub baseline: &'a Baseline,
}

/// The metrics that the model asks for, in its order. One that is not defined on these rows is told and left out.
pub(super) fn metrics(
    spec: &FitSpec,
    test: &Test<'_>,
    cx: &RunContext<'_>,
    item: &str,
) -> Result<Vec<(String, MetricValue)>, RunError> {
    let predicted = test.scores.argmax();
    let judged = match test.truth {
        Target::Classes { codes, .. } => {
            Judged::Classes { truth: codes, predicted: &predicted, probabilities: &test.scores.columns }
        }
        Target::Numbers(truth) => Judged::Numbers { truth, predicted: test.numbers },
    };
    let mut found = Vec::with_capacity(spec.metrics.len());
    for name in &spec.metrics {
        let metric = metric(name).ok_or_else(|| RunError::new("E0799", format!("there is no metric `{name}`")))?;
        match (metric.compute(&judged), test.baseline.evaluate(metric, test.truth)) {
            (Some(value), Some(baseline)) => found.push((name.clone(), MetricValue { value, baseline })),
            _ => cx.emit(Event::Warning {
                item: item.to_owned(),
                message: format!(
                    "{name} is not defined on the {} test rows of `{}`{}",
                    judged.rows(),
                    spec.model,
                    why(&judged)
                ),
            }),
        }
    }
    Ok(found)
}

fn why(judged: &Judged<'_>) -> &'static str {
    match judged {
        Judged::Classes { truth, .. } if truth.iter().all(|t| *t == truth[0]) => ": all are of one class",
        Judged::Classes { .. } => ": a class does not occur among them",
        Judged::Numbers { predicted, .. } if predicted.iter().any(|p| !p.is_finite()) => {
            ": a prediction is not a finite number"
        }
        Judged::Numbers { .. } => "",
    }
}

/// Every gate with the values that it was judged by. A gate on a metric that is not defined does not hold.
pub(super) fn requirements(spec: &FitSpec, metrics: &[(String, MetricValue)]) -> Vec<RequirementResult> {
    let lookup = |name: &str| {
        let (plain, of_baseline) = match name.strip_prefix("baseline.") {
            Some(rest) => (rest, true),
            None => (name, false),
        };
        let (_, found) = metrics.iter().find(|(metric, _)| metric == plain)?;
        Some(if of_baseline { found.baseline } else { found.value })
    };
    let judge = |requirement: &dbjob_plan::Requirement| {
        let columns = requirement.expr.columns();
        let values: BTreeMap<String, f64> =
            columns.into_iter().filter_map(|name| lookup(name).map(|v| (name.to_owned(), v))).collect();
        let held = evaluate_scalar(&requirement.expr, &lookup) == Some(Value::Bool(true));
        RequirementResult { text: requirement.text.clone(), held, values }
    };
    spec.require.iter().map(judge).collect()
}
