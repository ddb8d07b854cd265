use std::collections::VecDeque;

use crate::numeric::dot;
use crate::store::Stored;
use crate::{Tensor, Tensors};

/// How a minimisation ended.
pub(super) struct Outcome {
    pub x: Vec<f64>,
    pub ended: Ended,
    pub iterations: usize,
    /// The largest component of the gradient at the end.
    pub gradient: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The largest component of the gradient came to the tolerance or below, or no step could lower the value any more in
    /// floating point.
    Converged,
    /// All iterations are done.
    Exhausted,
    /// `evaluate` gave up; `x` is the best point so far.
    Stopped,
    /// There is no minimum: the value falls for ever.
    Receding,
}

/// All that a minimisation knows after an iteration. The value never rises from one to the next.
pub(super) struct State {
    pub iteration: usize,
    pub value: f64,
    pub(super) x: Vec<f64>,
    pub(super) gradient: Vec<f64>,
    pub(super) pairs: VecDeque<Pair>,
}

const MEMORY: usize = 10;

/// Minimises a smooth function by L-BFGS from `start`, or from `resume` on. `evaluate(x, gradient)` gives the value; `None`
/// ends the minimisation. `after` is told of each iteration. Source: J. Nocedal, S. Wright, "Numerical Optimization" (2006),
/// algorithm 7.5; weak Wolfe line search by bisection: A. Lewis, M. Overton, "Nonsmooth optimization via quasi-Newton
/// methods" (2013).
pub(super) fn minimise(
    mut evaluate: impl FnMut(&[f64], &mut [f64]) -> Option<f64>,
    start: Vec<f64>,
    resume: Option<State>,
    (max_iterations, tolerance): (usize, f64),
    mut after: impl FnMut(&State),
) -> Outcome {
    let mut state = match resume {
        Some(state) => state,
        None => match State::begin(&mut evaluate, start) {
            Ok(state) => state,
            Err(outcome) => return outcome,
        },
    };
    let ended = loop {
        let State { iteration, value, x, gradient, pairs } = &mut state;
        if largest(gradient) <= tolerance {
            break Ended::Converged;
        }
        if *iteration == max_iterations {
            break Ended::Exhausted;
        }
        let mut direction = descent(gradient, pairs);
        let mut slope = dot(gradient, &direction);
        if slope >= 0.0 {
            // Curvature lost to rounding: begin again from the steepest descent.
            pairs.clear();
            direction = gradient.iter().map(|g| -g).collect();
            slope = -dot(gradient, gradient);
        }
        let first = if pairs.is_empty() { (1.0 / dot(gradient, gradient).sqrt()).min(1.0) } else { 1.0 };
        let step = match search(&mut evaluate, x, *value, slope, &direction, first) {
            None => break Ended::Stopped,
            Some(None) => break Ended::Converged,
            Some(Some(step)) => step,
        };
        state.step(step.x, step.value, step.gradient);
        after(&state);
    };
    Outcome { gradient: largest(&state.gradient), x: state.x, ended, iterations: state.iteration }
}

impl State {
    /// At `x`; an outcome when `evaluate` gave up.
    pub(super) fn begin(
        evaluate: &mut impl FnMut(&[f64], &mut [f64]) -> Option<f64>,
        x: Vec<f64>,
    ) -> Result<Self, Outcome> {
        let mut gradient = vec![0.0; x.len()];
        match evaluate(&x, &mut gradient) {
            Some(value) => Ok(Self { iteration: 0, value, x, gradient, pairs: VecDeque::with_capacity(MEMORY) }),
            None => Err(Outcome { x, ended: Ended::Stopped, iterations: 0, gradient: f64::INFINITY }),
        }
    }

    /// Goes on to another point.
    pub(super) fn step(&mut self, x: Vec<f64>, value: f64, gradient: Vec<f64>) {
        let s: Vec<f64> = x.iter().zip(&self.x).map(|(a, b)| a - b).collect();
        let y: Vec<f64> = gradient.iter().zip(&self.gradient).map(|(a, b)| a - b).collect();
        let sy = dot(&s, &y);
        if sy > 0.0 {
            if self.pairs.len() == MEMORY {
                self.pairs.pop_front();
            }
            self.pairs.push_back(Pair { yy: dot(&y, &y), s, y, sy });
        }
        (self.x, self.value, self.gradient) = (x, value, gradient);
        self.iteration += 1;
    }

    pub fn tensors(&self) -> Tensors {
        let n = self.x.len();
        let flat = |of: fn(&Pair) -> &Vec<f64>| -> Vec<f64> { self.pairs.iter().flat_map(of).copied().collect() };
        let pairs = self.pairs.len();
        vec![
            ("value", Tensor::f64(vec![1], &[self.value])),
            ("x", Tensor::f64(vec![n], &self.x)),
            ("gradient", Tensor::f64(vec![n], &self.gradient)),
            ("steps", Tensor::f64(vec![pairs, n], &flat(|p| &p.s))),
            ("changes", Tensor::f64(vec![pairs, n], &flat(|p| &p.y))),
        ]
    }

    /// `None`: it is no state of a minimisation over `n` parameters.
    pub fn restore(iteration: u64, stored: &Stored<'_>, n: usize) -> Option<Self> {
        let vector = |name| stored.f64(name).ok().map(|(values, _)| values);
        let (value, x, gradient) = (vector("value")?, vector("x")?, vector("gradient")?);
        let (steps, changes) = (vector("steps")?, vector("changes")?);
        let sound = value.len() == 1 && x.len() == n && gradient.len() == n && steps.len() == changes.len();
        if !sound || !steps.len().is_multiple_of(n) || steps.len() / n > MEMORY {
            return None;
        }
        let pair = |(s, y): (&[f64], &[f64])| Pair { sy: dot(s, y), yy: dot(y, y), s: s.to_vec(), y: y.to_vec() };
        let pairs = steps.chunks(n).zip(changes.chunks(n)).map(pair).collect();
        Some(Self { iteration: usize::try_from(iteration).ok()?, value: value[0], x, gradient, pairs })
    }
}

pub(super) struct Pair {
    s: Vec<f64>,
    y: Vec<f64>,
    sy: f64,
    yy: f64,
}

pub(super) fn largest(gradient: &[f64]) -> f64 {
    gradient.iter().fold(0.0, |m, g| m.max(g.abs()))
}

/// The two-loop recursion: minus the inverse Hessian's estimate times the gradient.
pub(super) fn descent(gradient: &[f64], pairs: &VecDeque<Pair>) -> Vec<f64> {
    let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut alphas = Vec::with_capacity(pairs.len());
    for pair in pairs.iter().rev() {
        let alpha = dot(&pair.s, &q) / pair.sy;
        axpy(&mut q, -alpha, &pair.y);
        alphas.push(alpha);
    }
    if let Some(last) = pairs.back() {
        let scale = last.sy / last.yy;
        q.iter_mut().for_each(|v| *v *= scale);
    }
    for (pair, alpha) in pairs.iter().zip(alphas.into_iter().rev()) {
        let beta = dot(&pair.y, &q) / pair.sy;
        axpy(&mut q, alpha - beta, &pair.s);
    }
    q
}

fn axpy(to: &mut [f64], factor: f64, add: &[f64]) {
    to.iter_mut().zip(add).for_each(|(t, a)| *t += factor * a);
}

struct Point {
    x: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

/// A point along `direction` that lowers the value enough and flattens the slope enough; `Some(None)` when rounding hides
/// any further descent, `None` when `evaluate` gave up.
fn search(
    evaluate: &mut impl FnMut(&[f64], &mut [f64]) -> Option<f64>,
    x: &[f64],
    value: f64,
    slope: f64,
    direction: &[f64],
    first: f64,
) -> Option<Option<Point>> {
    const DECREASE: f64 = 1e-4;
    const CURVATURE: f64 = 0.9;
    let (mut low, mut high, mut t) = (0.0, f64::INFINITY, first);
    let mut best: Option<Point> = None;
    for _ in 0..50 {
        let mut gradient = vec![0.0; x.len()];
        let at: Vec<f64> = x.iter().zip(direction).map(|(x, d)| x + t * d).collect();
        let found = evaluate(&at, &mut gradient)?;
        let enough = found <= value + DECREASE * t * slope;
        let flat = dot(&gradient, direction) >= CURVATURE * slope;
        if found < value && best.as_ref().is_none_or(|b| found < b.value) {
            best = Some(Point { x: at, value: found, gradient });
            if enough && flat {
                return Some(best);
            }
        }
        // A value that is not finite is not enough, so the step shrinks.
        if enough {
            low = t;
        } else {
            high = t;
        }
        t = if high.is_finite() { 0.5 * (low + high) } else { 2.0 * low };
    }
    Some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_minimum_of_rosenbrock() {
        let rosenbrock = |x: &[f64], g: &mut [f64]| {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            g[0] = -2.0 * a - 400.0 * x[0] * b;
            g[1] = 200.0 * b;
            a * a + 100.0 * b * b
        };
        let evaluate = |x: &[f64], g: &mut [f64]| Some(rosenbrock(x, g));
        let found = minimise(evaluate, vec![-1.2, 1.0], None, (200, 1e-9), |_| ());
        assert_eq!(found.ended, Ended::Converged);
        assert!(found.x.iter().all(|v| (v - 1.0).abs() < 1e-8), "{:?}", found.x);
    }

    fn bowl(x: &[f64], g: &mut [f64]) -> Option<f64> {
        g[0] = 2.0 * x[0];
        g[1] = 2000.0 * x[1];
        Some(x[0] * x[0] + 1000.0 * x[1] * x[1])
    }

    #[test]
    fn stops_when_told_and_says_when_it_did_not_converge() {
        let mut left = 6;
        let some = |x: &[f64], g: &mut [f64]| {
            left -= 1;
            bowl(x, g).filter(|_| left > 0)
        };
        let stopped = minimise(some, vec![5.0, 5.0], None, (100, 1e-9), |_| ());
        assert_eq!(stopped.ended, Ended::Stopped);
        assert!(bowl(&stopped.x, &mut [0.0; 2]).unwrap() < bowl(&[5.0, 5.0], &mut [0.0; 2]).unwrap());
        let short = minimise(bowl, vec![5.0, 5.0], None, (1, 1e-9), |_| ());
        assert_eq!((short.ended, short.iterations), (Ended::Exhausted, 1));
    }
}
