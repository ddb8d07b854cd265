//! One file an algorithm.

mod common;
mod dbscan;
mod decision_tree;
mod dummy;
mod elastic_net;
mod extra_trees;
mod gamma_regression;
mod gradient_boosting;
mod kmeans;
mod knn;
mod lasso;
mod linear_regression;
pub mod logistic_regression;
mod mlp;
mod naive_bayes;
mod page;
mod poisson_regression;
mod random_forest;
mod ridge;
mod svm;

use dbjob_plan::Task;

use super::OptionSpec;

pub use page::page;

/// Something that learns.
#[derive(Debug, Clone, Copy)]
pub struct Algorithm {
    pub name: &'static str,
    pub tasks: &'static [Task],
    pub options: &'static [OptionSpec],
    /// Options that have an effect beside others only.
    pub only: &'static [Only],
    /// Whether an input may be null.
    pub nulls: bool,
    /// Whether a category is an input as it is; else it must be mapped to numbers.
    pub categories: bool,
    /// Whether a model of it can be written as ONNX; the crate `dbjob-onnx` knows how.
    pub exportable: bool,
    /// The class of Spark MLlib that learns the same.
    pub spark: Option<&'static str>,
    pub doc: &'static str,
    pub example: &'static str,
}

/// When some options have an effect.
#[derive(Debug, Clone, Copy)]
pub enum Only {
    /// Where classes are learned.
    Classes { options: &'static [&'static str], help: &'static str },
    /// Where numbers are learned.
    Numbers { options: &'static [&'static str], help: &'static str },
    /// These words of the option where classes are learned.
    ClassWords { option: &'static str, words: &'static [&'static str], help: &'static str },
    /// These words of the option where numbers are learned.
    NumberWords { option: &'static str, words: &'static [&'static str], help: &'static str },
    /// Where the option `of` is one of these words.
    With { options: &'static [&'static str], of: &'static str, is: &'static [&'static str], help: &'static str },
}

pub const ALGORITHMS: &[Algorithm] = &[
    logistic_regression::LOGISTIC_REGRESSION,
    linear_regression::LINEAR_REGRESSION,
    ridge::RIDGE,
    lasso::LASSO,
    elastic_net::ELASTIC_NET,
    poisson_regression::POISSON_REGRESSION,
    gamma_regression::GAMMA_REGRESSION,
    decision_tree::DECISION_TREE,
    random_forest::RANDOM_FOREST,
    extra_trees::EXTRA_TREES,
    gradient_boosting::GRADIENT_BOOSTING,
    mlp::MLP,
    knn::KNN,
    naive_bayes::NAIVE_BAYES,
    dummy::DUMMY,
    svm::SVM,
    kmeans::KMEANS,
    dbscan::DBSCAN,
];

impl Algorithm {
    /// Whether it learns without an output.
    pub fn clusters(&self) -> bool {
        self.tasks.contains(&Task::Clustering)
    }
}

pub fn find(name: &str) -> Option<&'static Algorithm> {
    ALGORITHMS.iter().find(|a| a.name == name)
}
