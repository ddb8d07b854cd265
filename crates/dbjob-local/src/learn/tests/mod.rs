mod checkpoints;
mod classes;
mod gaps;
mod numbers;
mod refused;
pub(crate) mod support;
