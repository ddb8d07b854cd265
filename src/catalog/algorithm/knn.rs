use dbjob_plan::Task;

use super::{Algorithm, common};
use crate::catalog::options::{Default, OptionSpec, OptionType};

pub const KNN: Algorithm = Algorithm {
    name: "knn",
    tasks: &[Task::Classification, Task::Regression],
    options: &[
        OptionSpec {
            name: "k",
            ty: OptionType::Int { min: 1, max: 1_000_000 },
            default: Default::Int(5),
            doc: "How many of the nearest train rows vote; of equally far ones the earlier rows",
        },
        OptionSpec {
            name: "weights",
            ty: OptionType::Word(&["uniform", "distance"]),
            default: Default::Word("uniform"),
            doc: "distance weighs a vote by the inverse of its distance; rows at the very place vote alone then",
        },
        common::METRIC,
    ],
    only: &[],
    nulls: false,
    categories: false,
    exportable: false,
    spark: None,
    doc: "The mean or the shares of the nearest train rows, found exactly. Fits at once and answers slowly; the model holds \
          all train rows, at most 268 million values. A `weight` weighs a row's vote. Wants numbers of like scale: `standardize`.",
    example: "fit knn { k = 10, weights = distance }",
};
