//! Naive Bayes: features are taken for independent of each other within a class.

mod learner;
mod model;

pub use learner::NaiveBayesLearner;
pub use model::{Kind, NaiveBayes};
