//! One file an algorithm.

mod linear_regression;
pub mod logistic_regression;
pub mod random_forest;
mod ridge;

use dbjob_plan::Task;

use super::OptionSpec;

/// Something that learns.
#[derive(Debug, Clone, Copy)]
pub struct Algorithm {
    pub name: &'static str,
    pub tasks: &'static [Task],
    pub options: &'static [OptionSpec],
    pub doc: &'static str,
    pub example: &'static str,
}

pub const ALGORITHMS: &[Algorithm] = &[
    logistic_regression::LOGISTIC_REGRESSION,
    linear_regression::LINEAR_REGRESSION,
    ridge::RIDGE,
    random_forest::RANDOM_FOREST,
];

pub fn find(name: &str) -> Option<&'static Algorithm> {
    ALGORITHMS.iter().find(|a| a.name == name)
}

/// Those that learn without an output.
pub const CLUSTERS: &[&str] = &["kmeans", "dbscan"];

/// Algorithms of the language that no engine has yet.
pub const LATER: &[&str] = &[
    "lasso",
    "elastic_net",
    "poisson_regression",
    "gamma_regression",
    "mlp",
    "decision_tree",
    "extra_trees",
    "gradient_boosting",
    "knn",
    "naive_bayes",
    "svm",
    "kmeans",
    "dbscan",
    "pca",
    "dummy",
];
