mod checkpoints;
mod classes;
mod numbers;
mod refused;
pub(crate) mod support;
