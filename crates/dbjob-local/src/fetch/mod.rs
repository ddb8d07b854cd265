//! Rows that cannot be read in place: brought into files of the state directory first, with bounded memory, and read from
//! there. One file a kind of place.

use std::path::Path;

use dbjob_plan::{FetchContext, Format, Origin, RunError, Schema, Source};

use crate::source::files;

/// Where the rows of a source are at this moment.
///
/// Errors: E0701, E0702.
pub(crate) fn origin(source: &Source, base: &Path) -> Result<Origin, RunError> {
    match source.format {
        Format::Inline { .. } => Ok(Origin::Job),
        Format::Database(_) => Ok(Origin::Remote { version: None }),
        _ => Ok(Origin::Files(files::resolve(base, &source.path)?)),
    }
}

/// Brings the rows into files of `cx.folder` and gives the source that reads them.
pub(crate) fn fetch(source: &Source, _wanted: &Schema, _cx: &FetchContext<'_>) -> Result<Source, RunError> {
    Err(RunError::new("E0799", format!("this engine does not fetch {}", source.format.word())))
}
