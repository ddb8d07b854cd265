use std::path::PathBuf;

use dbjob_plan::{RunError, Schema, Source};

use crate::world::World;

/// The files of this machine; relative paths start from `base`, the folder of the job's file.
pub struct LocalWorld {
    pub base: PathBuf,
}

impl World for LocalWorld {
    #[cfg(feature = "local")]
    fn schema(&self, source: &Source) -> Result<Option<Schema>, RunError> {
        dbjob_plan::Backend::infer(&super::engine::engine(), source, &self.base).map(Some)
    }

    /// Built without an engine: it can say that a file is missing, not what is in it.
    #[cfg(not(feature = "local"))]
    fn schema(&self, source: &Source) -> Result<Option<Schema>, RunError> {
        let is_pattern = source.path.contains(['*', '?', '[']);
        if !is_pattern && !self.base.join(&source.path).exists() {
            return Err(RunError::new("E0701", format!("there is no file `{}`", source.path)));
        }
        Ok(None)
    }
}
