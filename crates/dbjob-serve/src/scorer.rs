use std::sync::Arc;

use dbjob_plan::{Field, Manifest, RunError, TableFormat};

use crate::{Columns, Values};

/// A model that answers: the serving plan and the learner behind it.
pub trait Scorer: Send + Sync {
    fn manifest(&self) -> &Manifest;

    /// What a row of a request has, in the order of [`Columns`].
    fn fields(&self) -> &[Field];

    /// The predictions of rows that are of the fields' types. What one row gets does not depend on the rows beside it.
    fn score(&self, rows: &Columns) -> Scored;

    /// The rows of an Arrow IPC or Parquet file: a column for each field, in their order, of its type; ranges, levels and
    /// nulls are looked at afterwards.
    fn read_table(&self, format: TableFormat, file: &[u8], limits: FileLimits) -> Result<Columns, FileError>;

    /// A table as a file.
    ///
    /// Errors: in words, for the log.
    fn write_table(&self, format: TableFormat, columns: &[(String, Values)]) -> Result<Vec<u8>, String>;

    /// Further metrics in Prometheus' text format, each line with the labels of this model.
    fn metrics(&self, labels: &str) -> String {
        let _ = labels;
        String::new()
    }
}

/// What a file in a request may unpack to.
#[derive(Debug, Clone, Copy)]
pub struct FileLimits {
    pub rows: usize,
    pub bytes: usize,
}

/// Why a file has no predictions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileError {
    /// It is not of its format.
    Broken(String),
    /// It has more rows or unpacks to more than it may.
    TooLarge(String),
    /// Columns that are not those of the fields, each with the reason.
    Wrong(Vec<(String, String)>),
}

/// What was made of the rows of a request.
#[derive(Debug, Clone, Default)]
pub struct Scored {
    /// The columns of the predictions, with one cell for each row that was not refused.
    pub columns: Vec<(String, Values)>,
    /// The rows (from 0, ascending) that have no prediction, and why.
    pub refused: Vec<(usize, Refusal)>,
}

/// Why a row has no prediction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The caller's: a rule does not hold, a lookup has no match, a value cannot be converted.
    Row {
        /// In words, without the number of the row.
        reason: String,
        /// The column that it is about, where it is one.
        column: Option<String>,
    },
    /// Ours: the model could not be asked. The words are for the log, not for callers.
    Failed(String),
}

/// Where models come from, and which of them are to be served.
pub trait Shelf: Send + Sync {
    /// The model and version that is live, of every model; asked several times a second.
    ///
    /// Errors: why it cannot be told now; what is served stays.
    fn live(&self) -> Result<Vec<Live>, String>;

    /// Errors: why this version cannot be served.
    fn open(&self, live: &Live) -> Result<Arc<dyn Scorer>, RunError>;
}

/// A version of a model that is to be served.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Live {
    pub model: String,
    pub version: u64,
}

/// Models that are there and stay as they are.
pub struct Fixed(pub Vec<Arc<dyn Scorer>>);

impl Shelf for Fixed {
    fn live(&self) -> Result<Vec<Live>, String> {
        Ok(self.0.iter().map(|s| Live { model: s.manifest().model.clone(), version: s.manifest().version }).collect())
    }

    fn open(&self, live: &Live) -> Result<Arc<dyn Scorer>, RunError> {
        let found = self.0.iter().find(|s| s.manifest().model == live.model);
        found.cloned().ok_or_else(|| RunError::new("E0716", format!("there is no model `{}`", live.model)))
    }
}
