use dbjob_plan::Task;

use super::{Algorithm, Only};
use crate::catalog::options::{Default, OptionSpec, OptionType};

pub const DECISION_TREE: Algorithm = Algorithm {
    name: "decision_tree",
    tasks: &[Task::Classification, Task::Regression],
    options: &[
        OptionSpec {
            name: "max_depth",
            ty: OptionType::Int { min: 1, max: 1_000 },
            default: Default::Null,
            doc: "Most splits on the way to a leaf; no limit when left out",
        },
        OptionSpec {
            name: "min_samples_leaf",
            ty: OptionType::Int { min: 1, max: 1_000_000_000 },
            default: Default::Int(1),
            doc: "Fewest rows of a leaf",
        },
        OptionSpec {
            name: "min_samples_split",
            ty: OptionType::Int { min: 2, max: 1_000_000_000 },
            default: Default::Int(2),
            doc: "Fewest rows of a node that may be split",
        },
        OptionSpec {
            name: "max_bins",
            ty: OptionType::Int { min: 2, max: 255 },
            default: Default::Int(255),
            doc: "Most distinct cuts of a feature",
        },
        OptionSpec {
            name: "criterion",
            ty: OptionType::Word(&["gini", "entropy"]),
            default: Default::Word("gini"),
            doc: "How the purity of classes is measured; of numbers it is the variance",
        },
        OptionSpec {
            name: "class_weight",
            ty: OptionType::Word(&["none", "balanced"]),
            default: Default::Word("none"),
            doc: "balanced weighs each class by the inverse of its share; for classes only",
        },
    ],
    only: &[
        Only::Classes { options: &["class_weight"], help: "drop it; `weight COLUMN` weighs rows" },
        Only::Classes { options: &["criterion"], help: "drop it: numbers are divided by their variance" },
    ],
    nulls: true,
    categories: true,
    exportable: true,
    spark: Some("DecisionTreeClassifier, DecisionTreeRegressor"),
    doc: "One tree of questions about single features. Nulls and categories are taken as they are. Easily read while small, seldom the best. Needs no scaling.",
    example: "fit decision_tree { max_depth = 4 }",
};
