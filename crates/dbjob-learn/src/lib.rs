//! The learners and metrics of dbjob: matrices in, models out; no tables, no files.
//!
//! A [`Learner`] is made by [`learner`] from an algorithm's name, the task and its options; it fits a [`Model`] from a
//! [`Matrix`] and a [`Target`]. A model is stored by [`save`] as safetensors and comes back by [`load`], bit for bit.
//!
//! Invariants: the same data, options and seed give the same model, bit for bit, on any number of threads; a prediction
//! of a row does not depend on the rows beside it; nothing is standardised silently.

mod baseline;
pub mod calibration;
mod checkpoint;
mod classes;
pub mod cluster;
mod context;
mod contributions;
pub mod dummy;
mod error;
mod flags;
mod gemm;
pub mod linear;
mod made;
mod matrix;
pub mod metric;
pub mod mlp;
mod model;
pub mod naive_bayes;
pub mod neighbors;
mod numeric;
mod options;
mod pool;
mod process;
mod real;
mod rng;
mod store;
pub mod svm;
pub mod tree;
mod weights;

pub use baseline::Baseline;
pub use context::{Checkpoints, FitContext, Progress, Valid};
pub use contributions::{Contribution, Contributions, Scale};
pub use error::{FitError, FitErrorKind};
pub use matrix::{Levels, Matrix, Target, Task};
pub use model::{ALGORITHMS, EXPLAINED, Early, Fitted, Learner, Model, Scores, learner};
pub use options::{OptionValue, Options};
pub use pool::Pool;
pub use process::Process;
pub use rng::scattered;
pub use store::{DType, LoadError, Tensor, Tensors, load, load_as, save};
