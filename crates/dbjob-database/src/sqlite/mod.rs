//! SQLite. Types are those that columns are declared with, and each value is held against them.

mod read;
mod types;
mod write;

use std::time::Duration;

use dbjob_plan::{DataLocation, Relation, RunError};
use rusqlite::{Connection, Error, ErrorCode, OpenFlags};

use crate::address::SqliteFile;
use crate::relation::{missing_table, parts};
use crate::table::{Kind, Stored};
use crate::{fault, relation};

pub(crate) use read::{infer, read};
pub(crate) use write::Writer;

/// How long another program may hold the file.
const PATIENCE: Duration = Duration::from_secs(30);

/// To read: never made, never changed. Opened for writing all the same where that is allowed: what a killed writer left
/// behind must be undone by whoever comes next.
///
/// Errors: E0701, E0712.
fn open(file: &SqliteFile) -> Result<Connection, RunError> {
    let at = |e: RunError| e.data(DataLocation { file: Some(file.shown.clone()), ..DataLocation::default() });
    let unreadable = |why: &str| at(RunError::new("E0701", format!("cannot read {}: {why}", file.shown)));
    match std::fs::metadata(&file.path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Err(at(RunError::new("E0701", format!("there is no file {}", file.shown))));
        }
        Err(e) => return Err(unreadable(&e.to_string())),
        Ok(meta) if meta.is_dir() => return Err(unreadable("it is a folder")),
        Ok(_) => {}
    }
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&file.path, flags | OpenFlags::SQLITE_OPEN_READ_WRITE)
        .or_else(|_| Connection::open_with_flags(&file.path, flags | OpenFlags::SQLITE_OPEN_READ_ONLY))
        .map_err(|e| unreadable(&e.to_string()))?;
    connection.busy_timeout(PATIENCE).map_err(|e| failed(file, &e))?;
    connection.pragma_update(None, "query_only", true).map_err(|e| failed(file, &e))?;
    // Whether it is a database at all is known when something is read.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(|e| failed(file, &e))?;
    Ok(connection)
}

/// The columns of a table or view; none if it is not there.
fn columns(connection: &Connection, table: &str) -> Result<Vec<Stored>, Error> {
    let (schema, name) = split(table);
    let mut statement = connection.prepare(
        "SELECT name, type, \"notnull\", pk, (SELECT count(*) FROM pragma_table_xinfo(?1, ?2) WHERE pk > 0) \
         FROM pragma_table_xinfo(?1, ?2) WHERE hidden IN (0, 2, 3)",
    )?;
    let rows = statement.query_map([&name, &schema], |row| {
        let (shown, not_null, key, keys): (String, bool, i64, i64) =
            (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
        let row_id = key > 0 && keys == 1 && shown.eq_ignore_ascii_case("INTEGER");
        let kind = types::kind(&shown);
        Ok(Stored { name: row.get(0)?, kind, shown: types::shown(&shown), nullable: !not_null && !row_id })
    })?;
    rows.collect()
}

/// The schema and the name in it.
fn split(table: &str) -> (String, String) {
    let mut parts = parts(table);
    let name = parts.pop().unwrap_or_default();
    (if parts.is_empty() { "main".into() } else { parts.join(".") }, name)
}

/// E0732 with the tables of the file.
fn no_table(file: &SqliteFile, connection: &Connection, table: &str) -> RunError {
    let names = || -> Result<Vec<String>, Error> {
        let sql =
            "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite%' ORDER BY name";
        connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
    };
    match names() {
        Ok(names) => missing_table(table, &file.shown, &names),
        Err(error) => failed(file, &error),
    }
}

/// `SELECT` of all columns of what is read.
fn select(relation: &Relation, columns: &str) -> String {
    match relation {
        Relation::Table(table) => format!("SELECT {columns} FROM {}", relation::quoted(&parts(table), '"')),
        // The line end ends a comment behind the query.
        Relation::Query(query) => format!("SELECT {columns} FROM (\n{}\n)", relation::bare(query)),
    }
}

/// What SQLite says, as an error of a run.
fn failed(file: &SqliteFile, error: &Error) -> RunError {
    let shown = &file.shown;
    let text = match error {
        Error::SqliteFailure(_, Some(text)) => text.clone(),
        other => other.to_string(),
    };
    let at = |e: RunError| e.data(DataLocation { file: Some(shown.clone()), ..DataLocation::default() });
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            at(RunError::new("E0712", format!("{shown} is damaged or no SQLite database: {text}")))
        }
        Some(ErrorCode::CannotOpen) => at(RunError::new("E0701", format!("cannot open {shown}: {text}"))),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            at(RunError::new("E0713", format!("cannot write {shown}: {text}")))
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            fault::broke_off(shown, "another program holds the file").help("end the other program, or wait for it")
        }
        Some(ErrorCode::OperationInterrupted) => fault::stopped(),
        Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure | ErrorCode::OutOfMemory) => {
            fault::broke_off(shown, &text)
        }
        _ => fault::wrong_query(shown, &text),
    }
}

/// Whether a column of that kind can only be known from its values.
fn is_open(kind: &Kind) -> bool {
    *kind == Kind::Any
}
