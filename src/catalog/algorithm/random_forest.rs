use dbjob_plan::Task;

use super::{Algorithm, Only, common};
use crate::catalog::options::{Default, OptionSpec, OptionType};

pub const RANDOM_FOREST: Algorithm = Algorithm {
    name: "random_forest",
    tasks: &[Task::Classification, Task::Regression],
    options: &[
        common::TREES,
        common::MAX_DEPTH,
        common::MAX_FEATURES,
        common::MIN_SAMPLES_LEAF,
        common::MIN_SAMPLES_SPLIT,
        OptionSpec {
            name: "bootstrap",
            ty: OptionType::Bool,
            default: Default::Bool(true),
            doc: "Whether each tree sees rows drawn with replacement",
        },
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
    spark: Some("RandomForestClassifier, RandomForestRegressor"),
    doc: "The mean of many trees, each grown on other rows and features. Nulls and categories are taken as they are. Needs no scaling.",
    example: "fit random_forest { trees = 300 }",
};
