use dbjob_plan::Task;

use super::{Algorithm, Only};
use crate::catalog::options::{Default, OptionSpec, OptionType};

pub const LOGISTIC_REGRESSION: Algorithm = Algorithm {
    name: "logistic_regression",
    tasks: &[Task::Classification],
    options: &[
        OptionSpec {
            name: "c",
            ty: OptionType::Float { min: 0.0, max: f64::INFINITY, above: true },
            default: Default::Float(1.0),
            doc: "Inverse strength of the L2 penalty, as in scikit-learn",
        },
        OptionSpec {
            name: "optimizer",
            ty: OptionType::Word(&["lbfgs", "adam", "sgd"]),
            default: Default::Null,
            doc: "lbfgs solves to `tol`; adam and sgd go over the rows `epochs` times. Default lbfgs, or adam where `epochs` is given",
        },
        OptionSpec {
            name: "max_iter",
            ty: OptionType::Int { min: 1, max: 1_000_000 },
            default: Default::Int(100),
            doc: "Most iterations of lbfgs",
        },
        OptionSpec {
            name: "tol",
            ty: OptionType::Float { min: 0.0, max: 1.0, above: true },
            default: Default::Float(1e-4),
            doc: "lbfgs stops where no component of the gradient is larger",
        },
        OptionSpec {
            name: "epochs",
            ty: OptionType::Int { min: 1, max: 1_000_000 },
            default: Default::Int(100),
            doc: "Passes over the train rows of adam and sgd",
        },
        OptionSpec {
            name: "learning_rate",
            ty: OptionType::Float { min: 0.0, max: 100.0, above: true },
            default: Default::Float(0.01),
            doc: "Step size of adam and sgd",
        },
        OptionSpec {
            name: "batch_size",
            ty: OptionType::Int { min: 1, max: 1_000_000_000 },
            default: Default::Int(256),
            doc: "Rows in one step of adam and sgd",
        },
        OptionSpec {
            name: "class_weight",
            ty: OptionType::Word(&["none", "balanced"]),
            default: Default::Word("none"),
            doc: "balanced weighs each class by the inverse of its share",
        },
    ],
    only: &[
        Only::With {
            options: EPOCHS_ONLY,
            of: "optimizer",
            is: &["adam", "sgd"],
            help: "write `optimizer = adam`, or drop it",
        },
        Only::With {
            options: &["max_iter", "tol"],
            of: "optimizer",
            is: &["lbfgs"],
            help: "drop it, or write `optimizer = lbfgs`",
        },
    ],
    nulls: false,
    categories: false,
    spark: Some("LogisticRegression"),
    doc: "Linear log-odds, binary or multinomial, with an L2 penalty. Wants numbers of like scale: `standardize`.",
    example: "fit logistic_regression { c = 0.5 }",
};

/// What adam and sgd read.
pub const EPOCHS_ONLY: &[&str] = &["epochs", "learning_rate", "batch_size"];
