use dbjob_plan::{RunError, Schema, Source};

/// Everything that the compiler reads from outside. The language itself does no I/O.
pub trait World {
    /// The columns that a source has, with types as declared by the file or inferred from its first rows.
    /// `Ok(None)`: this world cannot look (no engine, or the file is not there and that is no error yet).
    fn schema(&self, source: &Source) -> Result<Option<Schema>, RunError>;
}

/// A world without files: what is not declared is not known.
pub struct NoWorld;

impl World for NoWorld {
    fn schema(&self, _: &Source) -> Result<Option<Schema>, RunError> {
        Ok(None)
    }
}
