//! Writing: one interface over the systems.

use dbjob_plan::{Cancel, DataType, DatabaseSystem, Field, RunError};

use crate::Values;
use crate::address::Address;
use crate::chunk::Chunk;
use crate::relation::{parts, quote, quoted, quoted_list};
use crate::table::{self, Kind, Stored};
use crate::{mysql, postgres, sqlite};

/// The table in which the last append of each writer to each table is recorded: its key, the number of rows, the time.
pub(crate) const WRITES: &str = "dbjob_writes";

/// What is to be written.
#[derive(Debug, Clone)]
pub struct Write {
    /// `name` or `schema.name`; made if it is not there.
    pub table: String,
    pub mode: Mode,
    /// The columns of the chunks, in order.
    pub columns: Vec<Field>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Mode {
    /// The rows of the table become these.
    Replace,
    /// Adds the rows. `by`: who writes. `once`: a key that names this very write; when it is that of the last append which
    /// was committed by the same writer, nothing is added again.
    Append { by: String, once: String },
    /// Rows with the key of a row that is there change it, others are added.
    Upsert { key: Vec<String> },
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    pub rows: u64,
    /// Nothing was written now: the rows are there from an append of the same key.
    pub repeated: bool,
}

/// The chunks to write. The write is committed when they end, and undone when one is an error.
pub type Chunks<'a> = &'a mut dyn Iterator<Item = Result<Chunk, RunError>>;

/// A connection that is ready to write.
pub struct Writer(System);

enum System {
    Sqlite(Box<sqlite::Writer>),
    Postgres(Box<postgres::Writer>),
    Mysql(Box<mysql::Writer>),
}

impl Writer {
    pub(crate) fn open(address: &Address, write: Write, cancel: &Cancel) -> Result<Self, RunError> {
        Ok(Self(match address {
            Address::Sqlite(file) => System::Sqlite(Box::new(sqlite::Writer::open(file, write, cancel)?)),
            Address::Postgres(server) => System::Postgres(Box::new(postgres::Writer::open(server, write, cancel)?)),
            Address::Mysql(server) => System::Mysql(Box::new(mysql::Writer::open(server, write, cancel)?)),
        }))
    }

    /// Writes the chunks and commits. Whoever reads the table meanwhile sees it as it was.
    ///
    /// Errors: the first error of the chunks; E0734 where the database broke off, E0735 where the table does not take the
    /// rows. In every case the table is as it was.
    pub fn write(self, chunks: Chunks<'_>) -> Result<Written, RunError> {
        match self.0 {
            System::Sqlite(writer) => writer.write(chunks),
            System::Postgres(writer) => writer.write(chunks),
            System::Mysql(writer) => writer.write(chunks),
        }
    }
}

impl Write {
    /// The columns by which rows are known again.
    pub(crate) fn key(&self) -> &[String] {
        match &self.mode {
            Mode::Upsert { key } => key,
            _ => &[],
        }
    }

    /// The table in SQL; `mark` quotes names there.
    pub(crate) fn name(&self, mark: char) -> String {
        quoted(&parts(&self.table), mark)
    }

    /// A table beside it, in SQL.
    pub(crate) fn beside(&self, name: &str, mark: char) -> String {
        let mut parts = parts(&self.table);
        parts.pop();
        parts.push(name.to_owned());
        quoted(&parts, mark)
    }

    /// The names of its columns, in SQL.
    pub(crate) fn names(&self, mark: char) -> String {
        quoted_list(self.columns.iter().map(|f| f.name.as_str()), mark)
    }

    /// What stands between the brackets of `CREATE TABLE`; `declare`: the type of a column.
    pub(crate) fn declared(&self, mark: char, declare: impl Fn(&Field) -> String) -> String {
        let column = |f: &Field| {
            let not_null = if f.nullable && !self.is_key(&f.name) { "" } else { " NOT NULL" };
            format!("{} {}{not_null}", quote(&f.name, mark), declare(f))
        };
        let mut parts: Vec<String> = self.columns.iter().map(column).collect();
        if !self.key().is_empty() {
            parts.push(format!("PRIMARY KEY ({})", quoted_list(self.key().iter().map(String::as_str), mark)));
        }
        parts.join(", ")
    }

    pub(crate) fn is_key(&self, column: &str) -> bool {
        self.key().iter().any(|k| k == column)
    }

    /// Keys that are null would match nothing.
    ///
    /// Errors: E0735.
    pub(crate) fn check_keys(&self, chunk: &Chunk) -> Result<(), RunError> {
        for (field, values) in self.columns.iter().zip(&chunk.columns).filter(|(f, _)| self.is_key(&f.name)) {
            if (0..chunk.rows).any(|row| is_null(values, row)) {
                let message = format!("the key {:?} of `upsert` is null in some rows", field.name);
                return Err(RunError::new("E0735", message)
                    .help(format!("leave such rows out: `filter {} is not null`", field.name)));
            }
        }
        Ok(())
    }

    /// Instants with more digits after the second than the table keeps would be rounded.
    ///
    /// Errors: E0735.
    pub(crate) fn check_digits(&self, there: &[Stored], chunk: &Chunk, system: DatabaseSystem) -> Result<(), RunError> {
        for (field, values) in self.columns.iter().zip(&chunk.columns) {
            let (Values::Datetime(v) | Values::Duration(v)) = values else { continue };
            let Some(found) = there.iter().find(|s| table::same_name(&s.name, &field.name, system)) else { continue };
            let (Kind::Datetime { digits } | Kind::Duration { digits }) = found.kind else { continue };
            let unit = 10_i64.pow(u32::from(6 - digits.min(6)));
            if unit > 1 && v.iter().flatten().any(|us| us % unit != 0) {
                let message = format!(
                    "column {:?} of table {:?} is {}, and there are values with more digits after the second",
                    field.name, self.table, found.shown
                );
                return Err(RunError::new("E0735", message)
                    .help("alter the column so that it has six digits, or cut them off in a `derive`"));
            }
        }
        Ok(())
    }

    /// Two of the rows have one key.
    pub(crate) fn twice(&self, shown: &str) -> RunError {
        let message =
            format!("two rows for {:?} have the same key of `upsert`: {} = {shown}", self.table, self.key().join(", "));
        RunError::new("E0735", message).help(format!("keep one of each: `distinct by {}`", self.key().join(", ")))
    }
}

pub(crate) fn is_null(values: &Values, row: usize) -> bool {
    match values {
        Values::Int(v) | Values::Datetime(v) | Values::Duration(v) => v[row].is_none(),
        Values::Float(v) => v[row].is_none(),
        Values::Decimal(v) => v[row].is_none(),
        Values::Bool(v) => v[row].is_none(),
        Values::Text(v) => v[row].is_none(),
        Values::Date(v) => v[row].is_none(),
        Values::List(v) => v[row].is_none(),
    }
}

/// The digits after the point of a column's decimals.
pub(crate) fn scale(dtype: &DataType) -> u8 {
    match dtype {
        DataType::Decimal { scale, .. } => *scale,
        _ => 0,
    }
}
