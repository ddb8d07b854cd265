//! Rows that stand in the job.

use dbjob_plan::{RunError, Value};
use polars::prelude::{Column, DataFrame, IntoColumn};

use super::{Wanted, check};
use crate::fault::engine_error;
use crate::types::series;

/// The wanted columns of the rows, whose values are in the order of the declaration.
///
/// Errors: E0706, E0707 for a value that breaks a promise, which the checker has told before.
pub(super) fn table(wanted: &[Wanted], rows: &[Vec<Value>]) -> Result<DataFrame, RunError> {
    let mut columns: Vec<Column> = Vec::with_capacity(wanted.len());
    for w in wanted {
        let values: Vec<Value> = rows.iter().map(|row| row.get(w.position).cloned().unwrap_or(Value::Null)).collect();
        for (row, value) in values.iter().enumerate() {
            check::value(&w.field, value)
                .map_err(|broken| RunError::new(broken.code, format!("{} in row {}", broken.message, row + 1)))?;
        }
        columns.push(series(&values, &w.field.dtype).with_name(w.field.name.as_str().into()).into_column());
    }
    DataFrame::new(rows.len(), columns).map_err(engine_error)
}
