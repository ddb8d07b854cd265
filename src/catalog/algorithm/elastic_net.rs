use dbjob_plan::Task;

use super::{Algorithm, common};
use crate::catalog::options::{Default, OptionSpec, OptionType};

pub const ELASTIC_NET: Algorithm = Algorithm {
    name: "elastic_net",
    tasks: &[Task::Regression],
    options: &[
        OptionSpec {
            name: "alpha",
            ty: OptionType::Float { min: 0.0, max: f64::INFINITY, above: false },
            default: Default::Float(1.0),
            doc: "Strength of the penalty, as in scikit-learn",
        },
        common::L1_RATIO,
        common::FIT_INTERCEPT,
        common::SWEEPS,
        common::SWEEPS_TOL,
    ],
    only: &[],
    nulls: false,
    categories: false,
    exportable: true,
    spark: Some("LinearRegression"),
    doc: "Least squares with an L1 and an L2 penalty, as in scikit-learn. Wants numbers of like scale: `standardize`.",
    example: "fit elastic_net { alpha = 0.1, l1_ratio = 0.7 }",
};
