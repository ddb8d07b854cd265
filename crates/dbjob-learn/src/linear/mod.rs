//! Linear models: least squares, ridge, lasso, elastic net, logistic, Poisson and gamma regression.

mod cholesky;
mod coordinate;
mod design;
mod elastic;
mod glm;
mod lbfgs;
mod learner;
mod least_squares;
mod logistic;
mod loss;
mod minibatch;
mod model;
mod newton;
mod objective;
mod orthant;
mod orthogonal;
mod residual;
mod separation;
mod solve;
mod sparse;
mod twofold;

pub(crate) use cholesky::Cholesky;
pub use elastic::ElasticNetLearner;
pub(crate) use glm::Family;
pub use glm::GlmLearner;
pub use learner::LinearLearner;
pub use logistic::LogisticLearner;
pub use model::{LinearModel, Link};
