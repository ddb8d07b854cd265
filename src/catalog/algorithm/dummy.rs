use dbjob_plan::Task;

use super::{Algorithm, Only};
use crate::catalog::options::{Default, OptionSpec, OptionType};

pub const DUMMY: Algorithm = Algorithm {
    name: "dummy",
    tasks: &[Task::Classification, Task::Regression],
    options: &[OptionSpec {
        name: "strategy",
        ty: OptionType::Word(&["prior", "most_frequent", "mean", "median"]),
        default: Default::Null,
        doc: "prior answers the share of each class, most_frequent the largest one for certain; mean and median are of \
              numbers. prior for classes and mean for numbers when left out",
    }],
    only: &[
        Only::ClassWords { option: "strategy", words: &["prior", "most_frequent"], help: "write `mean` or `median`" },
        Only::NumberWords { option: "strategy", words: &["mean", "median"], help: "write `prior` or `most_frequent`" },
    ],
    nulls: false,
    categories: false,
    exportable: true,
    spark: None,
    doc: "The same answer for every row, whatever the inputs: what any other algorithm has to beat.",
    example: "fit dummy",
};
