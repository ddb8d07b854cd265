use dbjob_plan::Task;

use super::{Algorithm, Only};
use crate::catalog::options::{Default, OptionSpec, OptionType};

pub const NAIVE_BAYES: Algorithm = Algorithm {
    name: "naive_bayes",
    tasks: &[Task::Classification],
    options: &[
        OptionSpec {
            name: "type",
            ty: OptionType::Word(&["gaussian", "multinomial", "bernoulli"]),
            default: Default::Word("gaussian"),
            doc: "gaussian for any numbers, multinomial for counts, bernoulli for whether a value is above 0",
        },
        OptionSpec {
            name: "var_smoothing",
            ty: OptionType::Float { min: 0.0, max: f64::INFINITY, above: true },
            default: Default::Float(1e-9),
            doc: "Share of the largest variance of a feature that is added to all variances",
        },
        OptionSpec {
            name: "alpha",
            ty: OptionType::Float { min: 0.0, max: f64::INFINITY, above: true },
            default: Default::Float(1.0),
            doc: "Added to each count",
        },
    ],
    only: &[
        Only::With {
            options: &["var_smoothing"],
            of: "type",
            is: &["gaussian"],
            help: "drop it; `alpha` smooths counts",
        },
        Only::With {
            options: &["alpha"],
            of: "type",
            is: &["multinomial", "bernoulli"],
            help: "drop it; `var_smoothing` smooths variances",
        },
    ],
    nulls: false,
    categories: false,
    exportable: true,
    spark: Some("NaiveBayes"),
    doc: "Takes inputs for independent of each other within a class, as in scikit-learn. Very fast; its probabilities are too \
          sure where inputs say the same.",
    example: "fit naive_bayes",
};
