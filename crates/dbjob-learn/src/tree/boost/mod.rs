//! Gradient boosting on histograms.

mod groups;
mod grow;
mod learner;
mod loss;
mod rounds;
mod rows;
mod split;
mod sums;
mod watch;

pub use learner::BoostLearner;
