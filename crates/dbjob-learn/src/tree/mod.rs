//! Trees: one representation of all models made of them, histogram engines that grow them.

mod bins;
mod boost;
mod coded;
mod criterion;
mod ensemble;
mod exact;
mod finished;
mod forest;
mod grow;
mod histogram;
mod node;
mod route;
mod rows;
mod shap;
mod stored;

pub use boost::BoostLearner;
pub use ensemble::{Ensemble, Link, Output};
pub use forest::ForestLearner;
pub use node::{Rule, Split, Tree};
