use std::sync::{Mutex, PoisonError};

use super::gather::Gather;
use super::network::{Dropout, Network, Workspace};
use super::state::State;
use super::step::{Optimizer, Schedule, Stepper};
use crate::checkpoint::Keeper;
use crate::real::Real;
use crate::rng::Rng;
use crate::{Early, FitContext, FitError, FitErrorKind, Matrix, Pool, Progress};

/// How a network goes through the rows.
#[derive(Debug)]
pub(crate) struct Recipe {
    pub optimizer: Optimizer,
    /// Passes over all rows; each in a new order that the seed decides.
    pub epochs: usize,
    pub learning_rate: f64,
    pub schedule: Schedule,
    pub batch_size: usize,
    pub dropout: f64,
    /// Epochs without a better loss on the rows that judge before it ends.
    pub stop_early: Option<usize>,
    pub seed: i64,
}

/// Of the weights, not the biases: part of the loss (per unit of weight), or, for AdamW, a shrinking beside it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Penalty {
    pub l1: f64,
    pub l2: f64,
    /// Whether biases stay where they began.
    pub no_bias: bool,
}

/// Rows to learn from, or to judge by.
pub(crate) struct Rows<'a, T> {
    pub x: &'a Matrix,
    /// Which of the matrix. Made when they are needed: between epochs nobody holds them.
    pub rows: &'a (dyn Fn() -> Vec<u32> + Sync),
    /// Of each row of the matrix: the truth, a number or the index of an output, and the weight.
    pub of: &'a (dyn Fn(u32) -> (T, T) + Sync),
}

impl<T: Real> Rows<'_, T> {
    /// Σ weight of these.
    fn weight(&self, rows: &[u32]) -> f64 {
        rows.iter().map(|row| (self.of)(*row).1.wide()).sum()
    }
}

/// Rows of a batch that one thread goes through. Batches are cut by their size alone, so that sums come in one order.
const SHARD: usize = 64;

/// The trained parameters, and whether the time was over before the last epoch.
pub(crate) struct Trained<T> {
    pub parameters: Vec<T>,
    pub ended_early: Option<Early>,
    /// The one with the least loss.
    pub best_epoch: u64,
}

/// Trains on `rows` in batches. With rows to judge by, the parameters after the best epoch; else those after the last one, or
/// where the time is over, the best by the loss on the way through the epoch; within the first epoch those of the moment.
pub(crate) fn train<T: Real>(
    network: &Network,
    rows: &Rows<'_, T>,
    judge: Option<&Rows<'_, T>>,
    (recipe, penalty): (&Recipe, Penalty),
    (algorithm, cx): (&str, &FitContext<'_>),
    keeper: &Keeper<'_>,
    pool: &Pool,
) -> Result<Trained<T>, FitError> {
    pool.enter(|| {
        let gather = Gather::new(rows.x, pool);
        let idle = Mutex::default();
        Trainer { network, rows, gather, judge, recipe, penalty, algorithm, cx, keeper, pool, idle }.run()
    })
}

struct Trainer<'a, T> {
    network: &'a Network,
    rows: &'a Rows<'a, T>,
    gather: Gather<'a>,
    judge: Option<&'a Rows<'a, T>>,
    recipe: &'a Recipe,
    penalty: Penalty,
    algorithm: &'a str,
    cx: &'a FitContext<'a>,
    keeper: &'a Keeper<'a>,
    pool: &'a Pool,
    /// Those that nobody works in.
    idle: Mutex<Vec<Shard<T>>>,
}

/// What one thread works in.
struct Shard<T> {
    space: Workspace<T>,
    truth: Vec<T>,
    weights: Vec<T>,
}

impl<T> Default for Shard<T> {
    fn default() -> Self {
        Self { space: Workspace::default(), truth: vec![], weights: vec![] }
    }
}

impl<T: Real> Trainer<'_, T> {
    fn run(&self) -> Result<Trained<T>, FitError> {
        let recipe = self.recipe;
        let (n, total) = {
            let rows = (self.rows.rows)();
            (rows.len(), self.rows.weight(&rows))
        };
        let start = || self.network.start(&mut Rng::new(recipe.seed, u64::MAX));
        let fresh = || State::new(start(), Stepper::new(recipe.optimizer, self.network.parameters()));
        let resumed = self.keeper.resume().and_then(|(done, stored)| fresh().restore(done, &stored, recipe.epochs));
        let mut after = resumed.unwrap_or_else(fresh);
        let batch_size = recipe.batch_size.min(n);
        // One a shard; of a batch the first one holds the sum.
        let mut gradients = vec![vec![T::ZERO; self.network.parameters()]; batch_size.div_ceil(SHARD)];
        let decays = self.decays();
        let epochs =
            self.cx.rounds.map_or(recipe.epochs, |n| recipe.epochs.min(usize::try_from(n).unwrap_or(usize::MAX)));
        while after.epoch < epochs && !self.is_flat(&after) {
            let mut order = (self.rows.rows)();
            Rng::new(recipe.seed, after.epoch as u64).shuffle(&mut order);
            let rate = recipe.learning_rate * recipe.schedule.factor(after.epoch, recipe.epochs);
            let (mut parameters, mut stepper, mut loss) = (after.parameters.clone(), after.stepper.clone(), 0.0);
            for batch in order.chunks(batch_size) {
                if self.cx.stops() {
                    return self.stopped(after, parameters);
                }
                loss += self.batch(batch, &parameters, stepper.steps, &mut gradients);
                let gradient = &mut gradients[0];
                let scale = T::of(n as f64 / (batch.len() as f64 * total));
                self.penalise(&parameters, &decays, scale, gradient);
                let shrink = T::of(self.penalty.l2);
                stepper.step(rate, &mut parameters, gradient, |i| if decays[i] { shrink } else { T::ZERO });
            }
            let loss = loss / total + self.penalty_of(&parameters, &decays);
            let epoch = after.epoch + 1;
            if !loss.is_finite() || parameters.iter().any(|v| !v.finite()) {
                let message = format!("{} diverged in epoch {epoch}: the loss is not finite", self.algorithm);
                return Err(FitError::new(FitErrorKind::Diverged, message)
                    .help("lower learning_rate, or `map … with standardize` the inputs"));
            }
            let judged = self.judge.map(|rows| self.loss(rows, &parameters));
            (self.cx.progress)(Progress { done: epoch as u64, total: epochs as u64, loss: Some(loss), valid: judged });
            after.advance(parameters, stepper, judged.unwrap_or(loss));
            self.keeper.keep(false, epoch as u64, || after.tensors());
        }
        let best = self.judge.is_some();
        let best_epoch = after.best_epoch as u64;
        Ok(Trained { parameters: if best { after.best } else { after.parameters }, ended_early: None, best_epoch })
    }

    /// Whether it has not become better for so long that it ends.
    fn is_flat(&self, after: &State<T>) -> bool {
        self.judge.is_some()
            && self.recipe.stop_early.is_some_and(|patience| after.epoch - after.best_epoch >= patience)
    }

    fn stopped(&self, after: State<T>, parameters: Vec<T>) -> Result<Trained<T>, FitError> {
        self.keeper.keep(true, after.epoch as u64, || after.tensors());
        if (self.cx.cancelled)() {
            return Err(FitError::cancelled());
        }
        let (done, total) = (after.epoch as u64, self.recipe.epochs as u64);
        let best_epoch = after.best_epoch as u64;
        let moment = after.epoch == 0 && parameters.iter().all(|v| v.finite());
        let parameters = if moment { parameters } else { after.best };
        Ok(Trained { parameters, ended_early: Some(Early { done, total, unit: "epochs" }), best_epoch })
    }

    /// Σ w·loss of a batch, and its gradient as the first of `gradients`.
    fn batch(&self, batch: &[u32], parameters: &[T], step: u64, gradients: &mut [Vec<T>]) -> f64 {
        let count = batch.len().div_ceil(SHARD);
        let size = batch.len().div_ceil(count);
        let parts: Vec<(&[u32], &mut Vec<T>)> = batch.chunks(size).zip(gradients.iter_mut()).collect();
        // Less work than this is done before another thread has woken.
        let few = batch.len() * parameters.len() < 200_000;
        let losses = self.pool.each(parts, few, |number, (rows, gradient)| {
            let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            let mut shard = idle().pop().unwrap_or_default();
            // Streams above those of epochs.
            let stream = 1 << 63 | step << 24 | number as u64;
            let loss = self.pass(rows, parameters, stream, &mut shard, gradient);
            idle().push(shard);
            loss
        });
        let (sum, others) = gradients[..losses.len()].split_at_mut(1);
        for other in others {
            sum[0].iter_mut().zip(other).for_each(|(s, g)| *s += *g);
        }
        losses.iter().sum()
    }

    fn pass(&self, rows: &[u32], parameters: &[T], stream: u64, shard: &mut Shard<T>, gradient: &mut [T]) -> f64 {
        self.load(self.rows, &self.gather, rows, shard);
        let Shard { space, truth, weights } = shard;
        let dropout = (self.recipe.dropout > 0.0)
            .then(|| Dropout { share: self.recipe.dropout, rng: Rng::new(self.recipe.seed, stream) });
        self.network.gradient(parameters, space, (truth, weights), dropout, gradient)
    }

    /// Takes rows over.
    fn load(&self, from: &Rows<'_, T>, gather: &Gather<'_>, rows: &[u32], shard: &mut Shard<T>) {
        gather.take(rows, self.network.input(&mut shard.space, rows.len()));
        shard.truth.clear();
        shard.weights.clear();
        for (truth, weight) in rows.iter().map(|row| (from.of)(*row)) {
            shard.truth.push(truth);
            shard.weights.push(weight);
        }
    }

    /// Which parameters are weights.
    fn decays(&self) -> Vec<bool> {
        let mut decays = vec![false; self.network.parameters()];
        for (_, _, weights, _) in self.network.layers() {
            decays[weights].fill(true);
        }
        decays
    }

    fn is_decoupled(&self) -> bool {
        matches!(self.recipe.optimizer, Optimizer::Adam { decoupled: true, .. })
    }

    /// From the sum of a batch to its mean, and the penalty.
    fn penalise(&self, parameters: &[T], decays: &[bool], scale: T, gradient: &mut [T]) {
        let Penalty { l1, l2, no_bias } = self.penalty;
        let (l1, l2) = (T::of(l1), T::of(if self.is_decoupled() { 0.0 } else { l2 }));
        let plain = l1 == T::ZERO && l2 == T::ZERO && !no_bias;
        if plain {
            return gradient.iter_mut().for_each(|g| *g = *g * scale);
        }
        for ((g, v), decays) in gradient.iter_mut().zip(parameters).zip(decays) {
            let sign = if *v > T::ZERO {
                l1
            } else if *v < T::ZERO {
                -l1
            } else {
                T::ZERO
            };
            *g = match decays {
                true => *g * scale + l2 * *v + sign,
                false if no_bias => T::ZERO,
                false => *g * scale,
            };
        }
    }

    fn penalty_of(&self, parameters: &[T], decays: &[bool]) -> f64 {
        let Penalty { l1, l2, .. } = self.penalty;
        let l2 = if self.is_decoupled() { 0.0 } else { l2 };
        if l1 == 0.0 && l2 == 0.0 {
            return 0.0;
        }
        let weights = parameters.iter().zip(decays).filter(|(_, decays)| **decays).map(|(v, _)| v.wide());
        weights.map(|v| l1 * v.abs() + l2 / 2.0 * v * v).sum()
    }

    /// The mean loss of some rows, without the penalty.
    fn loss(&self, rows: &Rows<'_, T>, parameters: &[T]) -> f64 {
        let all = (rows.rows)();
        let blocks = crate::pool::blocks(all.len(), 512);
        let losses = self.pool.run(blocks.len(), |b| {
            let mut shard = Shard::default();
            self.load(rows, &Gather::plain(rows.x), &all[blocks[b].clone()], &mut shard);
            let outputs = self.network.forward(parameters, &mut shard.space, None);
            self.network.loss(outputs, &shard.truth, &shard.weights)
        });
        losses.iter().sum::<f64>() / rows.weight(&all)
    }
}
