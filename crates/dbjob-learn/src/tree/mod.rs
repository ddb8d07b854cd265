//! Trees: one representation, one histogram engine that grows them, the forests made of them.

mod bins;
mod criterion;
mod finished;
mod forest;
mod grow;
mod histogram;
mod learner;
mod node;

pub use forest::Forest;
pub use learner::ForestLearner;
pub use node::{LEAF, Node, Tree};
