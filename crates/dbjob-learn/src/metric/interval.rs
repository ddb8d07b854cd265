//! Bootstrap intervals.

use super::{Classes, Judged, Metric, Numbers};
use crate::pool::Pool;
use crate::rng::Rng;

/// How often the rows are drawn again.
pub const REPLICATES: usize = 1000;

/// Where so large a share of the metric's values lies when as many rows are drawn again with replacement: the percentile
/// interval, with `coverage` in the middle. Replicates on which the metric is not defined are left out; `None`: that is so of
/// more than half of them, or `stopped` said so. The same on any number of threads.
pub fn interval(
    metric: Metric,
    judged: &Judged<'_>,
    (coverage, seed): (f64, i64),
    pool: &Pool,
    stopped: &(dyn Fn() -> bool + Sync),
) -> Option<(f64, f64)> {
    let values = pool.run(REPLICATES, |number| {
        if stopped() {
            return None;
        }
        let rows = drawn(judged.rows(), seed, number as u64);
        replicate(metric, judged, &rows)
    });
    let mut values: Vec<f64> = values.into_iter().flatten().collect();
    if values.len() * 2 <= REPLICATES {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let beside = (1.0 - coverage) / 2.0;
    Some((quantile(&values, beside), quantile(&values, 1.0 - beside)))
}

/// As many rows as there are, each any of them, in order.
fn drawn(rows: usize, seed: i64, number: u64) -> Vec<u32> {
    let mut rng = Rng::new(seed, 0xB007_0000_0000 + number);
    let mut times = vec![0_u32; rows];
    (0..rows).for_each(|_| times[rng.below(rows)] += 1);
    times.iter().zip(0..).flat_map(|(times, row)| (0..*times).map(move |_| row)).collect()
}

fn replicate(metric: Metric, judged: &Judged<'_>, rows: &[u32]) -> Option<f64> {
    let pick = |values: &[f64]| rows.iter().map(|row| values[*row as usize]).collect::<Vec<f64>>();
    let codes = |codes: &[u32]| rows.iter().map(|row| codes[*row as usize]).collect::<Vec<u32>>();
    let value = match judged {
        Judged::Classes(classes) => {
            let (truth, predicted) = (codes(classes.truth), codes(classes.predicted));
            let probabilities: Vec<Vec<f64>> = classes.probabilities.iter().map(|column| pick(column)).collect();
            let weights = classes.weights.map(pick);
            let (probabilities, weights) = (&probabilities[..], weights.as_deref());
            metric.compute(&Judged::Classes(Classes { truth: &truth, predicted: &predicted, probabilities, weights }))
        }
        Judged::Numbers(numbers) => {
            let (truth, predicted, weights) = (pick(numbers.truth), pick(numbers.predicted), numbers.weights.map(pick));
            let weights = weights.as_deref();
            metric.compute(&Judged::Numbers(Numbers { truth: &truth, predicted: &predicted, weights }))
        }
    };
    value.ok()
}

/// Linear between neighbours; `values` ascend.
fn quantile(values: &[f64], share: f64) -> f64 {
    let at = share * (values.len() - 1) as f64;
    let (below, above) = (values[at.floor() as usize], values[at.ceil() as usize]);
    below + (above - below) * at.fract()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::metric;

    #[test]
    fn the_interval_of_a_mean_is_that_of_the_normal_distribution() {
        // 2000 errors of 0 or 1, half of each: the mean's standard error is 0.5 / √2000.
        let truth: Vec<f64> = (0..2000).map(|i| f64::from(i % 2)).collect();
        let predicted = vec![0.0; 2000];
        let judged = Judged::Numbers(Numbers { truth: &truth, predicted: &predicted, weights: None });
        let one = interval(metric("mae").unwrap(), &judged, (0.95, 7), &Pool::single(), &|| false).unwrap();
        let wanted = 1.96 * 0.5 / 2000_f64.sqrt();
        assert!((one.0 - (0.5 - wanted)).abs() < 0.003 && (one.1 - (0.5 + wanted)).abs() < 0.003, "{one:?}");
        let three = interval(metric("mae").unwrap(), &judged, (0.95, 7), &Pool::new(3).unwrap(), &|| false).unwrap();
        assert_eq!(one, three);
        let other = interval(metric("mae").unwrap(), &judged, (0.95, 8), &Pool::single(), &|| false).unwrap();
        assert_ne!(other, one);
    }

    #[test]
    fn what_is_mostly_undefined_has_none() {
        let probabilities = [vec![0.5; 3], vec![0.5; 3]];
        let classes =
            Classes { truth: &[1, 1, 1], predicted: &[1, 1, 1], probabilities: &probabilities, weights: None };
        let found = interval(metric("auc").unwrap(), &Judged::Classes(classes), (0.95, 7), &Pool::single(), &|| false);
        assert_eq!(found, None);
    }

    #[test]
    fn quantiles_lie_between_neighbours() {
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.75), 3.0);
        assert_eq!(quantile(&[1.0], 0.025), 1.0);
    }
}
