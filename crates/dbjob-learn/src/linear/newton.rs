use super::cholesky;
use super::coordinate::{Known, polish, sweep};
use super::lbfgs::{Ended, Outcome};
use super::objective::{Curved, Objective, Stops};
use super::separation::recedes;
use crate::numeric::dot;
use crate::store::Stored;
use crate::{Pool, Tensor, Tensors};

/// A point of the way: all that there is to know for going on.
#[derive(Clone)]
pub(super) struct State {
    pub iteration: usize,
    pub value: f64,
    u: Vec<f64>,
    converged: bool,
}

impl State {
    pub fn tensors(&self) -> Tensors {
        let converged = Tensor::u8(vec![u8::from(self.converged)]);
        vec![("newton", Tensor::f64(vec![self.u.len()], &self.u)), ("converged", converged)]
    }

    /// `None`: it is no state of a minimisation over `n` parameters.
    pub fn restore(iteration: u64, stored: &Stored<'_>, n: usize) -> Option<Self> {
        let (u, _) = stored.f64("newton").ok()?;
        let iteration = usize::try_from(iteration).ok()?;
        let converged = stored.u8("converged").ok()? == [1];
        (u.len() == n).then_some(Self { iteration, value: f64::NAN, u, converged })
    }
}

/// From here on a step squares the distance that is left, so that one more reaches the end of floating point.
const LAST_STEP: f64 = 1e-8;
/// The first iteration after which coefficients may be seen to grow without end; others have converged by then.
const SUSPICIOUS: usize = 10;

/// Minimises the objective, and Σ l1ᵢ·|uᵢ| if there is an `l1`, by Newton's method with a backtracking line search, to the end
/// of floating point. Where features are collinear, of all minima the one that is shortest in the coordinates of the
/// design. Without a penalty there may be no minimum: [`Ended::Receding`].
pub(super) fn minimise(
    objective: &Objective<'_>,
    l1: Option<&[f64]>,
    start: Vec<f64>,
    resume: Option<State>,
    max_iterations: usize,
    (pool, stops): (&Pool, Stops<'_>),
    mut after: impl FnMut(&State),
) -> Outcome {
    let mut state = resume.unwrap_or(State { iteration: 0, value: f64::NAN, u: start, converged: false });
    let stopped = |state: State| Outcome {
        x: state.u,
        ended: Ended::Stopped,
        iterations: state.iteration,
        gradient: f64::INFINITY,
    };
    let bent = |u: &[f64]| l1.map_or(0.0, |l1| u.iter().zip(l1).map(|(u, l)| l * u.abs()).sum::<f64>());
    let curved =
        |u: &[f64]| objective.curved(u, pool, stops).map(|point| Curved { value: point.value + bent(u), ..point });
    let Some(mut point) = curved(&state.u) else { return stopped(state) };
    let ended = loop {
        if state.converged {
            break Ended::Converged;
        }
        if state.iteration == max_iterations {
            break Ended::Exhausted;
        }
        let step = match l1 {
            None => direction(objective, &point),
            Some(l1) => Some(bent_direction(&point, l1, &state.u)),
        };
        let Some(step) = step else { break Ended::Receding };
        let there: Vec<f64> = state.u.iter().zip(&step).map(|(u, d)| u + d).collect();
        let slope = dot(&point.gradient, &step) + bent(&there) - bent(&state.u);
        let last = largest(&step) <= LAST_STEP * (1.0 + largest(&state.u));
        // Where no value can tell two points apart any more, the gradient still can.
        let hidden = -slope <= 1e-15 * point.value.abs();
        let mut t = 1.0;
        let (next, at) = loop {
            let next: Vec<f64> = state.u.iter().zip(&step).map(|(u, d)| u + t * d).collect();
            let Some(at) = curved(&next) else { return stopped(state) };
            if last || hidden || at.value <= point.value + 1e-4 * t * slope || t < 1e-10 {
                break (next, at);
            }
            t *= 0.5;
        };
        (state.u, point) = (next, at);
        state.iteration += 1;
        state.value = point.value;
        let flat = l1.is_some() || largest(&point.gradient) <= 1e-13;
        state.converged = last || hidden && flat;
        after(&state);
        if objective.l2 == 0.0 && l1.is_none() && !last && state.iteration >= SUSPICIOUS {
            let grows = |u: &[f64]| recedes(objective, u, pool);
            if grows(&step) || grows(&state.u) {
                break Ended::Receding;
            }
        }
    };
    Outcome { gradient: largest(&point.gradient), x: state.u, ended, iterations: state.iteration }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |m, v| m.max(v.abs()))
}

/// Minus the inverse Hessian times the gradient.
fn direction(objective: &Objective<'_>, point: &Curved) -> Option<Vec<f64>> {
    let n = point.gradient.len();
    let mut hessian = point.hessian.clone();
    let outputs = objective.loss.outputs();
    if outputs > 1 {
        // The same number added to all outputs changes nothing: curved by hand there, the steps stay at sum zero.
        for i in 0..objective.design.width() {
            let at: Vec<usize> = (0..outputs).map(|k| objective.position(k, i)).collect();
            let mean = at.iter().map(|a| hessian[a * n + a]).sum::<f64>() / (outputs * outputs) as f64;
            for (k, a) in at.iter().enumerate() {
                at[..=k].iter().for_each(|b| hessian[a * n + b] += mean);
            }
        }
    }
    // A parameter without any effect keeps its value.
    let units: Vec<f64> = (0..n).map(|i| hessian[i * n + i].sqrt()).map(|d| if d > 0.0 { d } else { 1.0 }).collect();
    for i in 0..n {
        for j in 0..=i {
            hessian[i * n + j] /= units[i] * units[j];
        }
        if hessian[i * n + i] == 0.0 {
            hessian[i * n + i] = 1.0;
        }
    }
    let right: Vec<f64> = point.gradient.iter().zip(&units).map(|(g, unit)| -g / unit).collect();
    let solution = cholesky::solve(hessian.clone(), n, &right, 1e-12).or_else(|| {
        // Collinear: a little more curvature everywhere, which hardly slows the way to the shortest solution.
        (0..n).for_each(|i| hessian[i * n + i] += 1e-9);
        cholesky::solve(hessian, n, &right, 0.0)
    })?;
    Some(solution.iter().zip(&units).map(|(s, unit)| s / unit).collect())
}

/// The step to the minimum of the quadratic that touches the objective at `u`, with the L1 penalty as it is.
fn bent_direction(point: &Curved, l1: &[f64], u: &[f64]) -> Vec<f64> {
    let n = u.len();
    let mut hessian = point.hessian.clone();
    for i in 0..n {
        for j in 0..i {
            hessian[j * n + i] = hessian[i * n + j];
        }
    }
    let mut smooth = Known { hessian: &hessian, gradient: point.gradient.clone() };
    let mut x = u.to_vec();
    let first = sweep(&mut smooth, l1, &mut x).worst;
    let mut sweeps = 1;
    while sweeps < 1000 && sweep(&mut smooth, l1, &mut x).worst > 1e-6 * first {
        sweeps += 1;
    }
    let x = polish(&hessian, &smooth.gradient, l1, &x).unwrap_or(x);
    x.iter().zip(u).map(|(x, u)| x - u).collect()
}
