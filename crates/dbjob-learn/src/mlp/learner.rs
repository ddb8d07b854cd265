use super::model::{MlpModel, output};
use super::{Activation, Network, Optimizer, Penalty, Recipe, Rows, Schedule, train};
use crate::checkpoint::Keeper;
use crate::matrix::check;
use crate::numeric::{dot, sum};
use crate::options::Reader;
use crate::rng::Rng;
use crate::weights::{ClassWeight, present_classes};
use crate::{FitContext, FitError, Fitted, Learner, Matrix, Pool, Target, Valid};

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
        let ones = || weights.map_or_else(|| vec![1.0; x.rows()], <[f64]>::to_vec);
        let (classes, learned, truth, mut rows, scale) = match y {
            Target::Classes { codes, count } => {
                let rows = self.class_weight.rows(codes, *count, weights);
                let learned = present_classes(codes, *count, &rows)?;
                // Rows without weight may be of a class that is not learned; any code serves them.
                let truth: Vec<f32> = codes.iter().map(|c| learned.binary_search(c).unwrap_or(0) as f32).collect();
                (*count, learned, truth, rows, (0.0, 1.0))
            }
            Target::Numbers(numbers) => {
                let rows = ones();
                let (centre, unit) = spread(numbers, &rows)?;
                let truth: Vec<f32> = numbers.iter().map(|y| ((y - centre) / unit) as f32).collect();
                (0, vec![], truth, rows, (centre, unit))
            }
            Target::Unlabelled(_) => return Err(FitError::data("a network learns an output")),
        };
        // With weights of mean 1 the loss has one scale.
        let mean = sum(&rows) / rows.len() as f64;
        rows.iter_mut().for_each(|w| *w /= mean);
        let (train_rows, judge_rows) = self.share_out(&rows, stops && valid.is_none());
        let weights: Vec<f32> = rows.iter().map(|w| *w as f32).collect();
        drop(rows);
        let part = |rows| Rows { x, rows, y: &truth, weights: &weights };
        let outside = valid.map(|valid| Outside::of(&valid, &learned, scale));
        let judge = match (&outside, &valid) {
            (Some(Outside { rows, truth, weights }), Some(valid)) => Some(Rows { x: valid.x, rows, y: truth, weights }),
            _ => Some(part(&judge_rows)),
        };
        let judge = judge.filter(|judge| !judge.rows.is_empty());
        if judge.is_none() && stops {
            return Err(FitError::data("there are no rows to stop by: the valid part, or a tenth of the train rows")
                .help("leave stop_early out"));
        }
        let network = Network::new(x.width(), &self.layers, self.activation, output(&learned));
        let penalty = Penalty { l1: 0.0, l2: self.weight_decay, no_bias: false };
        let trained =
            train(&network, &part(&train_rows), judge.as_ref(), (&self.recipe, penalty), ("mlp", cx), &keeper, &pool)?;
        let model = MlpModel::new((x.names(), classes, learned), (network, trained.parameters), scale);
        let best_round = judge.is_some().then_some(trained.best_epoch);
        Ok(Fitted { model: Box::new(model), ended_early: trained.ended_early, best_round })
    }
}

impl MlpLearner {
    /// The rows to learn from and, if some are held out, those to judge by; the seed decides.
    fn share_out(&self, weights: &[f64], hold_out: bool) -> (Vec<u32>, Vec<u32>) {
        let mut rows: Vec<u32> = (0..weights.len() as u32).filter(|row| weights[*row as usize] > 0.0).collect();
        if !hold_out || rows.len() < 2 {
            return (rows, vec![]);
        }
        Rng::new(self.recipe.seed, u64::MAX - 1).shuffle(&mut rows);
        let judge = rows.split_off(rows.len() - (rows.len() / HELD_OUT).max(1));
        (rows, judge)
    }
}

/// Without a valid part one in so many train rows tells when to stop.
const HELD_OUT: usize = 10;

/// Rows from elsewhere that judge, as the network sees them.
struct Outside {
    /// Those of classes that are learned, with a weight.
    rows: Vec<u32>,
    truth: Vec<f32>,
    weights: Vec<f32>,
}

impl Outside {
    fn of(valid: &Valid<'_>, learned: &[u32], (centre, unit): (f64, f64)) -> Self {
        let truth: Vec<f32> = match valid.y {
            Target::Classes { codes, .. } => {
                codes.iter().map(|c| learned.binary_search(c).map_or(f32::NAN, |place| place as f32)).collect()
            }
            Target::Numbers(numbers) => numbers.iter().map(|y| ((y - centre) / unit) as f32).collect(),
            Target::Unlabelled(_) => Vec::new(),
        };
        let weights: Vec<f32> = match valid.weights {
            Some(weights) => weights.iter().map(|w| *w as f32).collect(),
            None => vec![1.0; truth.len()],
        };
        let counts = |row: &u32| !truth[*row as usize].is_nan() && weights[*row as usize] > 0.0;
        Self { rows: (0..truth.len() as u32).filter(counts).collect(), truth, weights }
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

/// The mean and the spread of the output; a constant one has the spread 1.
fn spread(numbers: &[f64], weights: &[f64]) -> Result<(f64, f64), FitError> {
    let total = sum(weights);
    let centre = dot(numbers, weights) / total;
    let squares: f64 = numbers.iter().zip(weights).map(|(y, w)| w * (y - centre) * (y - centre)).sum();
    let unit = (squares / total).sqrt();
    if !unit.is_finite() {
        return Err(FitError::data("the output is too large: its squares are not finite")
            .help("`map … with standardize` the output"));
    }
    Ok((centre, if unit > 0.0 { unit } else { 1.0 }))
}
