use super::step::Stepper;
use crate::real::Real;
use crate::store::Stored;
use crate::{Tensor, Tensors};

/// All that is known after an epoch.
pub(super) struct State<T> {
    /// How many are done.
    pub epoch: usize,
    pub parameters: Vec<T>,
    pub stepper: Stepper<T>,
    /// The least loss after an epoch, which one that was, and the parameters then.
    loss: f64,
    pub best_epoch: usize,
    pub best: Vec<T>,
}

impl<T: Real> State<T> {
    pub fn new(parameters: Vec<T>, stepper: Stepper<T>) -> Self {
        Self { epoch: 0, best: parameters.clone(), parameters, stepper, loss: f64::INFINITY, best_epoch: 0 }
    }

    pub fn advance(&mut self, parameters: Vec<T>, stepper: Stepper<T>, loss: f64) {
        self.epoch += 1;
        if loss < self.loss {
            (self.loss, self.best_epoch) = (loss, self.epoch);
            self.best.copy_from_slice(&parameters);
        }
        (self.parameters, self.stepper) = (parameters, stepper);
    }

    /// 64 bits hold 32 exactly.
    pub fn tensors(&self) -> Tensors {
        let vector = |values: &[T]| {
            let wide: Vec<f64> = values.iter().map(|v| v.wide()).collect();
            Tensor::f64(vec![wide.len()], &wide)
        };
        vec![
            ("parameters", vector(&self.parameters)),
            ("first", vector(&self.stepper.first)),
            ("second", vector(&self.stepper.second)),
            ("steps", Tensor::u32(&[self.stepper.steps as u32, (self.stepper.steps >> 32) as u32])),
            ("loss", Tensor::f64(vec![1], &[self.loss])),
            ("best_epoch", Tensor::u32(&[self.best_epoch as u32])),
            ("best", vector(&self.best)),
        ]
    }

    /// `None`: it is no state of such a fit, of at most so many epochs.
    pub fn restore(mut self, done: u64, stored: &Stored<'_>, epochs: usize) -> Option<Self> {
        let into = |name, to: &mut Vec<T>| {
            let (values, _) = stored.f64(name).ok()?;
            (values.len() == to.len()).then(|| to.iter_mut().zip(values).for_each(|(t, v)| *t = T::of(v)))
        };
        into("parameters", &mut self.parameters)?;
        into("first", &mut self.stepper.first)?;
        into("second", &mut self.stepper.second)?;
        into("best", &mut self.best)?;
        self.epoch = usize::try_from(done).ok().filter(|done| *done <= epochs)?;
        let [low, high] = stored.u32("steps").ok()?[..] else { return None };
        self.stepper.steps = u64::from(low) | u64::from(high) << 32;
        self.loss = *stored.f64("loss").ok()?.0.first()?;
        self.best_epoch = *stored.u32("best_epoch").ok()?.first()? as usize;
        (self.best_epoch <= self.epoch).then_some(self)
    }
}
