use super::model::{MlpModel, output};
use super::{Activation, Network, Optimizer, Penalty, Recipe, Rows, Schedule, train};
use crate::checkpoint::Keeper;
use crate::matrix::check;
use crate::numeric::{dot, sum};
use crate::options::Reader;
use crate::rng::Rng;
use crate::weights::{ClassWeight, present_classes};
use crate::{FitContext, FitError, Fitted, Learner, Matrix, Pool, Target};

/// A neural network of dense layers, for classes and numbers.
#[derive(Debug)]
pub struct MlpLearner {
    layers: Vec<usize>,
    activation: Activation,
    recipe: Recipe,
    weight_decay: f64,
    class_weight: ClassWeight,
}

impl MlpLearner {
    pub(crate) fn read(options: &mut Reader<'_>, seed: i64) -> Result<Self, FitError> {
        use Activation::{Relu, Sigmoid, Tanh};
        let momentum = options.float("momentum", 0.0, true)?;
        let (beta1, beta2) = (options.share("beta1")?, options.share("beta2")?);
        let epsilon = options.float("epsilon", 0.0, false)?;
        let adam = |decoupled| Optimizer::Adam { beta1, beta2, epsilon, decoupled };
        let optimizers = [("adam", adam(false)), ("adamw", adam(true)), ("sgd", Optimizer::Sgd { momentum })];
        let optimizer = options.word("optimizer", &optimizers)?;
        let decay = options.optional_float("decay", 0.0)?;
        let every = options.int("decay_every", 1, i64::MAX)?;
        let schedules = [
            ("constant", Schedule::Constant),
            ("step", Schedule::Step { decay: decay.unwrap_or(0.1), every }),
            ("exponential", Schedule::Exponential { decay: decay.unwrap_or(0.95) }),
            ("cosine", Schedule::Cosine),
        ];
        let usual_decay = if optimizer == adam(true) { 0.01 } else { 0.0 };
        Ok(Self {
            layers: options.ints("layers", 1, 1_000_000)?,
            activation: options.word("activation", &[("relu", Relu), ("tanh", Tanh), ("sigmoid", Sigmoid)])?,
            recipe: Recipe {
                optimizer,
                epochs: options.int("epochs", 1, i64::from(u32::MAX))?,
                learning_rate: options.float("learning_rate", 0.0, false)?,
                schedule: options.word("schedule", &schedules)?,
                batch_size: options.int("batch_size", 1, i64::MAX)?,
                dropout: options.share("dropout")?.min(0.999),
                stop_early: options.optional_int("stop_early", 1)?,
                seed,
            },
            weight_decay: options.optional_float("weight_decay", 0.0)?.unwrap_or(usual_decay),
            class_weight: ClassWeight::read(options)?,
        })
    }
}

impl Learner for MlpLearner {
    fn fit(&self, x: &Matrix, y: &Target, weights: Option<&[f64]>, cx: &FitContext<'_>) -> Result<Fitted, FitError> {
        check(x, y, weights)?;
        if x.rows() > u32::MAX as usize {
            return Err(FitError::data(format!("{} rows are more than a network takes ({})", x.rows(), u32::MAX)));
        }
        not_too_large(x)?;
        let stops = self.recipe.stop_early.is_some() && cx.rounds.is_none();
        let valid = cx.valid.filter(|_| stops);
        if let Some(valid) = &valid {
            check(valid.x, valid.y, valid.weights)?;
            not_too_large(valid.x)?;
        }
        let pool = Pool::new(cx.threads)?;
        let keeper = Keeper::new(cx, self, x, y, weights);
        let (classes, learned, mut row_weights, scale) = match y {
            Target::Classes { codes, count } => {
                let even = self.class_weight == ClassWeight::None && weights.is_none();
                let rows = if even { vec![] } else { self.class_weight.rows(codes, *count, weights) };
                (*count, present_classes(codes, *count, &rows)?, rows, (0.0, 1.0))
            }
            Target::Numbers(numbers) => {
                let rows = weights.unwrap_or_default().to_vec();
                let scale = spread(numbers, &rows)?;
                (0, vec![], rows, scale)
            }
            Target::Unlabelled(_) => return Err(FitError::data("a network learns an output")),
        };
        // With weights of mean 1 the loss has one scale.
        let mean = sum(&row_weights) / row_weights.len() as f64;
        row_weights.iter_mut().for_each(|w| *w /= mean);
        let inside = Truth { y, learned: &learned, scale, weights: &row_weights };
        let shares = (stops && valid.is_none()).then(|| self.share_out(inside.rows()));
        let train_rows = || shares.as_ref().map_or_else(|| inside.rows(), |(train, _)| train.clone());
        let (judge_x, judge, judge_rows) = match (valid, &shares) {
            (Some(valid), _) => {
                let outside = Truth { y: valid.y, weights: valid.weights.unwrap_or_default(), ..inside };
                (valid.x, outside, outside.rows())
            }
            (None, Some((_, judge))) => (x, inside, judge.clone()),
            (None, None) => (x, inside, vec![]),
        };
        if judge_rows.is_empty() && stops {
            return Err(FitError::data("there are no rows to stop by: the valid part, or a tenth of the train rows")
                .help("leave stop_early out"));
        }
        let (learn, judge) = (|row| inside.of(row), |row| judge.of(row));
        let rows = Rows { x, rows: &train_rows, of: &learn };
        let rows_that_judge = || judge_rows.clone();
        let judge = (!judge_rows.is_empty()).then_some(Rows { x: judge_x, rows: &rows_that_judge, of: &judge });
        let network = Network::new(x.width(), &self.layers, self.activation, output(&learned));
        let penalty = Penalty { l1: 0.0, l2: self.weight_decay, no_bias: false };
        let trained = train(&network, &rows, judge.as_ref(), (&self.recipe, penalty), ("mlp", cx), &keeper, &pool)?;
        let model = MlpModel::new((x.names(), classes, learned.clone()), (network, trained.parameters), scale);
        let best_round = judge.is_some().then_some(trained.best_epoch);
        Ok(Fitted { model: Box::new(model), ended_early: trained.ended_early, best_round })
    }
}

impl MlpLearner {
    /// The rows to learn from and those to judge by, none of one row; the seed decides.
    fn share_out(&self, mut rows: Vec<u32>) -> (Vec<u32>, Vec<u32>) {
        if rows.len() < 2 {
            return (rows, vec![]);
        }
        Rng::new(self.recipe.seed, u64::MAX - 1).shuffle(&mut rows);
        let judge = rows.split_off(rows.len() - (rows.len() / HELD_OUT).max(1));
        (rows, judge)
    }
}

/// Without a valid part one in so many train rows tells when to stop.
const HELD_OUT: usize = 10;

/// What the outputs of rows should be, as the network sees them.
#[derive(Clone, Copy)]
struct Truth<'a> {
    y: &'a Target,
    /// The classes, ascending.
    learned: &'a [u32],
    /// The mean of numbers and their spread.
    scale: (f64, f64),
    /// Of each row; empty: each is 1.
    weights: &'a [f64],
}

impl Truth<'_> {
    /// Of a row: a number or the place of its class, NaN for one that is not learned; and its weight.
    fn of(&self, row: u32) -> (f32, f32) {
        let row = row as usize;
        let truth = match self.y {
            Target::Classes { codes, .. } => {
                self.learned.binary_search(&codes[row]).map_or(f32::NAN, |place| place as f32)
            }
            Target::Numbers(numbers) => ((numbers[row] - self.scale.0) / self.scale.1) as f32,
            Target::Unlabelled(_) => f32::NAN,
        };
        (truth, self.weights.get(row).map_or(1.0, |w| *w as f32))
    }

    /// Those with a weight whose class is learned.
    fn rows(&self) -> Vec<u32> {
        let count = self.y.rows();
        let mut rows = Vec::with_capacity(count);
        rows.extend((0..count as u32).filter(|row| {
            let (truth, weight) = self.of(*row);
            !truth.is_nan() && weight > 0.0
        }));
        rows
    }
}

fn not_too_large(x: &Matrix) -> Result<(), FitError> {
    let large = |j: &usize| x.column(*j).iter().any(|v| v.abs() > f64::from(f32::MAX));
    match (0..x.width()).find(large).map(|j| &x.names()[j]) {
        Some(name) => Err(FitError::data(format!("feature `{name}` is too large: a network computes with 32 bits"))
            .help(format!("`map {name} with standardize`"))),
        None => Ok(()),
    }
}

/// The mean and the spread of the output; a constant one has the spread 1. No weights: each is 1.
fn spread(numbers: &[f64], weights: &[f64]) -> Result<(f64, f64), FitError> {
    let (total, all) = match weights {
        [] => (numbers.len() as f64, sum(numbers)),
        _ => (sum(weights), dot(numbers, weights)),
    };
    let centre = all / total;
    let weights = weights.iter().copied().chain(std::iter::repeat(1.0));
    let squares: f64 = numbers.iter().zip(weights).map(|(y, w)| w * (y - centre) * (y - centre)).sum();
    let unit = (squares / total).sqrt();
    if !unit.is_finite() {
        return Err(FitError::data("the output is too large: its squares are not finite")
            .help("`map … with standardize` the output"));
    }
    Ok((centre, if unit > 0.0 { unit } else { 1.0 }))
}
