//! Model packages: a version of a model in a registry, a folder of open formats, nothing executable. What a registry is,
//! and how a version comes into it, is in `dbjob-registry`; here is what the model and its tables are.

mod dependence;
mod deploy;
mod drift;
mod explain;
mod importance;
mod manifest;
mod open;
mod predict;
mod rows;

pub use dbjob_learn::Scale;
pub(crate) use dbjob_registry::digest;
pub use dependence::{Dependence, Point};
pub use deploy::{Audit, Parts, deploy};
pub use drift::Drifted;
pub use explain::{ExplainedRow, ExplainedScore, Explanation, Part};
pub use importance::{Gain, Importance, Shuffled, Shuffling};
pub use open::{Package, live_metrics, open};
pub use rows::Which;

#[cfg(test)]
mod tests;
