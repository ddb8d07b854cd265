use std::collections::VecDeque;

use crate::numeric::dot;

/// How a minimisation ended.
pub(super) struct Outcome {
    pub x: Vec<f64>,
    /// Whether the largest component of the gradient came to `tolerance` or below, or no step could lower the value
    /// any more in floating point.
    pub converged: bool,
    /// The largest component of the gradient at the end.
    pub gradient: f64,
}

/// Minimises a smooth function from `x` by L-BFGS. `evaluate(x, gradient)` gives the value; `after(iteration, value)`
/// says whether to go on, and stopping gives `None`. Source: J. Nocedal, S. Wright, "Numerical Optimization" (2006),
/// algorithm 7.5; weak Wolfe line search by bisection: A. Lewis, M. Overton, "Nonsmooth optimization via quasi-Newton
/// methods" (2013).
pub(super) fn minimise(
    mut evaluate: impl FnMut(&[f64], &mut [f64]) -> f64,
    mut x: Vec<f64>,
    max_iterations: usize,
    tolerance: f64,
    mut after: impl FnMut(usize, f64) -> bool,
) -> Option<Outcome> {
    const MEMORY: usize = 10;
    let mut gradient = vec![0.0; x.len()];
    let mut value = evaluate(&x, &mut gradient);
    let mut pairs: VecDeque<Pair> = VecDeque::with_capacity(MEMORY);
    for iteration in 1..=max_iterations {
        if largest(&gradient) <= tolerance {
            break;
        }
        let mut direction = descent(&gradient, &pairs);
        let mut slope = dot(&gradient, &direction);
        if slope >= 0.0 {
            // Curvature lost to rounding: begin again from the steepest descent.
            pairs.clear();
            direction = gradient.iter().map(|g| -g).collect();
            slope = -dot(&gradient, &gradient);
        }
        let first = if pairs.is_empty() { (1.0 / dot(&gradient, &gradient).sqrt()).min(1.0) } else { 1.0 };
        let Some(step) = search(&mut evaluate, &x, value, slope, &direction, first) else {
            return Some(Outcome { x, converged: true, gradient: largest(&gradient) });
        };
        let s: Vec<f64> = step.x.iter().zip(&x).map(|(a, b)| a - b).collect();
        let y: Vec<f64> = step.gradient.iter().zip(&gradient).map(|(a, b)| a - b).collect();
        let sy = dot(&s, &y);
        if sy > 0.0 {
            if pairs.len() == MEMORY {
                pairs.pop_front();
            }
            pairs.push_back(Pair { yy: dot(&y, &y), s, y, sy });
        }
        (x, value, gradient) = (step.x, step.value, step.gradient);
        if !after(iteration, value) {
            return None;
        }
    }
    let gradient = largest(&gradient);
    Some(Outcome { x, converged: gradient <= tolerance, gradient })
}

struct Pair {
    s: Vec<f64>,
    y: Vec<f64>,
    sy: f64,
    yy: f64,
}

fn largest(gradient: &[f64]) -> f64 {
    gradient.iter().fold(0.0, |m, g| m.max(g.abs()))
}

/// The two-loop recursion: minus the inverse Hessian's estimate times the gradient.
fn descent(gradient: &[f64], pairs: &VecDeque<Pair>) -> Vec<f64> {
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

/// A point along `direction` that lowers the value enough and flattens the slope enough; `None` when rounding hides
/// any further descent.
fn search(
    evaluate: &mut impl FnMut(&[f64], &mut [f64]) -> f64,
    x: &[f64],
    value: f64,
    slope: f64,
    direction: &[f64],
    first: f64,
) -> Option<Point> {
    const DECREASE: f64 = 1e-4;
    const CURVATURE: f64 = 0.9;
    let (mut low, mut high, mut t) = (0.0, f64::INFINITY, first);
    let mut best: Option<Point> = None;
    for _ in 0..50 {
        let mut gradient = vec![0.0; x.len()];
        let at: Vec<f64> = x.iter().zip(direction).map(|(x, d)| x + t * d).collect();
        let found = evaluate(&at, &mut gradient);
        let enough = found <= value + DECREASE * t * slope;
        let flat = dot(&gradient, direction) >= CURVATURE * slope;
        if found < value && best.as_ref().is_none_or(|b| found < b.value) {
            best = Some(Point { x: at, value: found, gradient });
            if enough && flat {
                return best;
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
    best
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
        let found = minimise(rosenbrock, vec![-1.2, 1.0], 200, 1e-9, |_, _| true).unwrap();
        assert!(found.converged);
        assert!(found.x.iter().all(|v| (v - 1.0).abs() < 1e-8), "{:?}", found.x);
    }

    #[test]
    fn stops_when_told_and_says_when_it_did_not_converge() {
        let bowl = |x: &[f64], g: &mut [f64]| {
            g[0] = 2.0 * x[0];
            g[1] = 2000.0 * x[1];
            x[0] * x[0] + 1000.0 * x[1] * x[1]
        };
        assert!(minimise(bowl, vec![5.0, 5.0], 100, 1e-9, |i, _| i < 2).is_none());
        let short = minimise(bowl, vec![5.0, 5.0], 1, 1e-9, |_, _| true).unwrap();
        assert!(!short.converged);
    }
}
