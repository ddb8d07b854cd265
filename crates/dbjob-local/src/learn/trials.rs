//! The fits that a search tries.

use std::collections::BTreeMap;

use dbjob_plan::{Algorithm, Candidate, Search, Space, Strategy, Value};

use crate::step::split::share;

/// Draws of a random search for each trial that is wanted, before it gives up to find another one.
const DRAWS: u64 = 50;

/// In order, each once: every combination, or for each candidate so many drawn by `seed`. Of fewer combinations than are
/// to be drawn all are tried.
pub(crate) fn trials(search: &Search, seed: i64) -> Vec<Algorithm> {
    let of = |candidate: &Candidate| match search.strategy {
        Strategy::Random(wanted) | Strategy::Halving(wanted) if combinations(candidate).is_none_or(|n| n > wanted) => {
            drawn(candidate, wanted, seed)
        }
        _ => grid(candidate),
    };
    search.candidates.iter().flat_map(of).collect()
}

/// How many there are; `None` without end.
fn combinations(candidate: &Candidate) -> Option<u64> {
    candidate.spaces.values().try_fold(1u64, |n, space| Some(n.saturating_mul(space.count()?)))
}

/// Every combination; the last option changes fastest. A range of floats has its first value only.
fn grid(candidate: &Candidate) -> Vec<Algorithm> {
    let mut all = vec![BTreeMap::new()];
    for (name, space) in &candidate.spaces {
        let values = match space {
            Space::OneOf(values) => values.clone(),
            Space::Ints { low, high } => (*low..=*high).map(Value::Int).collect(),
            Space::Floats { .. } => vec![space.first()],
        };
        let with = |options: &BTreeMap<String, Value>| -> Vec<BTreeMap<String, Value>> {
            values.iter().map(|v| options.clone().into_iter().chain([(name.clone(), v.clone())]).collect()).collect()
        };
        all = all.iter().flat_map(with).collect();
    }
    all.into_iter().map(|options| with_options(&candidate.algorithm, options)).collect()
}

/// The draw of an option is u in [0, 1) of the hash of `<seed>|trial<n>|<algorithm>|<option>`, as that of a split.
fn drawn(candidate: &Candidate, wanted: u64, seed: i64) -> Vec<Algorithm> {
    let mut all: Vec<Algorithm> = Vec::new();
    for n in 0..wanted.saturating_mul(DRAWS) {
        if all.len() as u64 == wanted {
            break;
        }
        let draw = |(name, space): (&String, &Space)| {
            let u = share(&format!("{seed}|trial{n}|{}|{name}", candidate.algorithm.name));
            (name.clone(), at(space, u))
        };
        let trial = with_options(&candidate.algorithm, candidate.spaces.iter().map(draw).collect());
        if !all.contains(&trial) {
            all.push(trial);
        }
    }
    all
}

fn at(space: &Space, u: f64) -> Value {
    match space {
        Space::OneOf(values) => values[((u * values.len() as f64) as usize).min(values.len() - 1)].clone(),
        Space::Ints { low, high } => {
            let width = high.abs_diff(*low) as f64 + 1.0;
            Value::Int(low.saturating_add((u * width) as i64).min(*high))
        }
        Space::Floats { low, high, log: true } => Value::Float((low.ln() + u * (high.ln() - low.ln())).exp()),
        Space::Floats { low, high, log: false } => Value::Float(low + u * (high - low)),
    }
}

/// Of the trials that are left so many come on, and learn from so many times the rows.
const FEWER: u64 = 3;

/// On so many rows trials may be compared.
const FEWEST_ROWS: u64 = 500;

/// The rounds of a search: how much of the train rows its trials learn from, and how many of them are left for it. The last one is
/// of all rows.
pub(crate) fn rounds(strategy: Strategy, trials: usize, rows: u64) -> Vec<(f64, usize)> {
    let mut rounds = 0;
    if let Strategy::Halving(_) = strategy {
        let (mut left, mut rows) = (trials as u64, rows / FEWER);
        while left >= FEWER && rows >= FEWEST_ROWS {
            (left, rows, rounds) = (left.div_ceil(FEWER), rows / FEWER, rounds + 1);
        }
    }
    let mut left = trials;
    let mut all = Vec::new();
    for round in (0..=rounds).rev() {
        all.push((1.0 / (FEWER as f64).powi(round), left));
        left = left.div_ceil(FEWER as usize);
    }
    all
}

fn with_options(algorithm: &Algorithm, options: BTreeMap<String, Value>) -> Algorithm {
    let mut algorithm = algorithm.clone();
    algorithm.options.extend(options);
    algorithm
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(strategy: Strategy) -> Search {
        let algorithm = |name: &str| Algorithm {
            name: name.into(),
            options: [("trees".to_owned(), Value::Int(1)), ("seeded".to_owned(), Value::Bool(true))].into(),
            span: Default::default(),
        };
        let forest = Candidate {
            algorithm: algorithm("forest"),
            spaces: [
                ("trees".to_owned(), Space::OneOf(vec![Value::Int(10), Value::Int(20)])),
                ("depth".to_owned(), Space::Ints { low: 3, high: 5 }),
            ]
            .into(),
        };
        let line = Candidate {
            algorithm: algorithm("line"),
            spaces: [("c".to_owned(), Space::Floats { low: 0.001, high: 10.0, log: true })].into(),
        };
        let candidates = if strategy == Strategy::Grid { vec![forest] } else { vec![forest, line] };
        Search { candidates, strategy, metric: "auc".into(), span: Default::default() }
    }

    #[test]
    fn a_grid_has_every_combination_once() {
        let all = trials(&search(Strategy::Grid), 1);
        assert_eq!(all.len(), 6);
        assert!(all.iter().all(|a| a.options["seeded"] == Value::Bool(true)));
        let pairs: Vec<_> = all.iter().map(|a| (a.options["depth"].clone(), a.options["trees"].clone())).collect();
        assert_eq!(
            pairs[..3],
            [(Value::Int(3), Value::Int(10)), (Value::Int(3), Value::Int(20)), (Value::Int(4), Value::Int(10))]
        );
    }

    #[test]
    fn a_third_of_the_trials_comes_on_to_three_times_the_rows() {
        let of = |trials, rows| rounds(Strategy::Halving(50), trials, rows);
        assert_eq!(of(50, 100_000), [(1.0 / 27.0, 50), (1.0 / 9.0, 17), (1.0 / 3.0, 6), (1.0, 2)]);
        assert_eq!(of(50, 5_000), [(1.0 / 9.0, 50), (1.0 / 3.0, 17), (1.0, 6)]);
        assert_eq!(of(50, 1_000), [(1.0, 50)]);
        assert_eq!(of(1, 100_000), [(1.0, 1)]);
        assert_eq!(rounds(Strategy::Random(50), 50, 100_000), [(1.0, 50)]);
    }

    #[test]
    fn draws_are_of_the_seed_and_inside_their_ranges() {
        let all = trials(&search(Strategy::Random(4)), 7);
        assert_eq!(all, trials(&search(Strategy::Random(4)), 7));
        assert_ne!(all, trials(&search(Strategy::Random(4)), 8));
        let (forests, lines): (Vec<_>, Vec<_>) = all.iter().partition(|a| a.name == "forest");
        assert_eq!((forests.len(), lines.len()), (4, 4));
        assert!((1..4).all(|i| !forests[..i].contains(&forests[i])), "each once");
        assert!(lines.iter().all(|a| matches!(a.options["c"], Value::Float(c) if (0.001..=10.0).contains(&c))));
        // There are six combinations: more draws than that are a grid.
        let many = trials(&search(Strategy::Random(50)), 7);
        assert_eq!(many.iter().filter(|a| a.name == "forest").count(), 6);
    }
}
