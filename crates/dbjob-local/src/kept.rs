//! Notes beside kept results: JSON files of our own.

use std::fs;
use std::path::Path;

use dbjob_plan::RunError;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::sink::unwritable;

/// A kept file is not what it should be.
pub(crate) fn strange(path: &Path, why: impl std::fmt::Display) -> RunError {
    RunError::new("E0799", format!("{}: {why}", path.display()))
}

/// Errors: E0799.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, RunError> {
    let text = fs::read(path).map_err(|e| strange(path, e))?;
    serde_json::from_slice(&text).map_err(|e| strange(path, e))
}

/// Errors: E0713.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), RunError> {
    let text = serde_json::to_vec(value).map_err(|e| strange(path, e))?;
    write(path, &text)
}

/// Errors: E0713.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    fs::write(path, bytes).map_err(|e| unwritable(path, &e.to_string()))
}
