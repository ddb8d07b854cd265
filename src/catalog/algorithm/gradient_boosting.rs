use dbjob_plan::Task;

use super::{Algorithm, Only, common};
use crate::catalog::options::{Default, OptionSpec, OptionType};

pub const GRADIENT_BOOSTING: Algorithm = Algorithm {
    name: "gradient_boosting",
    tasks: &[Task::Classification, Task::Regression],
    options: &[
        OptionSpec {
            name: "trees",
            ty: OptionType::Int { min: 1, max: 100_000 },
            default: Default::Int(100),
            doc: "Rounds: a tree each, of more than two classes one for each class",
        },
        OptionSpec {
            name: "learning_rate",
            ty: OptionType::Float { min: 0.0, max: 100.0, above: true },
            default: Default::Float(0.1),
            doc: "How much of what a tree says is added",
        },
        OptionSpec {
            name: "max_leaves",
            ty: OptionType::Int { min: 2, max: 1_000_000 },
            default: Default::Int(31),
            doc: "Most leaves of a tree; the one that gains most is divided next",
        },
        OptionSpec {
            name: "depth",
            ty: OptionType::Int { min: 1, max: 1_000 },
            default: Default::Null,
            doc: "Most splits on the way to a leaf; no limit when left out",
        },
        OptionSpec {
            name: "min_samples_leaf",
            ty: OptionType::Int { min: 1, max: 1_000_000_000 },
            default: Default::Int(20),
            doc: "Fewest rows of a leaf",
        },
        OptionSpec {
            name: "lambda",
            ty: OptionType::Float { min: 0.0, max: f64::INFINITY, above: false },
            default: Default::Float(0.0),
            doc: "L2 penalty on what leaves say",
        },
        OptionSpec {
            name: "min_gain",
            ty: OptionType::Float { min: 0.0, max: f64::INFINITY, above: false },
            default: Default::Float(0.0),
            doc: "A split must lower the loss, summed over rows, by more than this",
        },
        OptionSpec {
            name: "subsample",
            ty: OptionType::Float { min: 0.0, max: 1.0, above: true },
            default: Default::Float(1.0),
            doc: "Share of the rows that a round learns from, drawn without replacement",
        },
        OptionSpec {
            name: "colsample",
            ty: OptionType::Float { min: 0.0, max: 1.0, above: true },
            default: Default::Float(1.0),
            doc: "Share of the features that a round looks at",
        },
        common::MAX_BINS,
        OptionSpec {
            name: "loss",
            ty: OptionType::Word(&["squared", "poisson", "gamma"]),
            default: Default::Word("squared"),
            doc: "What is lowered: poisson is for counts, gamma for positive numbers; classes have the log loss",
        },
        common::CLASS_WEIGHT,
        OptionSpec {
            name: "stop_early",
            ty: OptionType::Int { min: 1, max: 100_000 },
            default: Default::Null,
            doc: "Stops when so many rounds brought no lower loss on the valid part, and keeps the best; without a valid part 5 folds of the train rows find out how many rounds are best",
        },
        OptionSpec {
            name: "increasing",
            ty: OptionType::Inputs,
            default: Default::NoInputs,
            doc: "Inputs with which a prediction never falls, nor the probability of the second of two classes; of more classes there is no such thing",
        },
        OptionSpec {
            name: "decreasing",
            ty: OptionType::Inputs,
            default: Default::NoInputs,
            doc: "Inputs with which it never rises",
        },
    ],
    only: &[
        Only::Classes { options: &["class_weight"], help: "drop it; `weight COLUMN` weighs rows" },
        Only::Numbers { options: &["loss"], help: "drop it: classes have the log loss" },
    ],
    nulls: true,
    categories: true,
    exportable: true,
    spark: Some("GBTClassifier, GBTRegressor"),
    doc: "Trees grown one after another, each on what those before it left to learn. Each split learns where rows without a value go; categories are divided into two sets. Needs no scaling.",
    example: "fit gradient_boosting { trees = 300, learning_rate = 0.05 }",
};
