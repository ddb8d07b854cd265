//! Linear models: least squares, ridge, logistic regression.

mod cholesky;
mod lbfgs;
mod learner;
mod least_squares;
mod logistic;
mod minibatch;
mod model;
mod objective;
mod orthogonal;

pub use learner::LinearLearner;
pub use logistic::LogisticLearner;
pub use model::LinearModel;
