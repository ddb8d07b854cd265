//! Support vector machines: classes and numbers told by kernels over some of the rows.

mod coupling;
mod kernel;
mod learner;
mod model;
mod problem;
mod smo;
mod state;

pub use learner::SvmLearner;
pub use model::SupportVectors;
