use dbjob_plan::{Backend, Key, Origin, RunError, Schema, Source};
use std::path::Path;

use super::contents::Look;
use super::{History, STATE};
use crate::identity::Digest;

/// The inferred columns of files, remembered in the state beside a job for as long as the files look as they did: what a
/// check reads does not grow with the data.
pub struct Schemas(Option<History>);

impl Schemas {
    /// Of the state in the job's folder; where nothing has run there yet nothing is remembered.
    pub fn of(base: &Path) -> Self {
        Self(History::look(&base.join(STATE)))
    }

    /// The columns that a source has.
    ///
    /// Errors: those of [`Backend::infer`].
    pub fn infer(&self, backend: &dyn Backend, source: &Source, base: &Path) -> Result<Schema, RunError> {
        let key = self.0.as_ref().and_then(|_| look(backend, source, base));
        let (Some(history), Some((key, settled))) = (&self.0, key) else { return backend.infer(source, base) };
        if let Some(schema) = history.schema(&key) {
            return Ok(schema);
        }
        let schema = backend.infer(source, base)?;
        if settled {
            // A state that cannot be written is read again next time.
            let _ = history.learn_schema(&key, &schema);
        }
        Ok(schema)
    }
}

/// What tells the source and the look of its files from others, and whether the files have not changed just now. `None`: it is
/// not made of files of this machine.
fn look(backend: &dyn Backend, source: &Source, base: &Path) -> Option<(Key, bool)> {
    if !source.format.is_file() {
        return None;
    }
    let (Origin::Files(files) | Origin::Packed(files)) = backend.origin(source, base).ok()? else { return None };
    let mut digest = Digest::new("schema").text(&backend.version()).json(source);
    let mut settled = true;
    for file in files {
        let look = Look::of(&file).ok()?;
        settled &= look.is_settled();
        digest = digest.text(&file.to_string_lossy()).json(&(look.size, look.changed, look.file));
    }
    Some((digest.end(), settled))
}
