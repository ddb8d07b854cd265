//! How a closure inside a polars query tells what it found wrong.
//!
//! A closure can only return a `PolarsError`, which has no code, no value and no place. So it leaves a [`Fault`] in a slot
//! that the engine looks into when the query fails; the error it returns only stops the query.

use std::sync::{Arc, Mutex};

use dbjob_plan::{DataLocation, NodeId, RunError, Span};
use polars::prelude::{DataFrame, PolarsError, PolarsResult};

/// What a closure found wrong. It sees a batch of rows and cannot know which rows of the table these are: the engine finds
/// the row afterwards.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    /// The node whose expression failed.
    pub node: NodeId,
    /// The expression, where it is one that failed.
    pub span: Option<Span>,
    pub code: &'static str,
    pub message: String,
    pub column: Option<String>,
    pub value: Option<String>,
}

impl Fault {
    /// Without a row: the fault is of the whole step or its row is not known yet.
    pub fn into_error(self, row: Option<u64>) -> RunError {
        let data = DataLocation { file: None, row, line: None, column: self.column, value: self.value };
        let message = match row {
            Some(row) => format!("{} in row {row} of the step's input", self.message),
            None => self.message,
        };
        let help = match self.code {
            "E0707" => Some("leave such rows out with a `filter` above it"),
            "E0709" => Some("compute with floats, `float(x) * y`, or leave such rows out with a `filter`"),
            "E0710" => Some("a cast that begins with `try_` gives null where there is no such value"),
            _ => None,
        };
        let help = help.map(str::to_owned);
        RunError { span: self.span, help, ..RunError::new(self.code, message).data(data) }
    }
}

/// The slot; the first fault wins, because later ones may follow from it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults(Arc<Mutex<Option<Fault>>>);

impl Faults {
    /// Keeps the fault and gives the error that stops the query.
    pub fn raise(&self, fault: Fault) -> PolarsError {
        let text = format!("{}: {}", fault.code, fault.message);
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_or_insert(fault);
        PolarsError::ComputeError(text.into())
    }

    pub fn take(&self) -> Option<Fault> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }

    /// The first row (1-based) of `rows` on which `run` raises a fault, and that fault. Batches run side by side, so the
    /// fault that stopped a query may be of any of them: `run` is done again on slices until one fails, and on that row by
    /// row.
    pub fn first(&self, rows: &DataFrame, run: &dyn Fn(DataFrame) -> PolarsResult<()>) -> Option<(u64, Fault)> {
        let fails = |part: DataFrame| {
            let failed = run(part).is_err();
            self.take().filter(|_| failed)
        };
        let (mut start, mut end, mut size) = (0, rows.height(), 4_096);
        loop {
            let mut slices = (start..end).step_by(size);
            let (at, fault) =
                slices.find_map(|at| fails(rows.slice(at as i64, size.min(end - at))).map(|fault| (at, fault)))?;
            if size == 1 {
                return Some((at as u64 + 1, fault));
            }
            (start, end) = (at, (at + size).min(end));
            size = (size / 16).max(1);
        }
    }
}

/// A failure of polars that no closure of ours explains.
pub(crate) fn engine_error(error: PolarsError) -> RunError {
    let text = error.to_string();
    let code = match &error {
        PolarsError::IO { .. } => "E0701",
        _ => "E0799",
    };
    RunError::new(code, format!("the table engine failed: {text}"))
}

/// Runs a query and turns a panic of the engine into an error: a panic must not take the process down.
pub(crate) fn guarded<T>(run: impl FnOnce() -> PolarsResult<T>) -> PolarsResult<T> {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)) {
        Ok(result) => result,
        Err(panic) => {
            let text = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no message");
            Err(PolarsError::ComputeError(format!("panic in the table engine: {text}").into()))
        }
    }
}
