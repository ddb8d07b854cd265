//! The local engine of dbjob: tables by polars, models by `dbjob-learn`.
//!
//! [`LocalEngine`] carries out plans; [`package::open`] answers from a stored model. The walk of a plan is in `engine`,
//! the lowering of steps, expressions and maps in `step`, `expr` and `map`; serving (`replay`) uses the same lowering.

mod aggregate;
mod arithmetic;
mod bounds;
mod chunks;
mod decimal;
mod drift;
mod engine;
mod expr;
mod fault;
mod fetch;
mod function;
mod kept;
mod learn;
mod list;
pub mod map;
pub mod package;
mod packing;
mod process;
mod replay;
mod request;
pub mod serve;
mod sink;
mod source;
mod step;
mod store;
#[cfg(test)]
mod tests;
mod types;
mod udf;

pub use engine::{LocalEngine, use_threads};
pub(crate) use replay::replay;
pub(crate) use request::{read_as_is, read_request, write_table};
