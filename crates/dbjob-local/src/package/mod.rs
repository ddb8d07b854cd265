//! Model packages: a folder of open formats, nothing executable.
//!
//! ```text
//! <registry>/<model>/current                    the number of the live version
//! <registry>/<model>/versions/<n>/manifest.json what it is, and the SHA-256 of the other files
//!                                 weights.safetensors, maps.json, lookup/<name>.parquet, test_predictions.parquet
//! ```
//! Invariants: a version folder is complete and synced before it gets its name, and never changes afterwards; versions
//! count up; `current` names a version whose every gate held, and is replaced in one step.

mod deploy;
mod files;
mod folder;
mod manifest;
mod open;
mod predict;

pub use deploy::deploy;
pub(crate) use files::digest;
pub use open::{Package, live_contract, live_metrics, open};

/// The version of the format that this crate writes and reads.
const FORMAT: u32 = 1;

const MANIFEST: &str = "manifest.json";
const WEIGHTS: &str = "weights.safetensors";
const MAPS: &str = "maps.json";
const LOOKUPS: &str = "lookup";
const TEST_PREDICTIONS: &str = "test_predictions.parquet";

#[cfg(test)]
mod tests;
