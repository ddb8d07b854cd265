use super::lbfgs::{Ended, Outcome, State, descent, largest};
use crate::numeric::dot;

/// Minimises f(x) + Σ l1ᵢ·|xᵢ| for a smooth f by L-BFGS that never leaves the orthant of a step, so that zeros are exact.
/// The rest is as in [`super::lbfgs::minimise`]. Source: G. Andrew, J. Gao, "Scalable training of L1-regularized log-linear
/// models" (2007).
pub(super) fn minimise(
    mut evaluate: impl FnMut(&[f64], &mut [f64]) -> Option<f64>,
    l1: &[f64],
    start: Vec<f64>,
    resume: Option<State>,
    (max_iterations, tolerance): (usize, f64),
    mut after: impl FnMut(&State),
) -> Outcome {
    let mut whole = |x: &[f64], gradient: &mut [f64]| {
        let penalty: f64 = x.iter().zip(l1).map(|(x, l)| l * x.abs()).sum();
        evaluate(x, gradient).map(|value| value + penalty)
    };
    let mut state = match resume {
        Some(state) => state,
        None => match State::begin(&mut whole, start) {
            Ok(state) => state,
            Err(outcome) => return outcome,
        },
    };
    let ended = loop {
        let slope = steepest(&state.x, &state.gradient, l1);
        if largest(&slope) <= tolerance {
            break Ended::Converged;
        }
        if state.iteration == max_iterations {
            break Ended::Exhausted;
        }
        let mut direction = descent(&slope, &state.pairs);
        // Only where the penalty bends is the direction held to that of the slope.
        for ((d, s), l) in direction.iter_mut().zip(&slope).zip(l1) {
            if *l > 0.0 && *d * s >= 0.0 {
                *d = 0.0;
            }
        }
        if dot(&direction, &slope) >= 0.0 {
            state.pairs.clear();
            direction = slope.iter().map(|s| -s).collect();
        }
        let orthant: Vec<f64> =
            state.x.iter().zip(&slope).map(|(x, s)| if *x != 0.0 { x.signum() } else { -s.signum() }).collect();
        let mut t = if state.pairs.is_empty() { (1.0 / dot(&slope, &slope).sqrt()).min(1.0) } else { 1.0 };
        let found = loop {
            let next: Vec<f64> = (0..l1.len())
                .map(|i| {
                    let v = state.x[i] + t * direction[i];
                    if l1[i] > 0.0 && v * orthant[i] <= 0.0 { 0.0 } else { v }
                })
                .collect();
            let mut gradient = vec![0.0; l1.len()];
            let Some(value) = whole(&next, &mut gradient) else { break None };
            let change: f64 = slope.iter().zip(next.iter().zip(&state.x)).map(|(s, (a, b))| s * (a - b)).sum();
            if value < state.value && value <= state.value + 1e-4 * change {
                break Some(Some((next, value, gradient)));
            }
            t *= 0.5;
            if t < 1e-12 {
                break Some(None);
            }
        };
        match found {
            None => break Ended::Stopped,
            // Rounding hides any further descent; with less memory there may be some.
            Some(None) if state.pairs.is_empty() => break Ended::Converged,
            Some(None) => state.pairs.clear(),
            Some(Some((next, value, gradient))) => {
                state.step(next, value, gradient);
                after(&state);
            }
        }
    };
    let slope = steepest(&state.x, &state.gradient, l1);
    Outcome { gradient: largest(&slope), x: state.x, ended, iterations: state.iteration }
}

/// The subgradient of least length.
fn steepest(x: &[f64], gradient: &[f64], l1: &[f64]) -> Vec<f64> {
    let of = |((x, g), l): ((&f64, &f64), &f64)| match x.total_cmp(&0.0) {
        _ if *x == 0.0 => g.signum() * (g.abs() - l).max(0.0),
        std::cmp::Ordering::Less => g - l,
        _ => g + l,
    };
    x.iter().zip(gradient).zip(l1).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Separable: each coordinate is its own soft threshold.
    #[test]
    fn finds_soft_thresholds() {
        let (centre, curve) = ([3.0, -2.0, 0.4, 1.0], [1.0, 10.0, 1.0, 100.0]);
        let bowl = |x: &[f64], g: &mut [f64]| {
            (0..4).for_each(|i| g[i] = curve[i] * (x[i] - centre[i]));
            Some((0..4).map(|i| curve[i] / 2.0 * (x[i] - centre[i]).powi(2)).sum())
        };
        let found = minimise(bowl, &[0.5, 0.5, 0.5, 0.0], vec![0.0; 4], None, (500, 1e-10), |_| ());
        assert_eq!(found.ended, Ended::Converged);
        let expected = [2.5, -1.95, 0.0, 1.0];
        assert!(found.x.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-7), "{:?}", found.x);
        assert_eq!(found.x[2], 0.0);
    }
}
