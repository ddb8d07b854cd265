//! Runs a plan on a backend: within its time limit, stoppable by a signal, and telling of its beginning and end.
//!
//! It knows plans and backends, and neither tables nor the language.

mod gate;
mod guard;
mod interrupt;
mod leftover;
mod memory;
mod rows;
mod run;

pub use interrupt::{cancel_on_interrupt, interrupted};
pub use leftover::remove_leftovers;
pub use rows::rows;
pub use run::{Observer, RunOptions, run};
