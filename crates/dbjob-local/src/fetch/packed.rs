//! Packed files of this machine.

use std::path::{Path, PathBuf};

use dbjob_plan::{FetchContext, RunError, Source};

use super::{Kept, keep, kept};
use crate::packing::{Packing, Want, unpack};
use crate::sink::unwritable;
use crate::source::files;

/// Unpacks the files of a source. Those that are not packed are read where they are.
///
/// Errors: E0701, E0702, E0712, E0713, E0718.
pub(super) fn fetch(source: &Source, cx: &FetchContext<'_>) -> Result<Source, RunError> {
    for (number, file) in files::resolve(cx.base, source)?.iter().enumerate() {
        let to = keep(cx.folder, number + 1, &Kept::File(file))?;
        match Packing::of(file) {
            Some(packing) => drop(unpack(packing, (file, file), &to, Want::All, cx.cancel)?),
            None => link(file, &to)?,
        }
    }
    kept(source, cx.folder)
}

#[cfg(unix)]
pub(super) fn link(file: &Path, to: &Path) -> Result<(), RunError> {
    let file = absolute(file)?;
    std::os::unix::fs::symlink(file, to).map_err(|e| unwritable(to, &e.to_string()))
}

#[cfg(not(unix))]
pub(super) fn link(file: &Path, to: &Path) -> Result<(), RunError> {
    let file = absolute(file)?;
    std::fs::copy(file, to).map(drop).map_err(|e| unwritable(to, &e.to_string()))
}

fn absolute(file: &Path) -> Result<PathBuf, RunError> {
    std::path::absolute(file).map_err(|e| files::unreadable(file, &e.to_string()))
}
