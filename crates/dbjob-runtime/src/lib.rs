//! Runs a plan on a backend: within its time limit, stoppable by a signal, and telling of its beginning and end.
//!
//! It knows plans and backends, and neither tables nor the language.

mod ahead;
mod gate;
mod guard;
mod identity;
mod interrupt;
mod keeper;
mod leftover;
mod memory;
mod rows;
mod run;
mod secrets;
mod session;
pub mod state;
mod story;
mod trace;

pub use ahead::{Ahead, AheadItem, AheadOptions, Lost, look_ahead};
pub use interrupt::{cancel_on_interrupt, interrupted};
pub use leftover::remove_leftovers;
pub use rows::rows;
pub use run::{Observer, RunOptions, StateOptions, run};
pub use session::Note;
pub use story::{Cause, ItemStory, StepStory, StepText, Story, Texts, title};
pub use trace::Trace;
