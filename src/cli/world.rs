use std::path::PathBuf;

use dbjob_plan::{RunError, Schema, Source};

use super::files::{read_source, shown};
use super::front::Purpose;
use crate::world::{TextFile, Variable, World};

/// The files of this machine; relative paths start from `base`, the folder of the job's file.
pub struct LocalWorld {
    pub base: PathBuf,
    pub purpose: Purpose,
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

    fn text(&self, path: &str) -> Result<TextFile, RunError> {
        let path = PathBuf::from(shown(&self.base.join(path)));
        match read_source(&path) {
            Ok(file) => Ok(TextFile { path, text: file.text }),
            Err(problem) => {
                let error = RunError::new(problem.code.as_str(), problem.message);
                Err(RunError { help: problem.help, ..error })
            }
        }
    }

    fn variable(&self, name: &str) -> Variable {
        match (self.purpose, std::env::var_os(name)) {
            (Purpose::Look, _) => Variable::Later,
            (Purpose::Run, None) => Variable::Unset,
            (Purpose::Run, Some(value)) => Variable::Set(value.to_string_lossy().into_owned()),
        }
    }

    fn identity(&self, path: &str) -> PathBuf {
        let path = self.base.join(path);
        path.canonicalize().unwrap_or(path)
    }
}
