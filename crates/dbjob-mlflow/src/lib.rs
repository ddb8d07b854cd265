//! Runs and models to an MLflow tracking server: its REST interface, and the files of an MLflow model.
//!
//! The model is an ONNX file with a loader of a page, so that whoever loads it needs MLflow and onnxruntime and nothing of
//! dbjob. Files go through the server (`mlflow-artifacts`), so that no path and no store is shared.

mod client;
mod files;
mod run;
mod signature;

pub use client::Server;
pub use run::{Logged, ToLog, log};
