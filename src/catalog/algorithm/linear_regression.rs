use dbjob_plan::Task;

use super::Algorithm;
use crate::catalog::options::{Default, OptionSpec, OptionType};

pub const LINEAR_REGRESSION: Algorithm = Algorithm {
    name: "linear_regression",
    tasks: &[Task::Regression],
    options: &[OptionSpec {
        name: "fit_intercept",
        ty: OptionType::Bool,
        default: Default::Bool(true),
        doc: "Whether there is an intercept; it is never penalised",
    }],
    only: &[],
    nulls: false,
    categories: false,
    exportable: true,
    spark: Some("LinearRegression"),
    doc: "Ordinary least squares, by an orthogonal factorisation where the inputs are nearly collinear. Of collinear inputs each \
          gets its share (the shortest solution in units of spread), also where there are more inputs than rows; a constant \
          input gets the coefficient 0.",
    example: "fit linear_regression",
};
