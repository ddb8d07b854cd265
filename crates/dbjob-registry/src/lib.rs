//! A registry: a folder with a folder for each model, its versions and which of them is live.
//!
//! ```text
//! <registry>/<model>/current                    the number of the live version
//! <registry>/<model>/promotions.ndjson          what was made live, in order
//! <registry>/<model>/versions/<n>/manifest.json what it is, and the SHA-256 of the other files
//!                                 weights.safetensors, maps.json, profile.json, lookup/<name>.parquet,
//!                                 test_predictions.parquet
//! ```
//! Invariants: a version folder is complete and synced before it gets its name, and never changes afterwards; versions
//! count up; `current` is replaced in one step, after the promotion was written down. No table and no learner is needed to
//! read any of it.

mod diff;
mod export;
mod files;
mod folder;
mod history;
mod list;
mod locate;
mod manifest;
mod promote;
mod publish;

pub use diff::{Changed, Difference, FeatureChange, MetricChange, Named, Version, difference};
pub use export::export;
pub use files::{digest, place, seal, sync_folder, unwritable, write};
pub use folder::{ModelFolder, file_name, model_name};
pub use history::{How, Promotion};
pub use list::{Listed, ListedModel, list};
pub use locate::{live, locate, models};
pub use manifest::{damaged, read_manifest, seal_manifest, verify};
pub use promote::{Promoted, breaks, promote, rollback};
pub use publish::{Published, again, publish, stage};

/// The version of the format that is written and read.
pub const FORMAT: u32 = 1;

pub const MANIFEST: &str = "manifest.json";
pub const WEIGHTS: &str = "weights.safetensors";
pub const MAPS: &str = "maps.json";
pub const LOOKUPS: &str = "lookup";
pub const PROFILE: &str = "profile.json";
pub const TEST_PREDICTIONS: &str = "test_predictions.parquet";
