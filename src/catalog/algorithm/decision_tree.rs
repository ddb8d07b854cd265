use dbjob_plan::Task;

use super::{Algorithm, Only, common};

pub const DECISION_TREE: Algorithm = Algorithm {
    name: "decision_tree",
    tasks: &[Task::Classification, Task::Regression],
    options: &[
        common::MAX_DEPTH,
        common::MIN_SAMPLES_LEAF,
        common::MIN_SAMPLES_SPLIT,
        common::MAX_BINS_OR_ALL,
        common::CRITERION,
        common::CLASS_WEIGHT,
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
