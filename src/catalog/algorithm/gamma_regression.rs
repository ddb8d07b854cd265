use dbjob_plan::Task;

use super::{Algorithm, Only, common};

pub const GAMMA_REGRESSION: Algorithm = Algorithm {
    name: "gamma_regression",
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
    doc: "Amounts that vary in proportion to their size: the logarithm of the mean is linear in the inputs, the deviance is that of \
          the gamma distribution. The output is above 0. Wants numbers of like scale: `standardize`.",
    example: "fit gamma_regression { alpha = 0 }",
};
