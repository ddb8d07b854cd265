use dbjob_plan::Task;

use super::{Algorithm, Only, common};
use crate::catalog::options::{Default, OptionSpec, OptionType};

pub const LOGISTIC_REGRESSION: Algorithm = Algorithm {
    name: "logistic_regression",
    tasks: &[Task::Classification],
    options: &[
        OptionSpec {
            name: "penalty",
            ty: OptionType::Word(&["l2", "l1", "elastic_net", "none"]),
            default: Default::Word("l2"),
            doc: "On the coefficients: their squares, their sizes (some become 0), both, or none",
        },
        OptionSpec {
            name: "c",
            ty: OptionType::Float { min: 0.0, max: f64::INFINITY, above: true },
            default: Default::Float(1.0),
            doc: "Inverse strength of the penalty, as in scikit-learn",
        },
        common::L1_RATIO,
        common::FIT_INTERCEPT,
        OptionSpec {
            name: "optimizer",
            ty: OptionType::Word(&["auto", "newton", "lbfgs", "adam", "sgd"]),
            default: Default::Word("auto"),
            doc: "newton goes to the end of floating point, lbfgs to `tol`; adam and sgd go over the rows `epochs` times. auto: adam \
                  where an option of epochs is given, else newton without a penalty or with few inputs, else lbfgs",
        },
        OptionSpec {
            name: "max_iter",
            ty: OptionType::Int { min: 1, max: 1_000_000 },
            default: Default::Int(100),
            doc: "Most iterations of newton and lbfgs",
        },
        common::GRADIENT_TOL,
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
        common::CLASS_WEIGHT,
    ],
    only: &[
        Only::With {
            options: EPOCHS_ONLY,
            of: "optimizer",
            is: &["adam", "sgd"],
            help: "write `optimizer = adam`, or drop it",
        },
        Only::With {
            options: &["max_iter"],
            of: "optimizer",
            is: &["auto", "newton", "lbfgs"],
            help: "drop it, or write `optimizer = lbfgs`",
        },
        Only::With {
            options: &["tol"],
            of: "optimizer",
            is: &["auto", "lbfgs"],
            help: "drop it, or write `optimizer = lbfgs`",
        },
        Only::With {
            options: &["c"],
            of: "penalty",
            is: &["l2", "l1", "elastic_net"],
            help: "drop it, or write `penalty = l2`",
        },
        Only::With {
            options: &["l1_ratio"],
            of: "penalty",
            is: &["elastic_net"],
            help: "drop it, or write `penalty = elastic_net`",
        },
    ],
    nulls: false,
    categories: false,
    exportable: true,
    spark: Some("LogisticRegression"),
    doc: "Linear log-odds, binary or multinomial. Wants numbers of like scale: `standardize`. Without a penalty it is an error if \
          the inputs tell the classes apart without a mistake, for then no finite coefficients are the best; of collinear \
          inputs each gets its share.",
    example: "fit logistic_regression { c = 0.5 }",
};

/// What adam and sgd read.
pub const EPOCHS_ONLY: &[&str] = &["epochs", "learning_rate", "batch_size"];
