use dbjob_plan::Task;

use super::Algorithm;
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
        OptionSpec {
            name: "fit_intercept",
            ty: OptionType::Bool,
            default: Default::Bool(true),
            doc: "Whether there is an intercept; it is never penalised",
        },
        OptionSpec {
            name: "max_iter",
            ty: OptionType::Int { min: 1, max: 100_000_000 },
            default: Default::Int(10_000),
            doc: "Most sweeps over the coefficients",
        },
        OptionSpec {
            name: "tol",
            ty: OptionType::Float { min: 0.0, max: 1.0, above: true },
            default: Default::Float(1e-6),
            doc: "It ends where no coefficient is further from its best than this share of the furthest at the beginning",
        },
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
