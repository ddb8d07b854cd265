use dbjob_plan::Task;

use super::{Algorithm, common};
use crate::catalog::options::{Default, OptionSpec, OptionType};

pub const LASSO: Algorithm = Algorithm {
    name: "lasso",
    tasks: &[Task::Regression],
    options: &[
        OptionSpec {
            name: "alpha",
            ty: OptionType::Float { min: 0.0, max: f64::INFINITY, above: false },
            default: Default::Float(1.0),
            doc: "Strength of the L1 penalty, as in scikit-learn",
        },
        common::FIT_INTERCEPT,
        common::SWEEPS,
        common::SWEEPS_TOL,
    ],
    only: &[],
    nulls: false,
    categories: false,
    exportable: true,
    spark: Some("LinearRegression"),
    doc: "Least squares with an L1 penalty, as in scikit-learn: inputs that help little get the coefficient 0. Wants numbers of like \
          scale: `standardize`.",
    example: "fit lasso { alpha = 0.1 }",
};
