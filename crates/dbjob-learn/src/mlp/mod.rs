//! Neural networks of dense layers. Numbers are 32-bit floats inside.

mod learner;
mod model;
mod network;
mod state;
mod step;
mod train;

pub use learner::MlpLearner;
pub use model::MlpModel;
pub(crate) use network::{Activation, Network, Output};
pub(crate) use step::{Optimizer, Schedule};
pub(crate) use train::{Penalty, Recipe, Rows, train};
