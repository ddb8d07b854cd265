//! Rows of a request and of its predictions, column by column.

use dbjob_plan::{Field, Values};

/// The rows of a request: a column for each field, in the order of the fields. Columns are equally long.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    pub columns: Vec<Values>,
    rows: usize,
}

impl Columns {
    /// Without rows.
    pub fn of<'a>(fields: impl IntoIterator<Item = &'a Field>) -> Self {
        Self { columns: fields.into_iter().map(|f| Values::new(&f.dtype)).collect(), rows: 0 }
    }

    /// Of columns that are equally long.
    pub fn from_columns(columns: Vec<Values>, rows: usize) -> Self {
        debug_assert!(columns.iter().all(|c| c.len() == rows), "columns are equally long");
        Self { columns, rows }
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Keeps the row whose cells were pushed to every column.
    pub fn finish_row(&mut self) {
        self.rows += 1;
        debug_assert!(self.columns.iter().all(|c| c.len() == self.rows), "every column has a cell more");
    }

    /// Keeps so many rows whose cells were pushed to every column.
    pub fn finish_rows(&mut self, rows: usize) {
        self.rows += rows;
        debug_assert!(self.columns.iter().all(|c| c.len() == self.rows), "every column has these cells more");
    }

    /// Forgets the cells of a row that is not to be kept.
    pub fn drop_row(&mut self) {
        let rows = self.rows;
        self.columns.iter_mut().for_each(|c| c.truncate(rows));
    }

    /// Makes room for so many more rows.
    pub fn reserve(&mut self, rows: usize) {
        self.columns.iter_mut().for_each(|c| c.reserve(rows));
    }

    /// Adds rows of the same fields.
    pub fn append(&mut self, other: Self) {
        self.rows += other.rows;
        for (column, more) in self.columns.iter_mut().zip(other.columns) {
            column.append(more);
        }
    }

    /// These rows, in this order.
    pub fn take(&self, rows: &[usize]) -> Self {
        Self { columns: self.columns.iter().map(|c| c.take(rows)).collect(), rows: rows.len() }
    }
}
