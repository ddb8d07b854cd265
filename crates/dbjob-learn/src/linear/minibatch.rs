use super::solve::Solution;
use crate::checkpoint::Keeper;
use crate::mlp::{Activation, Network, Output, Penalty, Recipe, Rows, train};
use crate::{FitContext, FitError, Matrix, Pool};

/// Fits the objective of [`super::objective::Objective`] on the raw features from zero coefficients, in batches: a network
/// without hidden layers. `y`: indices of outputs (0 or 1 for one output).
pub(super) fn fit(
    x: &Matrix,
    (y, weights): (&[u32], &[f64]),
    (output, penalty): (Output, Penalty),
    recipe: &Recipe,
    (algorithm, cx): (&str, &FitContext<'_>),
    keeper: &Keeper<'_>,
    pool: &Pool,
) -> Result<Solution, FitError> {
    if x.rows() > u32::MAX as usize {
        return Err(FitError::data(format!("{} rows are more than batches are drawn from ({})", x.rows(), u32::MAX)));
    }
    let (p, outputs) = (x.width(), output.width());
    let of = |row: u32| (f64::from(y[row as usize]), weights[row as usize]);
    let all = || (0..x.rows() as u32).collect();
    let rows = Rows { x, rows: &all, of: &of };
    let network = Network::new(p, &[], Activation::Relu, output);
    let trained = train(&network, &rows, None, (recipe, penalty), (algorithm, cx), keeper, pool)?;
    let (weights, biases) = trained.parameters.split_at(p * outputs);
    let coefficients = (0..outputs).flat_map(|k| weights.iter().skip(k).step_by(outputs).copied()).collect();
    Ok((coefficients, biases.to_vec(), trained.ended_early))
}
