//! The state directory: results that outlive runs, and the history of runs.
//!
//! ```text
//! .dbjob/lock               held by the run that is going; its process id
//!        history.sqlite     runs, their items, what was delivered, the content of files by size and time
//!        results/ab/KEY/    the files of a result and entry.json, which lists them with their hashes
//!        fetched/KEY/       the files of a source that cannot be read in place
//!        checkpoints/       fits that are still going
//! ```
//! Invariants: a folder under its final name is complete and synced, and never changes; only the run that holds the lock
//! writes; everything may be removed at any time between runs, at the cost of computing again.

pub(crate) mod checkpoint;
mod clean;
mod contents;
mod history;
mod lock;
mod schema;
mod store;

use std::fs;
use std::path::{Path, PathBuf};

use dbjob_plan::RunError;

pub(crate) use clean::sweep;
pub use clean::{Clean, Cleaned, cap, clean};
pub use contents::stamp;
pub(crate) use contents::{Look, content, content_below};
pub use history::{History, ItemRecord, RuleRecord, RunRecord, Status};
pub use lock::Lock;
pub use rusqlite::Error as HistoryError;
pub use schema::Schemas;
pub(crate) use store::Found;
pub use store::{Entry, Store};

/// The name of the state directory beside the job's file.
pub const STATE: &str = ".dbjob";

/// Makes the folder of the state, with a note that keeps it out of version control.
///
/// Errors: E0751.
pub(crate) fn create(folder: &Path) -> Result<(), RunError> {
    fs::create_dir_all(folder).map_err(|e| unusable(folder, &e.to_string()))?;
    let ignore = folder.join(".gitignore");
    if !ignore.exists() {
        fs::write(&ignore, "*\n").map_err(|e| unusable(folder, &e.to_string()))?;
    }
    Ok(())
}

pub(crate) fn unusable(folder: &Path, why: &str) -> RunError {
    RunError::new("E0751", format!("cannot use the state directory {}: {why}", folder.display()))
        .help("give another one with `--state DIR`, or keep nothing with `--no-state`")
}

/// The folder under which the database is.
pub fn history_file(state: &Path) -> PathBuf {
    state.join("history.sqlite")
}
