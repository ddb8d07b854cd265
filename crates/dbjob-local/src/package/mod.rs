//! Model packages: a version of a model in a registry, a folder of open formats, nothing executable. What a registry is,
//! and how a version comes into it, is in `dbjob-registry`; here is what the model and its tables are.

mod deploy;
mod drift;
mod manifest;
mod open;
mod predict;

pub(crate) use dbjob_registry::digest;
pub use deploy::{Audit, Parts, deploy};
pub use drift::Drifted;
pub use open::{Package, live_metrics, open};

#[cfg(test)]
mod tests;
