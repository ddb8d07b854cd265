//! Every metric against scikit-learn's on 200 cases: ties, one class, weights, many classes. See tests/fixtures/metrics.py.

use std::collections::BTreeMap;

use dbjob_learn::Pool;
use dbjob_learn::metric::{Classes, Judged, Numbers, Undefined, metric, names, silhouette};
use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Case {
    Classes {
        truth: Vec<u32>,
        predicted: Vec<u32>,
        probabilities: Vec<Vec<f64>>,
        weights: Option<Vec<f64>>,
        values: Values,
    },
    Numbers {
        truth: Vec<f64>,
        predicted: Vec<f64>,
        weights: Option<Vec<f64>>,
        values: Values,
    },
    Clusters {
        columns: Vec<Vec<f64>>,
        labels: Vec<u32>,
        values: Values,
    },
}

/// `None`: not defined.
type Values = BTreeMap<String, Option<f64>>;

impl Case {
    fn values(&self) -> &Values {
        match self {
            Self::Classes { values, .. } | Self::Numbers { values, .. } | Self::Clusters { values, .. } => values,
        }
    }

    fn compute(&self, name: &str) -> Result<f64, Undefined> {
        match self {
            Self::Classes { truth, predicted, probabilities, weights, .. } => {
                let weights = weights.as_deref();
                metric(name).unwrap().compute(&Judged::Classes(Classes { truth, predicted, probabilities, weights }))
            }
            Self::Numbers { truth, predicted, weights, .. } => {
                let weights = weights.as_deref();
                metric(name).unwrap().compute(&Judged::Numbers(Numbers { truth, predicted, weights }))
            }
            Self::Clusters { columns, labels, .. } => {
                assert_eq!(name, "silhouette");
                let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
                silhouette(&columns, labels, 0, &Pool::single())
            }
        }
    }
}

#[test]
fn two_hundred_cases_are_as_scikit_learn_has_them() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/metrics.json");
    let path = std::env::var("METRICS").unwrap_or_else(|_| path.to_owned());
    let File { cases } = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(cases.len(), 200);
    let mut seen: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        for (name, expected) in case.values() {
            let (defined, undefined) = seen.entry(name).or_default();
            let found = case.compute(name);
            match (expected, found) {
                (Some(expected), Ok(found)) if (found - expected).abs() <= 1e-9 * expected.abs().max(1.0) => {
                    *defined += 1
                }
                (None, Err(_)) => *undefined += 1,
                _ => wrong.push(format!("case {number}: {name} is {found:?}, scikit-learn gives {expected:?}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    for name in names().filter(|name| *name != "quantile_loss").chain(["quantile_loss(0.9)", "silhouette"]) {
        assert!(seen.get(name).is_some_and(|(defined, _)| *defined >= 5), "{name} is not among them");
    }
    assert!(seen["auc"].1 >= 5 && seen["poisson_deviance"].1 >= 5);
}

#[test]
fn a_silhouette_is_the_same_on_any_number_of_threads_and_of_some_rows_near_that_of_all() {
    let rows = 12_000;
    let x: Vec<f64> = (0..rows).map(|i| f64::from(i % 3) * 4.0 + f64::from(i * 7919 % 1000) / 500.0).collect();
    let y: Vec<f64> = (0..rows).map(|i| f64::from(i * 104_729 % 1000) / 1000.0).collect();
    let labels: Vec<u32> = (0..rows as u32).map(|i| i % 3).collect();
    let of = |rows: usize, seed, threads| {
        silhouette(&[&x[..rows], &y[..rows]], &labels[..rows], seed, &Pool::new(threads).unwrap()).unwrap()
    };
    let one = of(12_000, 5, 1);
    assert_eq!(one.to_bits(), of(12_000, 5, 3).to_bits());
    assert_ne!(one, of(12_000, 6, 3));
    assert!((one - of(9000, 5, 2)).abs() < 0.01);
    assert_eq!(of(3000, 5, 2), of(3000, 6, 2));
}
