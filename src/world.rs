use std::path::PathBuf;

use dbjob_plan::{RunError, Schema, Source};

/// Everything that the compiler reads from outside. The language itself does no I/O. Paths start from the folder of the
/// job's own file.
pub trait World {
    /// The columns that a source has, with types as declared by the file or inferred from its first rows.
    /// `Ok(None)`: this world cannot look (no engine, or the file is not there and that is no error yet).
    fn schema(&self, source: &Source) -> Result<Option<Schema>, RunError>;

    /// What `dbjob.lock` knows of a source: with it, nothing is opened.
    fn locked(&self, _source: &Source) -> Option<Schema> {
        None
    }

    /// How many levels `dbjob.lock` knows of an open category, by its header.
    fn levels(&self, _source: &Source, _header: &str) -> Option<usize> {
        None
    }

    /// The names of a source's columns, where it is there and tells them without a look at its rows.
    ///
    /// Errors: what is there is no such source.
    fn header(&self, _source: &Source) -> Result<Option<Vec<String>>, RunError> {
        Ok(None)
    }

    /// A file that the job uses.
    fn text(&self, path: &str) -> Result<TextFile, RunError> {
        Err(RunError::new("E0701", format!("`{path}` cannot be read here")))
    }

    /// What `env("NAME")` stands for.
    fn variable(&self, _name: &str) -> Variable {
        Variable::Later
    }

    /// The same for every path of one file.
    fn identity(&self, path: &str) -> PathBuf {
        PathBuf::from(path)
    }
}

/// A file with a part of a job.
#[derive(Debug, Clone)]
pub struct TextFile {
    /// As it is shown in messages.
    pub path: PathBuf,
    pub text: String,
}

/// An environment variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Variable {
    /// It is looked up when the job runs, and this is not a run.
    Later,
    Unset,
    Set(String),
}

/// A world without files: what is not declared is not known.
pub struct NoWorld;

impl World for NoWorld {
    fn schema(&self, _: &Source) -> Result<Option<Schema>, RunError> {
        Ok(None)
    }
}
