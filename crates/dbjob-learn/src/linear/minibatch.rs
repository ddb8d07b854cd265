use super::solve::Solution;
use crate::checkpoint::Keeper;
use crate::numeric::{dot, exp, ln_1p, sigmoid, sum};
use crate::rng::Rng;
use crate::store::Stored;
use crate::{Early, FitContext, FitError, FitErrorKind, Matrix, Progress, Tensor, Tensors};

/// How a mini-batch optimiser goes through the rows.
#[derive(Debug)]
pub(super) struct Schedule {
    pub optimizer: Optimizer,
    /// Passes over all rows; each in a new order that the seed decides.
    pub epochs: usize,
    pub learning_rate: f64,
    pub batch_size: usize,
    pub seed: i64,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Optimizer {
    /// Steps of learning_rate · gradient.
    Sgd,
    /// beta1 0.9, beta2 0.999, epsilon 1e-8. Source: D. Kingma, J. Ba, "Adam" (2015), algorithm 1.
    Adam,
}

/// Fits the objective of [`super::objective::Objective`] on the raw features from zero coefficients.
/// `y`: indices of outputs (0 or 1 for one output). Where the time is over, the best parameters after a whole epoch, by the
/// loss on the way through it; within the first epoch those of the moment.
pub(super) fn fit(
    x: &Matrix,
    y: &[u32],
    weights: &[f64],
    (outputs, (l1, l2, intercept)): (usize, (f64, f64, bool)),
    schedule: &Schedule,
    cx: &FitContext<'_>,
    keeper: &Keeper<'_>,
) -> Result<Solution, FitError> {
    let (n, p) = (x.rows(), x.width());
    let rows = row_major(x);
    let total = sum(weights);
    let mean_weight = total / n as f64;
    let penalised = outputs * p;
    let mut order: Vec<u32> = (0..n as u32).collect();
    let shuffle = |order: &mut [u32], epoch: usize| Rng::new(schedule.seed, epoch as u64).shuffle(order);
    let width = outputs * (p + 1);
    let resumed = keeper.resume().and_then(|(done, stored)| State::restore(done, &stored, schedule, width));
    let mut after = resumed.unwrap_or_else(|| State::new(schedule, width));
    // Each order is the shuffled one before it.
    (0..after.epoch).for_each(|epoch| shuffle(&mut order, epoch));
    let mut gradient = vec![0.0; width];
    let mut scores = vec![0.0; outputs];
    let mut ended_early = None;
    'epochs: while after.epoch < schedule.epochs {
        let State { mut parameters, mut stepper, .. } = after.clone();
        let mut loss = 0.0;
        shuffle(&mut order, after.epoch);
        for batch in order.chunks(schedule.batch_size) {
            if cx.stops() {
                keeper.keep(true, after.epoch as u64, || after.tensors());
                if (cx.cancelled)() {
                    return Err(FitError::cancelled());
                }
                if after.epoch == 0 && parameters.iter().all(|v| v.is_finite()) {
                    after.best = parameters;
                }
                let (done, total) = (after.epoch as u64, schedule.epochs as u64);
                ended_early = Some(Early { done, total, unit: "epochs" });
                break 'epochs;
            }
            gradient.fill(0.0);
            for i in batch.iter().map(|i| *i as usize) {
                let row = &rows[i * p..(i + 1) * p];
                for (k, score) in scores.iter_mut().enumerate() {
                    *score = parameters[penalised + k] + dot(&parameters[k * p..(k + 1) * p], row);
                }
                loss += residuals(&mut scores, y[i], weights[i]);
                for (k, residual) in scores.iter().enumerate() {
                    gradient[penalised + k] += residual;
                    for (g, v) in gradient[k * p..(k + 1) * p].iter_mut().zip(row) {
                        *g += residual * v;
                    }
                }
            }
            let scale = 1.0 / (batch.len() as f64 * mean_weight);
            for (i, g) in gradient.iter_mut().enumerate() {
                *g *= scale;
                match parameters[i] {
                    v if i < penalised => *g += l2 * v + if v == 0.0 { 0.0 } else { l1 * v.signum() },
                    _ if !intercept => *g = 0.0,
                    _ => {}
                }
            }
            stepper.step(&mut parameters, &gradient);
        }
        let coefficients = &parameters[..penalised];
        let bent: f64 = coefficients.iter().map(|v| v.abs()).sum();
        let loss = loss / total + l2 / 2.0 * dot(coefficients, coefficients) + l1 * bent;
        let epoch = after.epoch + 1;
        if !loss.is_finite() || parameters.iter().any(|v| !v.is_finite()) {
            return Err(FitError::new(
                FitErrorKind::Diverged,
                format!("logistic_regression diverged in epoch {epoch}: the loss is not finite"),
            )
            .help("lower learning_rate, or `map … with standardize` the inputs"));
        }
        (cx.progress)(Progress { done: epoch as u64, total: schedule.epochs as u64, loss: Some(loss) });
        if loss <= after.loss {
            (after.loss, after.best) = (loss, parameters.clone());
        }
        (after.epoch, after.parameters, after.stepper) = (epoch, parameters, stepper);
        keeper.keep(false, epoch as u64, || after.tensors());
    }
    let mut parameters = if ended_early.is_some() { after.best } else { after.parameters };
    let intercepts = parameters.split_off(penalised);
    Ok((parameters, intercepts, ended_early))
}

/// All that is known after an epoch.
#[derive(Clone)]
struct State {
    /// How many are done.
    epoch: usize,
    parameters: Vec<f64>,
    stepper: Stepper,
    /// The least loss of an epoch, and the parameters after it.
    loss: f64,
    best: Vec<f64>,
}

impl State {
    fn new(schedule: &Schedule, width: usize) -> Self {
        let (parameters, stepper) = (vec![0.0; width], Stepper::new(schedule, width));
        Self { epoch: 0, best: parameters.clone(), parameters, stepper, loss: f64::INFINITY }
    }

    fn tensors(&self) -> Tensors {
        let vector = |values: &[f64]| Tensor::f64(vec![values.len()], values);
        vec![
            ("parameters", vector(&self.parameters)),
            ("first", vector(&self.stepper.first)),
            ("second", vector(&self.stepper.second)),
            ("steps", Tensor::u32(&[self.stepper.steps as u32])),
            ("loss", vector(&[self.loss])),
            ("best", vector(&self.best)),
        ]
    }

    /// `None`: it is no state of such a fit.
    fn restore(done: u64, stored: &Stored<'_>, schedule: &Schedule, width: usize) -> Option<Self> {
        let vector = |name| stored.f64(name).ok().map(|(values, _)| values);
        let mut state = Self::new(schedule, width);
        let moments = state.stepper.first.len();
        state.epoch = usize::try_from(done).ok().filter(|done| *done <= schedule.epochs)?;
        state.parameters = vector("parameters").filter(|v| v.len() == width)?;
        state.stepper.first = vector("first").filter(|v| v.len() == moments)?;
        state.stepper.second = vector("second").filter(|v| v.len() == moments)?;
        state.stepper.steps = i32::try_from(*stored.u32("steps").ok()?.first()?).ok()?;
        state.loss = *vector("loss")?.first()?;
        state.best = vector("best").filter(|v| v.len() == width)?;
        Some(state)
    }
}

/// Mini-batches visit rows in a random order: a row's features must lie side by side.
fn row_major(x: &Matrix) -> Vec<f64> {
    let p = x.width();
    let mut rows = vec![0.0; x.rows() * p];
    for j in 0..p {
        for (i, v) in x.column(j).iter().enumerate() {
            rows[i * p + j] = *v;
        }
    }
    rows
}

/// From the scores of one row to its weighted residuals; gives its weighted loss.
fn residuals(scores: &mut [f64], y: u32, weight: f64) -> f64 {
    if scores.len() == 1 {
        let (z, truth) = (scores[0], f64::from(y));
        scores[0] = weight * (sigmoid(z) - truth);
        return weight * (ln_1p(exp(-z.abs())) + z.max(0.0) - truth * z);
    }
    let max = scores.iter().fold(f64::NEG_INFINITY, |m, s| m.max(*s));
    let truth = scores[y as usize];
    let total: f64 = scores.iter().map(|s| (s - max).exp()).sum();
    for (k, s) in scores.iter_mut().enumerate() {
        *s = weight * ((*s - max).exp() / total - f64::from(u8::from(k == y as usize)));
    }
    weight * (max + total.ln() - truth)
}

#[derive(Clone)]
struct Stepper {
    optimizer: Optimizer,
    rate: f64,
    steps: i32,
    first: Vec<f64>,
    second: Vec<f64>,
}

impl Stepper {
    fn new(schedule: &Schedule, parameters: usize) -> Self {
        let moments = match schedule.optimizer {
            Optimizer::Sgd => vec![],
            Optimizer::Adam => vec![0.0; parameters],
        };
        let rate = schedule.learning_rate;
        Self { optimizer: schedule.optimizer, rate, steps: 0, second: moments.clone(), first: moments }
    }

    fn step(&mut self, parameters: &mut [f64], gradient: &[f64]) {
        const BETA1: f64 = 0.9;
        const BETA2: f64 = 0.999;
        const EPSILON: f64 = 1e-8;
        match self.optimizer {
            Optimizer::Sgd => {
                for (v, g) in parameters.iter_mut().zip(gradient) {
                    *v -= self.rate * g;
                }
            }
            Optimizer::Adam => {
                // Beyond i32::MAX steps both corrections are 1 in floating point.
                self.steps = self.steps.saturating_add(1);
                let correction1 = 1.0 - BETA1.powi(self.steps);
                let correction2 = 1.0 - BETA2.powi(self.steps);
                for (i, (v, g)) in parameters.iter_mut().zip(gradient).enumerate() {
                    self.first[i] = BETA1 * self.first[i] + (1.0 - BETA1) * g;
                    self.second[i] = BETA2 * self.second[i] + (1.0 - BETA2) * g * g;
                    let (m, s) = (self.first[i] / correction1, self.second[i] / correction2);
                    *v -= self.rate * m / (s.sqrt() + EPSILON);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stepper(optimizer: Optimizer) -> Stepper {
        Stepper::new(&Schedule { optimizer, epochs: 1, learning_rate: 0.1, batch_size: 1, seed: 0 }, 2)
    }

    /// The first step of Adam is the learning rate against the sign of the gradient, whatever its size. The second one
    /// was computed by hand from algorithm 1 of the paper.
    #[test]
    fn adam_steps_as_in_the_paper() {
        let mut adam = stepper(Optimizer::Adam);
        let mut parameters = vec![0.0, 0.0];
        adam.step(&mut parameters, &[4.0, -1e-3]);
        assert!((parameters[0] + 0.1).abs() < 1e-9 && (parameters[1] - 0.1).abs() < 1e-5, "{parameters:?}");
        adam.step(&mut parameters, &[2.0, 0.0]);
        let m: f64 = (0.9 * 0.1 * 4.0 + 0.1 * 2.0) / (1.0 - 0.81);
        let s: f64 = (0.999 * 0.001 * 16.0 + 0.001 * 4.0) / (1.0 - 0.998_001);
        assert!((parameters[0] - (-0.1 - 0.1 * m / s.sqrt())).abs() < 1e-8, "{parameters:?}");
    }

    #[test]
    fn sgd_steps_against_the_gradient() {
        let mut parameters = vec![1.0, 1.0];
        stepper(Optimizer::Sgd).step(&mut parameters, &[4.0, -2.0]);
        assert_eq!(parameters, [0.6, 1.2]);
    }
}
