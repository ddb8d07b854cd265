use dbjob_plan::Task;

use super::{Algorithm, Only, common};
use crate::catalog::options::{Default, OptionSpec, OptionType};

pub const EXTRA_TREES: Algorithm = Algorithm {
    name: "extra_trees",
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
            default: Default::Bool(false),
            doc: "Whether each tree sees rows drawn with replacement",
        },
        common::MAX_BINS,
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
    spark: None,
    doc: "The mean of many trees whose cuts are drawn at random, one for each feature that is tried: smoother than a forest, and faster to fit. Nulls and categories are taken as they are. Needs no scaling.",
    example: "fit extra_trees { trees = 300 }",
};
