use super::solve::Solution;
use crate::checkpoint::Keeper;
use crate::mlp::{Activation, Network, Output, Penalty, Recipe, Rows, train};
use crate::{FitContext, FitError, Matrix, Pool};

/// Fits the objective of [`super::objective::Objective`] on the raw features from zero coefficients, in batches: a network
/// without hidden layers. `y`: indices of outputs (0 or 1 for one output).
pub(super) fn fit(
    x: &Matrix,
    y: &[u32],
    weights: &[f64],
    (output, penalty): (Output, Penalty),
    recipe: &Recipe,
    (algorithm, cx): (&str, &FitContext<'_>),
    keeper: &Keeper<'_>,
    pool: &Pool,
) -> Result<Solution, FitError> {
    let (p, outputs) = (x.width(), output.width());
    let (values, truth) = (row_major(x), y.iter().map(|y| f64::from(*y)).collect::<Vec<_>>());
    let rows = Rows { x: &values, y: &truth, weights };
    let network = Network::new(p, &[], Activation::Relu, output);
    let trained = train(&network, &rows, None, (recipe, penalty), (algorithm, cx), keeper, pool)?;
    let (weights, biases) = trained.parameters.split_at(p * outputs);
    let coefficients = (0..outputs).flat_map(|k| weights.iter().skip(k).step_by(outputs).copied()).collect();
    Ok((coefficients, biases.to_vec(), trained.ended_early))
}

/// Batches visit rows in a random order: a row's features must lie side by side.
fn row_major(x: &Matrix) -> Vec<f64> {
    let p = x.width();
    let mut rows = vec![0.0; x.rows() * p];
    for j in 0..p {
        rows.iter_mut().skip(j).step_by(p).zip(x.column(j)).for_each(|(to, v)| *to = *v);
    }
    rows
}
