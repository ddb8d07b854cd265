//! A table as values of the language.

use dbjob_plan::{Rows, Schema, Value};
use polars::prelude::DataFrame;

use crate::types::value_of;

/// The visible columns of a table, and those whose names only data tell.
pub(super) fn of(frame: &DataFrame, schema: &Schema) -> Rows {
    let hidden = |name: &str| schema.get(name).is_some_and(|field| field.hidden);
    let columns: Vec<_> = frame.columns().iter().filter(|c| !hidden(c.name())).collect();
    let value = |column: &polars::prelude::Column, row: usize| column.get(row).map_or(Value::Null, |v| value_of(&v));
    Rows {
        columns: columns.iter().map(|c| c.name().to_string()).collect(),
        rows: (0..frame.height()).map(|row| columns.iter().map(|c| value(c, row)).collect()).collect(),
    }
}
