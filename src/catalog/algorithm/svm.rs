use dbjob_plan::Task;

use super::{Algorithm, Only, common};
use crate::catalog::options::{Default, OptionSpec, OptionType};

pub const SVM: Algorithm = Algorithm {
    name: "svm",
    tasks: &[Task::Classification, Task::Regression],
    options: &[
        OptionSpec {
            name: "kernel",
            ty: OptionType::Word(&["linear", "rbf", "poly", "sigmoid"]),
            default: Default::Word("rbf"),
            doc: "How alike two rows are",
        },
        OptionSpec {
            name: "c",
            ty: OptionType::Float { min: 0.0, max: f64::INFINITY, above: true },
            default: Default::Float(1.0),
            doc: "The most that one row may count: larger follows the train rows more closely",
        },
        OptionSpec {
            name: "gamma",
            ty: OptionType::WordOrAbove(&["scale", "auto"]),
            default: Default::Word("scale"),
            doc: "How fast likeness falls with distance. scale is 1 / (inputs · variance of all their values), auto 1 / inputs",
        },
        OptionSpec {
            name: "degree",
            ty: OptionType::Int { min: 1, max: 20 },
            default: Default::Int(3),
            doc: "Degree of the polynomial",
        },
        OptionSpec {
            name: "coef0",
            ty: OptionType::Float { min: f64::NEG_INFINITY, max: f64::INFINITY, above: false },
            default: Default::Float(0.0),
            doc: "Added to gamma · x · y",
        },
        OptionSpec {
            name: "tol",
            ty: OptionType::Float { min: 0.0, max: 1.0, above: true },
            default: Default::Float(1e-3),
            doc: "A fit ends where no two rows break the conditions of the best one by more",
        },
        OptionSpec {
            name: "epsilon",
            ty: OptionType::Float { min: 0.0, max: f64::INFINITY, above: false },
            default: Default::Float(0.1),
            doc: "Errors up to this cost nothing, in the output's units",
        },
        common::CLASS_WEIGHT,
    ],
    only: &[
        Only::With {
            options: &["gamma"],
            of: "kernel",
            is: &["rbf", "poly", "sigmoid"],
            help: "drop it; a linear kernel has no width",
        },
        Only::With { options: &["degree"], of: "kernel", is: &["poly"], help: "write `kernel = poly`, or drop it" },
        Only::With {
            options: &["coef0"],
            of: "kernel",
            is: &["poly", "sigmoid"],
            help: "write `kernel = poly`, or drop it",
        },
        Only::Numbers { options: &["epsilon"], help: "drop it; `c` says how much errors cost" },
        Only::Classes { options: &["class_weight"], help: "drop it; `weight COLUMN` weighs rows" },
    ],
    nulls: false,
    categories: false,
    exportable: false,
    spark: Some("LinearSVC"),
    doc: "Support vectors with libsvm's objective: classes one against one, numbers with a tube of `epsilon`. Probabilities are \
          Platt's, from five folds of the train rows, so that a fit is six of them; the most probable class is the answer. Its time grows \
          faster than the square of the rows: a warning comes with 20,000, and more than 100,000 are refused. Wants numbers of \
          like scale: `standardize`.",
    example: "fit svm { c = 10, gamma = 0.1 }",
};
