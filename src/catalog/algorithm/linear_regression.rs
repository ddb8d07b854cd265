use dbjob_plan::Task;

use super::Algorithm;

pub const LINEAR_REGRESSION: Algorithm = Algorithm {
    name: "linear_regression",
    tasks: &[Task::Regression],
    options: &[],
    only: &[],
    nulls: false,
    categories: false,
    spark: Some("LinearRegression"),
    doc: "Ordinary least squares with an intercept.",
    example: "fit linear_regression",
};
