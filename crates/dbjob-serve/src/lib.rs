//! Answers over HTTP with trained models. This crate knows HTTP, its protocols, limits and the types of rows; a [`Scorer`]
//! knows the model, a [`Shelf`] which version of it is live.
//!
//! ```text
//! connection -> http (token, limits) -> read (JSON, CSV, tensors -> typed columns) -> model (queue -> Scorer) -> answer
//! ```
//! Invariants: a request is answered by the version that was live when it began; what is wrong with one row says nothing of
//! the others; nothing that a caller sends becomes a path.

mod answer;
mod columns;
mod http;
mod log;
mod metrics;
mod model;
mod openapi;
mod options;
mod patient;
mod problem;
mod queue;
mod read;
mod scorer;
mod server;
mod shape;
mod state;
mod tls;

pub use answer::json;
pub use columns::Columns;
pub use dbjob_plan::Values;
pub use options::{Limits, Options, Tls};
pub use scorer::{FileError, FileLimits, Fixed, Live, Refusal, Scored, Scorer, Shelf};
pub use server::{Server, start};

/// The path of a model's predictions.
pub use openapi::predict_path;
