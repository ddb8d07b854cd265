//! From tables to learners and back: features and truth of a table, the fit, its judgement, predictions as columns.

mod calibrated;
mod choice;
mod classes;
mod clusters;
mod evaluate;
mod features;
mod fit;
mod guide;
mod held_out;
mod judge;
mod learned;
mod measure;
mod options;
mod predict;
mod slices;
mod stored;
mod target;
mod told;
mod trials;
mod view;

pub use choice::Unseen;
pub use evaluate::{Live, gate_again, higher_is_better};
pub use fit::{Fitting, Fresh};
pub(crate) use guide::{AHEAD, Found};
pub use held_out::HeldOut;
pub use judge::Judge;
pub use learned::Learned;
pub use told::ToldScore;
pub(crate) use trials::{Trials, rounds};
pub use view::View;

#[cfg(test)]
pub(crate) mod tests;
