//! Trials that follow from those before them: first some that are spread over the whole space, then always the one of which
//! most may be hoped, by a Gaussian process of the values so far.

use std::f64::consts::FRAC_1_SQRT_2;

use dbjob_learn::{Process, scattered};
use dbjob_plan::{Algorithm, Candidate, Space, Value};

use super::trials::{at, combinations, grid, with_options};
use crate::step::split::share;

/// What is known of a trial: nothing yet, or its value, where the metric is defined.
pub(crate) type Found = Option<Option<f64>>;

/// A trial follows from all those that are so many before it. It depends on no one's pace, so that searches find the same with
/// any number of workers; as many as this have something to do at once.
pub(crate) const AHEAD: usize = 4;
/// Beside one for each option so many are spread before any follows.
const SPREAD: usize = 2;
/// What is tried next is chosen from so many draws of the whole space and so many beside each of the best; of few combinations
/// from all.
const DRAWN: usize = 400;
const BEST: usize = 4;
const BESIDE: [(usize, f64); 2] = [(40, 0.2), (40, 0.06)];
/// So many values are looked at, the last ones.
const LOOKED_AT: usize = 150;
/// A value that lies so many times the middle half of all below it says no more than that it is bad.
const FAR: f64 = 2.0;

/// The trials of a candidate.
pub(super) struct Guide<'a> {
    pub candidate: &'a Candidate,
    pub wanted: usize,
    pub seed: i64,
    /// Whether higher values are better.
    pub higher: bool,
}

impl Guide<'_> {
    /// How many trials must be known before this one.
    pub fn follows(&self, number: usize) -> usize {
        if number < self.spread() { 0 } else { (number + 1).saturating_sub(AHEAD) }
    }

    /// It does not depend on how many are wanted: a search for more begins with those of a search for fewer.
    fn spread(&self) -> usize {
        SPREAD + self.candidate.spaces.len()
    }

    /// The trial after `before`, of the first of which `found` is known. `None`: there is no other one.
    pub fn next(&self, before: &[Option<&Algorithm>], found: &[Found]) -> Option<Algorithm> {
        let number = before.len();
        let mut draws = Draws::new(self.seed, number, &self.candidate.algorithm.name);
        let spread = if number < self.spread() { Some(self.trial(&self.spread_out(number))) } else { None };
        let is_new = |trial: &Algorithm| !before.contains(&Some(trial));
        if let Some(trial) = spread.filter(is_new) {
            return Some(trial);
        }
        let known: Vec<(Vec<f64>, f64)> = self.known(before, found);
        let Some(process) = self.process(before, found.len(), &known) else {
            return self.any(&[], &mut draws).into_iter().find(is_new);
        };
        let mut best: Vec<(f64, &Vec<f64>)> = known.iter().map(|(point, _)| (process.at(point).0, point)).collect();
        best.sort_by(|a, b| b.0.total_cmp(&a.0));
        let near: Vec<Vec<f64>> = (before.iter().flatten())
            .filter(|trial| best.iter().take(BEST).any(|(_, point)| **point == self.point(trial)))
            .map(|trial| self.place(trial))
            .collect();
        let mut chosen: Option<(f64, Algorithm)> = None;
        for trial in self.any(&near, &mut draws).into_iter().filter(is_new) {
            let (mean, deviation) = process.at(&self.point(&trial));
            let hope = mean + deviation;
            if chosen.as_ref().is_none_or(|(most, _)| hope > *most) {
                chosen = Some((hope, trial));
            }
        }
        chosen.map(|(_, trial)| trial)
    }

    /// Points of trials with their values, the higher the better.
    fn known(&self, before: &[Option<&Algorithm>], found: &[Found]) -> Vec<(Vec<f64>, f64)> {
        let sign = if self.higher { 1.0 } else { -1.0 };
        let with_value = |(trial, found): (&Option<&Algorithm>, &Found)| {
            let value = found.flatten().filter(|v| v.is_finite()).map(|v| sign * v);
            Some((self.point((*trial)?), value))
        };
        let all: Vec<_> = before.iter().zip(found).filter_map(with_value).collect();
        let mut sorted: Vec<f64> = all.iter().filter_map(|(_, value)| *value).collect();
        sorted.sort_by(f64::total_cmp);
        let Some(last) = sorted.len().checked_sub(1) else { return Vec::new() };
        let part = |share: f64| sorted[(share * last as f64).round() as usize];
        let worst = (part(0.5) - FAR * (part(0.75) - part(0.25))).max(sorted[0]);
        let all = all.into_iter().map(|(point, value)| (point, value.unwrap_or(worst).max(worst)));
        let all: Vec<_> = all.collect();
        all[all.len().saturating_sub(LOOKED_AT)..].to_vec()
    }

    /// What `known` says, where those under way are as good as is thought of them.
    fn process(&self, before: &[Option<&Algorithm>], done: usize, known: &[(Vec<f64>, f64)]) -> Option<Process> {
        let (mut points, mut values): (Vec<_>, Vec<_>) = known.iter().cloned().unzip();
        let process = Process::fit(&points, &values)?;
        let under_way: Vec<Vec<f64>> = before[done..].iter().flatten().map(|trial| self.point(trial)).collect();
        if under_way.is_empty() {
            return Some(process);
        }
        values.extend(under_way.iter().map(|point| process.at(point).0));
        points.extend(under_way);
        Process::fit(&points, &values)
    }

    /// Trials that may come next: of few combinations all.
    fn any(&self, near: &[Vec<f64>], draws: &mut Draws) -> Vec<Algorithm> {
        if combinations(self.candidate).is_some_and(|n| n <= DRAWN as u64) {
            return grid(self.candidate);
        }
        let options = self.candidate.spaces.len();
        let mut all: Vec<Algorithm> =
            (0..DRAWN).map(|_| self.trial(&(0..options).map(|_| draws.unit()).collect::<Vec<_>>())).collect();
        for place in near {
            for (count, width) in BESIDE {
                for _ in 0..count {
                    let moved: Vec<f64> = (self.candidate.spaces.values().zip(place))
                        .map(|(space, u)| draws.beside(*u, width, coordinates(space) == 1))
                        .collect();
                    all.push(self.trial(&moved));
                }
            }
        }
        all
    }

    /// A place for each option: at first the middle, then evenly by the powers of one irrational number.
    /// Source: M. Roberts, "The unreasonable effectiveness of quasirandom sequences" (2018).
    fn spread_out(&self, number: usize) -> Vec<f64> {
        let options = self.candidate.spaces.len();
        let mut root = 1.5_f64;
        for _ in 0..60 {
            root = (1.0 + root).powf(1.0 / (options as f64 + 1.0));
        }
        let mut from = Draws::new(self.seed, 0, &self.candidate.algorithm.name);
        let place = |step: f64, from: f64| (from + number as f64 * step).fract();
        (1..=options)
            .map(|j| (root.powi(-(j as i32)), from.unit()))
            .map(|(step, from)| if number == 0 { 0.5 } else { place(step, from) })
            .collect()
    }

    fn trial(&self, place: &[f64]) -> Algorithm {
        let options = self.candidate.spaces.iter().zip(place).map(|((name, space), u)| (name.clone(), at(space, *u)));
        with_options(&self.candidate.algorithm, options.collect())
    }

    /// What [`Self::trial`] makes it of.
    fn place(&self, trial: &Algorithm) -> Vec<f64> {
        self.candidate.spaces.iter().map(|(name, space)| place(space, &trial.options[name])).collect()
    }

    /// Where it lies among all: options with an order have a coordinate, others one for each value.
    fn point(&self, trial: &Algorithm) -> Vec<f64> {
        let of = |(name, space): (&String, &Space)| {
            let value = &trial.options[name];
            match (space, coordinates(space)) {
                (_, 1) => vec![place(space, value)],
                (Space::OneOf(values), _) => {
                    values.iter().map(|v| if v == value { FRAC_1_SQRT_2 } else { 0.0 }).collect()
                }
                _ => Vec::new(),
            }
        };
        self.candidate.spaces.iter().flat_map(of).collect()
    }
}

/// In how many coordinates values of an option are told apart: 1 if they have an order.
fn coordinates(space: &Space) -> usize {
    let Space::OneOf(values) = space else { return 1 };
    let number = |value: &Value| match value {
        Value::Int(i) => Some(*i as f64),
        Value::Float(x) => Some(*x),
        _ => None,
    };
    let numbers: Option<Vec<f64>> = values.iter().map(number).collect();
    let in_order = |numbers: Vec<f64>| numbers.is_sorted() || numbers.is_sorted_by(|a, b| a >= b);
    if values.len() <= 2 || numbers.is_some_and(in_order) { 1 } else { values.len() }
}

/// Between 0 and 1, the middle of all that give the value.
fn place(space: &Space, value: &Value) -> f64 {
    match (space, value) {
        (Space::OneOf(values), value) => {
            let index = values.iter().position(|v| v == value).unwrap_or(0);
            (index as f64 + 0.5) / values.len() as f64
        }
        (Space::Ints { low, high }, Value::Int(i)) => {
            (i.abs_diff(*low) as f64 + 0.5) / (high.abs_diff(*low) as f64 + 1.0)
        }
        (Space::Floats { low, high, log: true }, Value::Float(x)) => (x / low).ln() / (high / low).ln(),
        (Space::Floats { low, high, log: false }, Value::Float(x)) => (x - low) / (high - low),
        _ => 0.5,
    }
}

/// Numbers in [0, 1) for a trial.
struct Draws {
    seed: i64,
    drawn: u64,
}

impl Draws {
    fn new(seed: i64, number: usize, algorithm: &str) -> Self {
        Self { seed: share(&format!("{seed}|guided{number}|{algorithm}")).to_bits() as i64, drawn: 0 }
    }

    fn unit(&mut self) -> f64 {
        self.drawn += 1;
        (scattered(self.seed, self.drawn) >> 11) as f64 * 0.5_f64.powi(53)
    }

    /// Near `u`, the nearer the likelier; what has no order stays or is drawn anew.
    fn beside(&mut self, u: f64, width: f64, ordered: bool) -> f64 {
        // The sum of three has a variance of a quarter.
        let (step, anew) = (2.0 * (self.unit() + self.unit() + self.unit()) - 3.0, self.unit());
        match ordered {
            true => (u + width * step).clamp(0.0, 1.0),
            false if anew < width => self.unit(),
            false => u,
        }
    }
}
