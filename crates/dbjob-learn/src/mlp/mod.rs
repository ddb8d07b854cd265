//! Neural networks of dense layers. Numbers are 32-bit floats inside.

mod gather;
mod learner;
mod model;
mod network;
mod state;
mod step;
mod train;

pub use learner::MlpLearner;
pub use model::{Layer, MlpModel};
pub use network::Activation;
pub(crate) use network::{Network, Output};
pub(crate) use step::{Optimizer, Schedule};
pub(crate) use train::{Penalty, Recipe, Rows, train};
