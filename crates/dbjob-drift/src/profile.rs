use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// So many different numbers have a bucket each.
const DISTINCT: usize = 256;

/// More are cut at so many quantiles: every half percent, so that tenths are among them.
const QUANTILES: usize = 200;

/// A column of more levels is not looked at level by level: names and identifiers are no categories.
const LEVELS: usize = 1000;

/// What the rows that a model learned from were like, and its predictions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// The columns that callers send, of the rows that the model learned from.
    pub columns: Vec<Column>,
    /// The columns of predictions, of rows that it did not learn from.
    pub predictions: Vec<Column>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    pub rows: u64,
    /// Null, or not a number.
    pub nulls: u64,
    #[serde(flatten)]
    pub shape: Shape,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Shape {
    /// `counts[i]` values lie above `edges[i - 1]` and not above `edges[i]`; the first edge is the least value, the last the
    /// greatest, so that nothing is counted behind it.
    Numbers { edges: Vec<f64>, counts: Vec<u64>, mean: Option<f64> },
    /// How often each level occurs.
    Levels { counts: BTreeMap<String, u64> },
    /// Lists, or texts of too many levels.
    Unlooked,
}

/// Looks at numbers; infinite ones lie behind all others.
pub fn numbers(name: &str, values: impl Iterator<Item = Option<f64>>) -> Column {
    let (mut rows, mut nulls) = (0, 0);
    let mut found: Vec<f64> = Vec::new();
    for value in values {
        rows += 1;
        match value.filter(|x| !x.is_nan()) {
            Some(x) => found.push(x),
            None => nulls += 1,
        }
    }
    found.sort_unstable_by(f64::total_cmp);
    let finite: Vec<f64> = found.iter().copied().filter(|x| x.is_finite()).collect();
    let mean = (!finite.is_empty()).then(|| finite.iter().sum::<f64>() / finite.len() as f64);
    let edges = edges(&finite);
    let mut counts = vec![0; edges.len() + 1];
    let (mut bucket, last) = (0, edges.len());
    for x in found {
        while bucket < last && x > edges[bucket] {
            bucket += 1;
        }
        counts[bucket] += 1;
    }
    Column { name: name.into(), rows, nulls, shape: Shape::Numbers { edges, counts, mean } }
}

/// Ascending, each once.
fn edges(sorted: &[f64]) -> Vec<f64> {
    let mut distinct = sorted.to_vec();
    // Both zeros are one number.
    distinct.dedup_by(|a, b| *a == *b);
    if distinct.len() <= DISTINCT {
        return distinct;
    }
    let at = |i: usize| sorted[(sorted.len() - 1) * i / QUANTILES];
    let mut edges: Vec<f64> = (0..=QUANTILES).map(at).collect();
    edges.dedup_by(|a, b| *a == *b);
    edges
}

/// Looks at texts and truth values.
pub fn levels<'a>(name: &str, values: impl Iterator<Item = Option<&'a str>>) -> Column {
    let (mut rows, mut nulls) = (0, 0);
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut many = false;
    for value in values {
        rows += 1;
        let Some(value) = value else {
            nulls += 1;
            continue;
        };
        if many {
            continue;
        }
        match counts.get_mut(value) {
            Some(n) => *n += 1,
            None => drop(counts.insert(value.to_owned(), 1)),
        }
        many = counts.len() > LEVELS;
    }
    let shape = if many { Shape::Unlooked } else { Shape::Levels { counts } };
    Column { name: name.into(), rows, nulls, shape }
}

/// Of a column only how many rows it has and how many are null.
pub fn unlooked(name: &str, rows: u64, nulls: u64) -> Column {
    Column { name: name.into(), rows, nulls, shape: Shape::Unlooked }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_numbers_have_a_bucket_each() {
        let values = [3.0, 1.0, 1.0, f64::NAN, 2.0, f64::INFINITY].map(Some).into_iter().chain([None]);
        let column = numbers("x", values);
        assert_eq!((column.rows, column.nulls), (7, 2));
        let Shape::Numbers { edges, counts, mean } = column.shape else { panic!() };
        assert_eq!((edges, counts, mean), (vec![1.0, 2.0, 3.0], vec![2, 1, 1, 1], Some(1.75)));
    }

    #[test]
    fn many_numbers_are_cut_at_quantiles() {
        let column = numbers("x", (0..100_000).map(|i| Some(f64::from(i))));
        let Shape::Numbers { edges, counts, .. } = &column.shape else { panic!() };
        assert_eq!((edges.len(), edges[0], edges[200]), (201, 0.0, 99_999.0));
        assert_eq!(counts.iter().sum::<u64>(), 100_000);
        assert!(counts[1..201].iter().all(|n| (499..=501).contains(n)), "{counts:?}");
        let none = numbers("x", [None, None].into_iter());
        assert_eq!((none.nulls, none.shape), (2, Shape::Numbers { edges: vec![], counts: vec![0], mean: None }));
    }

    #[test]
    fn levels_are_counted_until_there_are_too_many() {
        let column = levels("x", [Some("b"), Some("a"), None, Some("b")].into_iter());
        let Shape::Levels { counts } = &column.shape else { panic!() };
        assert_eq!((column.nulls, counts["b"], counts["a"]), (1, 2, 1));
        let texts: Vec<String> = (0..=LEVELS).map(|i| i.to_string()).collect();
        assert_eq!(levels("x", texts.iter().map(|t| Some(t.as_str()))).shape, Shape::Unlooked);
    }

    #[test]
    fn a_profile_is_json() {
        let profile = Profile {
            columns: vec![numbers("x", [Some(0.1 + 0.2), None].into_iter()), levels("y", [Some("a")].into_iter())],
            predictions: vec![unlooked("z", 3, 1)],
        };
        let text = serde_json::to_string(&profile).unwrap();
        assert_eq!(serde_json::from_str::<Profile>(&text).unwrap(), profile, "{text}");
    }
}
