//! From tables to learners and back: features and truth of a table, the fit, its judgement, predictions as columns.

mod classes;
mod evaluate;
mod features;
mod fit;
mod held_out;
mod judge;
mod learned;
mod options;
mod predict;
mod target;

pub use fit::Fresh;
pub use held_out::HeldOut;
pub use learned::Learned;

#[cfg(test)]
pub(crate) mod tests;
