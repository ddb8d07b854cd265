use std::path::{Path, PathBuf};

use dbjob_plan::{RunError, Schema, Source, in_object_store};

use super::files::{parent, read_source, shown};
use super::front::Purpose;
use crate::lock::{Datasets, FILE, Lock};
use crate::world::{TextFile, Variable, World};

/// The files of this machine; relative paths start from `base`, the folder of the job's file.
pub struct LocalWorld {
    pub base: PathBuf,
    pub purpose: Purpose,
    /// What `dbjob.lock` says of the job.
    pub locked: Datasets,
    /// What is remembered of files that were looked into.
    #[cfg(feature = "local")]
    schemas: dbjob_runtime::state::Schemas,
}

impl LocalWorld {
    /// The world of a job, with what is locked of it.
    ///
    /// Errors: E0712 for a lock that cannot be read.
    pub fn of(job: &Path, purpose: Purpose) -> Result<Self, RunError> {
        let base = parent(job);
        let locked = match purpose {
            Purpose::Lock => Datasets::default(),
            Purpose::Look | Purpose::Run => {
                let name = job.file_name().unwrap_or_default().to_string_lossy().into_owned();
                read_lock(&base)?.jobs.remove(&name).unwrap_or_default()
            }
        };
        Ok(Self {
            #[cfg(feature = "local")]
            schemas: dbjob_runtime::state::Schemas::of(&base),
            base,
            purpose,
            locked,
        })
    }
}

/// The lock of a folder; an empty one if there is none.
///
/// Errors: E0712.
pub fn read_lock(folder: &Path) -> Result<Lock, RunError> {
    let path = folder.join(FILE);
    let damaged = |why: String| {
        RunError::new("E0712", format!("`{}` cannot be read: {why}", path.display()))
            .help("write it again: `dbjob lock FILE`")
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => Lock::parse(&text).map_err(damaged),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Lock::default()),
        Err(error) => Err(damaged(error.to_string())),
    }
}

impl World for LocalWorld {
    #[cfg(feature = "local")]
    fn schema(&self, source: &Source) -> Result<Option<Schema>, RunError> {
        self.schemas.infer(&super::engine::engine(), source, &self.base).map(Some)
    }

    /// Built without an engine: it can say that a file is missing, not what is in it.
    #[cfg(not(feature = "local"))]
    fn schema(&self, source: &Source) -> Result<Option<Schema>, RunError> {
        if !source.format.is_file() {
            return Ok(None);
        }
        let is_pattern = source.path.contains(['*', '?', '[']);
        if !is_pattern && !in_object_store(&source.path) && !self.base.join(&source.path).exists() {
            return Err(RunError::new("E0701", format!("there is no file `{}`", source.path)));
        }
        Ok(None)
    }

    fn locked(&self, source: &Source) -> Option<Schema> {
        self.locked.values().find(|l| l.is_of(source)).map(crate::lock::Locked::schema)
    }

    fn levels(&self, source: &Source, header: &str) -> Option<usize> {
        let locked = self.locked.values().find(|l| l.is_of(source))?;
        locked.column(header)?.levels.as_ref().map(Vec::len)
    }

    /// A run reads the file anyway, and says where.
    #[cfg(feature = "local")]
    fn header(&self, source: &Source) -> Result<Option<Vec<String>>, RunError> {
        // To check what is declared nobody is asked over the network.
        if self.purpose == Purpose::Run || self.purpose == Purpose::Look && in_object_store(&source.path) {
            return Ok(None);
        }
        match dbjob_plan::Backend::header(&super::engine::engine(), source, &self.base) {
            // It may be there by the time of a run.
            Err(error) if error.code == "E0701" => Ok(None),
            found => found,
        }
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
            (Purpose::Run | Purpose::Lock, None) => Variable::Unset,
            (Purpose::Run | Purpose::Lock, Some(value)) => Variable::Set(value.to_string_lossy().into_owned()),
        }
    }

    fn identity(&self, path: &str) -> PathBuf {
        let path = self.base.join(path);
        path.canonicalize().unwrap_or(path)
    }
}
