use dbjob_plan::Task;

use super::{Algorithm, Only};
use crate::catalog::options::{Default, OptionSpec, OptionType};

pub const GAMMA_REGRESSION: Algorithm = Algorithm {
    name: "gamma_regression",
    tasks: &[Task::Regression],
    options: &[
        OptionSpec {
            name: "alpha",
            ty: OptionType::Float { min: 0.0, max: f64::INFINITY, above: false },
            default: Default::Float(1.0),
            doc: "Strength of the L2 penalty on the mean of half the deviance, as in scikit-learn; 0: none",
        },
        OptionSpec {
            name: "fit_intercept",
            ty: OptionType::Bool,
            default: Default::Bool(true),
            doc: "Whether there is an intercept; it is never penalised",
        },
        OptionSpec {
            name: "optimizer",
            ty: OptionType::Word(&["auto", "newton", "lbfgs"]),
            default: Default::Word("auto"),
            doc: "newton goes to the end of floating point, lbfgs to `tol`. auto: newton, unless there are very many inputs",
        },
        OptionSpec {
            name: "max_iter",
            ty: OptionType::Int { min: 1, max: 1_000_000 },
            default: Default::Int(100),
            doc: "Most iterations",
        },
        OptionSpec {
            name: "tol",
            ty: OptionType::Float { min: 0.0, max: 1.0, above: true },
            default: Default::Float(1e-4),
            doc: "lbfgs stops where no component of the gradient is larger",
        },
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
