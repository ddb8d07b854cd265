//! What lies next to a row.

mod learner;
mod model;
mod points;
mod search;

pub use learner::NeighborsLearner;
pub use model::Neighbors;
pub(crate) use points::{Distance, Points, refuse_far};
