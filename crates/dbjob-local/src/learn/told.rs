//! What a learned model tells of its features, as what the inputs that they are made of add.

use dbjob_learn::{Contributions, Pool, Scale};
use dbjob_plan::{DataType, FitSpec, RunError, Value};
use polars::prelude::DataFrame;

use super::features::{Purpose, matrix};
use super::learned::Learned;
use crate::map::MapStates;

/// What each input adds to the scores of some rows.
pub struct Told {
    pub scale: Scale,
    /// One of numbers and of two classes; else one a class.
    pub scores: Vec<ToldScore>,
}

/// For every row, base + Σ inputs is the score.
pub struct ToldScore {
    /// In the caller's units; `None` where numbers are learned.
    pub class: Option<Value>,
    pub base: f64,
    /// Input by input: one of all rows an input.
    pub inputs: Vec<Vec<f64>>,
}

impl Learned {
    /// What the inputs of these rows add. `row(i)`: the number of row `i`.
    ///
    /// Errors: E0725 where this kind of model cannot tell; those of [`Learned::predict`].
    pub fn told(&self, table: &DataFrame, maps: &MapStates, row: &dyn Fn(usize) -> u64) -> Result<Told, RunError> {
        let inner = &self.0;
        let x = matrix(table, &inner.spec, maps, (Purpose::Predict, Some(inner.model.levels())), row)?;
        let failed = |e: dbjob_learn::FitError| RunError::new("E0799", e.message);
        let pool = if x.rows() < 64 { Pool::single() } else { Pool::new(inner.threads).map_err(failed)? };
        let Some(Contributions { scale, outputs }) = inner.model.contributions(&x, &pool) else {
            let (model, algorithm) = (&inner.spec.model, &inner.spec.algorithm.name);
            let message = format!("`{model}` cannot tell what each column adds: it is fitted by {algorithm}");
            let able = dbjob_learn::EXPLAINED.join(", ");
            return Err(RunError::new("E0725", message).help(format!("these can: {able}")));
        };
        let owners = owners(&inner.spec, x.names());
        let score = |output: dbjob_learn::Contribution| {
            let mut inputs = vec![vec![0.0; x.rows()]; inner.spec.inputs.len()];
            for (feature, owner) in output.features.iter().zip(&owners) {
                inputs[*owner].iter_mut().zip(feature).for_each(|(sum, v)| *sum += v);
            }
            let class = output.class.map(|class| inner.classes[class as usize].clone());
            ToldScore { class, base: output.base, inputs }
        };
        Ok(Told { scale, scores: outputs.into_iter().map(score).collect() })
    }

    /// How much each input lowered the loss of the train rows, as shares that add up to 1.
    ///
    /// Errors: E0725 where this kind of model does not know.
    pub fn gain(&self) -> Result<Vec<f64>, RunError> {
        let inner = &self.0;
        let Some(gains) = inner.model.importance() else {
            let (model, algorithm) = (&inner.spec.model, &inner.spec.algorithm.name);
            let message = format!("`{model}` does not know how much its columns gained: it is fitted by {algorithm}");
            return Err(RunError::new("E0725", message)
                .help("trees do; give rows with `--input FILE`, and every model can be asked by shuffling a column"));
        };
        let mut inputs = vec![0.0; inner.spec.inputs.len()];
        for (gain, owner) in gains.into_iter().zip(owners(&inner.spec, inner.model.features())) {
            inputs[owner] += gain;
        }
        Ok(inputs)
    }
}

/// The input that each feature is of. Features stand in the order of their inputs: one of a number or category, of a vector
/// all that follow with its name: `country=DE`, `v[0]`.
fn owners(spec: &FitSpec, features: &[String]) -> Vec<usize> {
    let mut owners = Vec::with_capacity(features.len());
    for (at, input) in spec.inputs.iter().enumerate() {
        let own =
            |feature: &&String| feature.strip_prefix(&input.column).is_some_and(|rest| rest.starts_with(['=', '[']));
        let width = match input.dtype {
            DataType::Vector { .. } => features[owners.len()..].iter().take_while(own).count(),
            _ => 1,
        };
        owners.extend(std::iter::repeat_n(at, width));
    }
    owners
}
