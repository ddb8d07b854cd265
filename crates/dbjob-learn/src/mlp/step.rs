use crate::real::Real;

/// How parameters follow their gradient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Optimizer {
    /// v = momentum·v + gradient, a step of rate · v.
    Sgd { momentum: f64 },
    /// Source: D. Kingma, J. Ba, "Adam" (2015), algorithm 1. `decoupled`: the weights shrink by rate · decay beside the step,
    /// not through the gradient: I. Loshchilov, F. Hutter, "Decoupled weight decay regularization" (2019).
    Adam { beta1: f64, beta2: f64, epsilon: f64, decoupled: bool },
}

/// The optimizer with its memory.
#[derive(Debug, Clone)]
pub(crate) struct Stepper<T> {
    optimizer: Optimizer,
    /// How many are done.
    pub steps: u64,
    pub first: Vec<T>,
    pub second: Vec<T>,
}

impl<T: Real> Stepper<T> {
    pub fn new(optimizer: Optimizer, parameters: usize) -> Self {
        let moment = |needed: bool| if needed { vec![T::ZERO; parameters] } else { vec![] };
        let (first, second) = match optimizer {
            Optimizer::Sgd { momentum } => (moment(momentum > 0.0), vec![]),
            Optimizer::Adam { .. } => (moment(true), moment(true)),
        };
        Self { optimizer, steps: 0, first, second }
    }

    /// One step; `decay` of each parameter: 0, or a share by which AdamW shrinks it per unit of rate.
    pub fn step(&mut self, rate: f64, parameters: &mut [T], gradient: &[T], decay: impl Fn(usize) -> T) {
        self.steps += 1;
        match self.optimizer {
            Optimizer::Sgd { .. } if self.first.is_empty() => {
                let rate = T::of(rate);
                parameters.iter_mut().zip(gradient).for_each(|(v, g)| *v = *v - rate * *g);
            }
            Optimizer::Sgd { momentum } => {
                let (rate, momentum) = (T::of(rate), T::of(momentum));
                for ((v, m), g) in parameters.iter_mut().zip(&mut self.first).zip(gradient) {
                    *m = momentum * *m + *g;
                    *v = *v - rate * *m;
                }
            }
            Optimizer::Adam { beta1, beta2, epsilon, decoupled } => {
                // Beyond i32::MAX steps both corrections are 1 in floating point.
                let steps = i32::try_from(self.steps).unwrap_or(i32::MAX);
                let (first, second) = (1.0 - beta1.powi(steps), 1.0 - beta2.powi(steps));
                let (step, scale) = (T::of(rate / first), T::of(1.0 / second.sqrt()));
                let (keep1, add1) = (T::of(beta1), T::of(1.0 - beta1));
                let (keep2, add2) = (T::of(beta2), T::of(1.0 - beta2));
                let (rate, epsilon) = (T::of(rate), T::of(epsilon));
                let moments = self.first.iter_mut().zip(&mut self.second);
                for (((v, g), (m, s)), i) in parameters.iter_mut().zip(gradient).zip(moments).zip(0..) {
                    if decoupled {
                        *v = *v - rate * decay(i) * *v;
                    }
                    *m = keep1 * *m + add1 * *g;
                    *s = keep2 * *s + add2 * *g * *g;
                    *v = *v - step * *m / (s.sqrt() * scale + epsilon);
                }
            }
        }
    }
}

/// How the learning rate changes from epoch to epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Schedule {
    Constant,
    /// Times `decay` after every so many epochs.
    Step {
        decay: f64,
        every: usize,
    },
    /// Times `decay` after every epoch.
    Exponential {
        decay: f64,
    },
    /// Half a cosine from the rate to 0 over all epochs. Source: I. Loshchilov, F. Hutter, "SGDR" (2017), without restarts.
    Cosine,
}

impl Schedule {
    /// The factor of the rate in an epoch, the first being 0, of so many.
    pub fn factor(self, epoch: usize, epochs: usize) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Step { decay, every } => decay.powf((epoch / every) as f64),
            Self::Exponential { decay } => decay.powf(epoch as f64),
            Self::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * epoch as f64 / epochs as f64).cos()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADAM: Optimizer = Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decoupled: false };

    /// The first step of Adam is the learning rate against the sign of the gradient, whatever its size. The second one
    /// was computed by hand from algorithm 1 of the paper.
    #[test]
    fn adam_steps_as_in_the_paper() {
        let mut adam = Stepper::new(ADAM, 2);
        let mut parameters = vec![0.0, 0.0];
        adam.step(0.1, &mut parameters, &[4.0, -1e-3], |_| 0.0);
        assert!((parameters[0] + 0.1).abs() < 1e-9 && (parameters[1] - 0.1).abs() < 1e-5, "{parameters:?}");
        adam.step(0.1, &mut parameters, &[2.0, 0.0], |_| 0.0);
        let m: f64 = (0.9 * 0.1 * 4.0 + 0.1 * 2.0) / (1.0 - 0.81);
        let s: f64 = (0.999 * 0.001 * 16.0 + 0.001 * 4.0) / (1.0 - 0.998_001);
        assert!((parameters[0] - (-0.1 - 0.1 * m / s.sqrt())).abs() < 1e-8, "{parameters:?}");
    }

    #[test]
    fn adamw_shrinks_beside_the_step() {
        let decoupled = Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decoupled: true };
        let mut parameters = vec![2.0, 2.0];
        Stepper::new(decoupled, 2).step(0.1, &mut parameters, &[0.0, 0.0], |i| if i == 0 { 0.5 } else { 0.0 });
        assert_eq!(parameters, [1.9, 2.0]);
    }

    #[test]
    fn sgd_steps_against_the_gradient_and_gains_momentum() {
        let mut parameters = vec![1.0, 1.0];
        Stepper::new(Optimizer::Sgd { momentum: 0.0 }, 2).step(0.1, &mut parameters, &[4.0, -2.0], |_| 0.0);
        assert_eq!(parameters, [0.6, 1.2]);
        let mut sgd = Stepper::new(Optimizer::Sgd { momentum: 0.5 }, 1);
        let mut parameters = vec![0.0];
        (0..2).for_each(|_| sgd.step(1.0, &mut parameters, &[1.0], |_| 0.0));
        assert_eq!(parameters, [-2.5]);
    }

    #[test]
    fn schedules_are_those_of_the_field() {
        let factors = |s: Schedule| (0..5).map(|e| s.factor(e, 4)).collect::<Vec<_>>();
        assert_eq!(factors(Schedule::Constant), [1.0; 5]);
        assert_eq!(factors(Schedule::Step { decay: 0.5, every: 2 }), [1.0, 1.0, 0.5, 0.5, 0.25]);
        assert_eq!(factors(Schedule::Exponential { decay: 0.5 }), [1.0, 0.5, 0.25, 0.125, 0.0625]);
        let cosine = factors(Schedule::Cosine);
        assert!((cosine[0], cosine[4]) == (1.0, 0.0) && (cosine[2] - 0.5).abs() < 1e-15, "{cosine:?}");
    }
}
