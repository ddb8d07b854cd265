//! The fits that a search tries.

use std::collections::BTreeMap;
use std::ops::Range;

use dbjob_plan::{Algorithm, Candidate, Search, Space, Strategy, Value};

use super::guide::{Found, Guide};
use crate::step::split::share;

/// Draws of a random search for each trial that is wanted, before it gives up to find another one.
const DRAWS: u64 = 50;

/// The trials of a search: in order, candidate by candidate, each once.
pub(crate) struct Trials<'a> {
    parts: Vec<Part<'a>>,
}

/// Those of a candidate.
enum Part<'a> {
    Known(Vec<Algorithm>),
    Guided(Guide<'a>),
}

impl Part<'_> {
    fn count(&self) -> usize {
        match self {
            Self::Known(all) => all.len(),
            Self::Guided(guide) => guide.wanted,
        }
    }
}

impl<'a> Trials<'a> {
    /// Every combination, or for each candidate so many, drawn by `seed` or guided by those before. Of fewer combinations
    /// than that all are tried. `higher`: whether higher values are better.
    pub fn of(search: &'a Search, seed: i64, higher: bool) -> Self {
        let part = |candidate: &'a Candidate| match search.strategy {
            Strategy::Random(wanted) | Strategy::Halving(wanted)
                if combinations(candidate).is_none_or(|n| n > wanted) =>
            {
                Part::Known(drawn(candidate, wanted, seed))
            }
            Strategy::Guided(wanted) if combinations(candidate).is_none_or(|n| n > wanted) => {
                Part::Guided(Guide { candidate, wanted: wanted as usize, seed, higher })
            }
            _ => Part::Known(grid(candidate)),
        };
        Self { parts: search.candidates.iter().map(part).collect() }
    }

    pub fn count(&self) -> usize {
        self.parts.iter().map(Part::count).sum()
    }

    /// The candidate of a trial and where its trials begin.
    fn part(&self, number: usize) -> (&Part<'a>, usize) {
        let mut first = 0;
        for part in &self.parts {
            if number < first + part.count() {
                return (part, first);
            }
            first += part.count();
        }
        unreachable!("there are no more trials than `count`")
    }

    /// The trials whose values must be known before this one.
    pub fn follows(&self, number: usize) -> Range<usize> {
        match self.part(number) {
            (Part::Known(_), _) => 0..0,
            (Part::Guided(guide), first) => first..first + guide.follows(number - first),
        }
    }

    /// Adds to `made`, by number, a trial and those of its candidate before it. `found`: what is known of trials; of no
    /// others than [`Self::follows`] is anything made of it. `None`: there is no other one left.
    pub fn make(&self, number: usize, made: &mut BTreeMap<usize, Option<Algorithm>>, found: &[Found]) {
        let (part, first) = self.part(number);
        for n in first..=number {
            if !made.contains_key(&n) {
                let trial = match part {
                    Part::Known(all) => Some(all[n - first].clone()),
                    Part::Guided(guide) => {
                        let before: Vec<_> = (first..n).map(|n| made[&n].as_ref()).collect();
                        guide.next(&before, found.get(self.follows(n)).unwrap_or_default())
                    }
                };
                made.insert(n, trial);
            }
        }
    }
}

/// How many there are; `None` without end.
pub(super) fn combinations(candidate: &Candidate) -> Option<u64> {
    candidate.spaces.values().try_fold(1u64, |n, space| Some(n.saturating_mul(space.count()?)))
}

/// Every combination; the last option changes fastest. A range of floats has its first value only.
pub(super) fn grid(candidate: &Candidate) -> Vec<Algorithm> {
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

pub(super) fn at(space: &Space, u: f64) -> Value {
    match space {
        Space::OneOf(values) => values[((u * values.len() as f64) as usize).min(values.len() - 1)].clone(),
        Space::Ints { low, high } => {
            let width = high.abs_diff(*low) as f64 + 1.0;
            Value::Int(low.saturating_add((u * width) as i64).min(*high))
        }
        Space::Floats { low, high, log: true } => {
            Value::Float((low.ln() + u * (high.ln() - low.ln())).exp().clamp(*low, *high))
        }
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

pub(super) fn with_options(algorithm: &Algorithm, options: BTreeMap<String, Value>) -> Algorithm {
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

    /// Of a search whose trials follow from no others.
    fn trials(search: &Search, seed: i64) -> Vec<Algorithm> {
        let (trials, mut made) = (Trials::of(search, seed, true), BTreeMap::new());
        for number in 0..trials.count() {
            assert!(trials.follows(number).is_empty());
            trials.make(number, &mut made, &[]);
        }
        made.into_values().map(|trial| trial.unwrap()).collect()
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
        assert_eq!(rounds(Strategy::Guided(50), 50, 100_000), [(1.0, 50)]);
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

    /// All trials of a guided search, found in order as `worth` says.
    fn guided(wanted: u64, seed: i64, higher: bool, worth: &dyn Fn(&Algorithm) -> Option<f64>) -> Vec<Algorithm> {
        let search = search(Strategy::Guided(wanted));
        let trials = Trials::of(&search, seed, higher);
        let (mut made, mut found) = (BTreeMap::new(), vec![None; trials.count()]);
        for number in 0..trials.count() {
            // What a slow worker has not told yet makes no difference.
            let told: Vec<Found> =
                (0..number).map(|n| found[n].filter(|_| trials.follows(number).contains(&n))).collect();
            trials.make(number, &mut made, &told);
            found[number] = Some(made[&number].as_ref().and_then(worth));
        }
        made.into_values().flatten().collect()
    }

    fn c(trial: &Algorithm) -> Option<f64> {
        if let Some(Value::Float(c)) = trial.options.get("c") { Some(*c) } else { None }
    }

    #[test]
    fn guided_trials_come_near_the_best_from_both_sides() {
        // Best at 0.05, where c lies between 0.001 and 10.
        let off = |trial: &Algorithm| c(trial).map(|c| (c / 0.05).ln().abs().powf(1.5));
        for seed in [1, 2, 3] {
            for higher in [false, true] {
                let worth = |trial: &Algorithm| off(trial).map(|off| if higher { -off } else { off });
                let all = guided(15, seed, higher, &worth);
                let lines: Vec<f64> = all.iter().filter_map(c).collect();
                assert_eq!(lines.len(), 15);
                assert!(lines.iter().all(|c| (0.001..=10.0).contains(c)));
                let nearest = lines.iter().map(|c| (c / 0.05).ln().abs()).fold(f64::INFINITY, f64::min);
                assert!(nearest < 0.15, "seed {seed}: {lines:?}");
                let late = lines[8..].iter().filter(|c| (**c / 0.05).ln().abs() < 1.0).count();
                assert!(late >= 4, "seed {seed}: {lines:?}");
                assert_eq!(all, guided(15, seed, higher, &worth));
            }
        }
    }

    #[test]
    fn guided_trials_are_each_tried_once_and_follow_from_those_before_them() {
        let depth = |trial: &Algorithm| match trial.options.get("depth") {
            Some(Value::Int(depth)) => Some(*depth as f64),
            _ => c(trial),
        };
        let all = guided(5, 7, true, &depth);
        let forests: Vec<_> = all.iter().filter(|a| a.name == "forest").collect();
        assert_eq!(forests.len(), 5);
        assert!((1..5).all(|i| !forests[..i].contains(&forests[i])), "each once");
        assert_ne!(all, guided(5, 8, true, &depth));
        let of_lines = |all: Vec<Algorithm>| all.into_iter().filter(|a| a.name == "line").collect::<Vec<_>>();
        assert_eq!(of_lines(all)[..], of_lines(guided(9, 7, true, &depth))[..5]);
        // Of the first ones nothing is known; where the metric is not defined, or always the same, others are drawn.
        assert_eq!(guided(9, 7, true, &|_| None).iter().filter(|a| a.name == "line").count(), 9);
        assert_eq!(guided(9, 7, true, &|_| Some(0.5)).iter().filter(|a| a.name == "line").count(), 9);
        let search = search(Strategy::Guided(50));
        let trials = Trials::of(&search, 7, true);
        // Six combinations of forests, a grid; then lines, at first three that follow from none.
        assert_eq!(trials.count(), 56);
        let follows: Vec<_> = [5, 6, 8, 9, 20].map(|n| trials.follows(n)).into();
        assert_eq!(follows, [0..0, 6..6, 6..6, 6..6, 6..17]);
    }
}
