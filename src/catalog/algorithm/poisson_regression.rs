use dbjob_plan::Task;

use super::{Algorithm, Only, common};

pub const POISSON_REGRESSION: Algorithm = Algorithm {
    name: "poisson_regression",
    tasks: &[Task::Regression],
    options: &[
        common::GLM_ALPHA,
        common::FIT_INTERCEPT,
        common::GLM_OPTIMIZER,
        common::ITERATIONS,
        common::GRADIENT_TOL,
    ],
    only: &[Only::With {
        options: &["tol"],
        of: "optimizer",
        is: &["auto", "lbfgs"],
        help: "drop it: newton goes to the end of floating point",
    }],
    nulls: false,
    categories: false,
    exportable: true,
    spark: Some("GeneralizedLinearRegression"),
    doc: "Counts and rates: the logarithm of the mean is linear in the inputs, the deviance is Poisson's. The output is at least 0. \
          Wants numbers of like scale: `standardize`.",
    example: "fit poisson_regression { alpha = 0 }",
};
