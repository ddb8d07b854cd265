use std::collections::BTreeMap;

use dbjob_learn::metric::{Classes, Judged, Metric, Numbers, interval};
use dbjob_learn::{Baseline, Pool, Scores, Target};
use dbjob_plan::{
    Confusion, Event, FitSpec, MetricValue, Requirement, RequirementResult, RunContext, RunError, Value,
    evaluate_scalar,
};

use super::learned::Learned;

/// The metrics of the version that is live, by name; `None`: nothing is.
pub type Live = Option<BTreeMap<String, MetricValue>>;

/// Predictions of the test rows beside their truth.
pub(super) struct Test<'a> {
    /// Codes, or numbers in the caller's units.
    pub truth: &'a Target,
    pub scores: &'a Scores,
    /// The numbers that callers get; empty for classes.
    pub numbers: &'a [f64],
    /// How much each row counts; all alike without.
    pub weights: Option<&'a [f64]>,
    pub baseline: &'a Baseline,
}

/// The metric of a plan.
pub(super) fn metric(name: &str) -> Result<Metric, RunError> {
    dbjob_learn::metric::metric(name).ok_or_else(|| RunError::new("E0799", format!("there is no metric `{name}`")))
}

/// The metrics that the model asks for, in its order. One that is not defined on these rows is told and left out.
pub(super) fn metrics(
    spec: &FitSpec,
    test: &Test<'_>,
    threads: usize,
    cx: &RunContext<'_>,
    item: &str,
) -> Result<Vec<(String, MetricValue)>, RunError> {
    let predicted = decided(test.scores, spec.fixed_threshold());
    let judged = judged(test.truth, test.scores, &predicted, test.numbers, test.weights);
    let warn = |message: String| cx.emit(Event::Warning { item: item.to_owned(), message });
    let (rows, model) = (judged.rows(), &spec.model);
    let pool = Pool::new(threads).map_err(|e| RunError::new("E0799", e.message))?;
    let mut found = Vec::with_capacity(spec.metrics.len());
    for name in &spec.metrics {
        let metric = metric(name)?;
        let (value, baseline) =
            match (metric.compute(&judged), test.baseline.evaluate(metric, test.truth, test.weights)) {
                (Ok(value), Ok(baseline)) => (value, baseline),
                (Err(why), _) => {
                    warn(format!("{name} is not defined on the {rows} test rows of `{model}`: {why}"));
                    continue;
                }
                (_, Err(why)) => {
                    warn(format!("{name} is not defined for the baseline of `{model}` on the {rows} test rows: {why}"));
                    continue;
                }
            };
        let mut value = MetricValue::new(value, baseline);
        if let Some(coverage) = spec.intervals {
            let stopped = || cx.cancel.is_cancelled();
            value.interval = interval(metric, &judged, (coverage, spec.serving.plan.seed), &pool, &stopped);
            if stopped() {
                return Err(RunError::new("E0718", format!("stopped while `{model}` was judged")));
            }
            if value.interval.is_none() {
                warn(format!(
                    "{name} of `{model}` has no interval: it is not defined when the {rows} test rows are drawn again"
                ));
            }
        }
        found.push((name.clone(), value));
    }
    Ok(found)
}

/// The class that is predicted for each row: with a threshold `true` (the second) from that probability on, else the most
/// probable one.
pub(super) fn decided(scores: &Scores, threshold: Option<f64>) -> Vec<u32> {
    match (threshold, scores.columns.as_slice()) {
        (Some(threshold), [_, of_true]) => of_true.iter().map(|p| u32::from(*p >= threshold)).collect(),
        _ => scores.argmax(),
    }
}

/// Of more classes nobody reads it.
const MOST_CLASSES: usize = 20;

/// Of a classifier of few classes: how many test rows of each class are predicted to be of each.
pub(super) fn confusion(spec: &FitSpec, classes: &[Value], test: &Test<'_>) -> Option<Confusion> {
    let Target::Classes { codes, .. } = test.truth else { return None };
    let count = classes.len();
    if count > MOST_CLASSES {
        return None;
    }
    let mut rows = vec![vec![0; count]; count];
    for (truth, predicted) in codes.iter().zip(decided(test.scores, spec.fixed_threshold())) {
        if let Some(of) = rows.get_mut(*truth as usize) {
            of[predicted as usize] += 1;
        }
    }
    Some(Confusion { classes: classes.to_vec(), rows })
}

/// Whether more of a metric is better.
pub fn higher_is_better(name: &str) -> bool {
    // The silhouette judges clusters, which have no truth.
    dbjob_learn::metric::metric(name).is_none_or(|metric| metric.higher_is_better())
}

/// `predicted`: the classes; `numbers`: what is predicted where there are none.
pub(super) fn judged<'a>(
    truth: &'a Target,
    scores: &'a Scores,
    predicted: &'a [u32],
    numbers: &'a [f64],
    weights: Option<&'a [f64]>,
) -> Judged<'a> {
    match truth {
        Target::Classes { codes: truth, .. } => {
            Judged::Classes(Classes { truth, predicted, probabilities: &scores.columns, weights })
        }
        Target::Numbers(truth) => Judged::Numbers(Numbers { truth, predicted: numbers, weights }),
        // No metric is defined on no rows.
        Target::Unlabelled(_) => Judged::Numbers(Numbers { truth: &[], predicted: &[], weights: None }),
    }
}

/// A gate with the values that it was judged by. It does not hold on a metric that is not defined; what it asks of the
/// live version holds while nothing is live.
pub(super) fn gate(requirement: &Requirement, metrics: &[(String, MetricValue)], live: &Live) -> RequirementResult {
    let lookup = |name: &str| {
        if let Some(deployed) = name.strip_prefix("deployed.") {
            return live.as_ref()?.get(deployed).map(|found| found.value);
        }
        let (plain, of_baseline) = match name.strip_prefix("baseline.") {
            Some(rest) => (rest, true),
            None => (name, false),
        };
        let (_, found) = metrics.iter().find(|(metric, _)| metric == plain)?;
        Some(if of_baseline { found.baseline } else { found.value })
    };
    let columns = requirement.expr.columns();
    let values: BTreeMap<String, f64> =
        columns.iter().filter_map(|name| lookup(name).map(|v| ((*name).to_owned(), v))).collect();
    let first = live.is_none() && columns.iter().any(|name| name.starts_with("deployed."));
    let held = first || evaluate_scalar(&requirement.expr, &lookup) == Some(Value::Bool(true));
    RequirementResult { text: requirement.text.clone(), held, values }
}

/// A model that was judged in an earlier run, with the gates of now: their words, and what they ask of the version that is
/// live by now. Gates for each value of a column stay as they were judged.
pub fn gate_again(learned: Learned, live: &Live) -> Learned {
    learned.with_requirements(|spec, metrics, before| {
        let again = |(requirement, before): (&Requirement, &RequirementResult)| {
            let asks = requirement.expr.columns().iter().any(|c| c.starts_with("deployed."));
            match &requirement.for_each {
                None if asks => gate(requirement, metrics, live),
                _ => RequirementResult { text: requirement.text.clone(), ..before.clone() },
            }
        };
        spec.require.iter().zip(before).map(again).collect()
    })
}
