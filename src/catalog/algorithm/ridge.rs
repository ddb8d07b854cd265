use dbjob_plan::Task;

use super::{Algorithm, common};
use crate::catalog::options::{Default, OptionSpec, OptionType};

pub const RIDGE: Algorithm = Algorithm {
    name: "ridge",
    tasks: &[Task::Regression],
    options: &[
        OptionSpec {
            name: "alpha",
            ty: OptionType::Float { min: 0.0, max: f64::INFINITY, above: false },
            default: Default::Float(1.0),
            doc: "Strength of the L2 penalty, as in scikit-learn",
        },
        common::FIT_INTERCEPT,
    ],
    only: &[],
    nulls: false,
    categories: false,
    exportable: true,
    spark: Some("LinearRegression"),
    doc: "Least squares with an L2 penalty, as in scikit-learn. Wants numbers of like scale: `standardize`.",
    example: "fit ridge { alpha = 0.1 }",
};
