//! Everything is one transaction of SQLite, the making of tables too.

use dbjob_plan::{Cancel, DatabaseSystem, RunError};
use rusqlite::{Connection, OptionalExtension, Statement, TransactionBehavior};

use super::{PATIENCE, columns, failed, split, types};
use crate::address::SqliteFile;
use crate::chunk::Chunk;
use crate::fault;
use crate::relation::{quote, quoted_list};
use crate::table::{self, Stored};
use crate::watch::Watch;
use crate::write::{Chunks, Mode, WRITES, Write, Written, scale};

/// The rows of an upsert, before they go into the table.
const STAGED: &str = "temp.dbjob_rows";

pub(crate) struct Writer {
    file: SqliteFile,
    connection: Connection,
    write: Write,
    _watch: Watch,
}

impl Writer {
    pub fn open(file: &SqliteFile, write: Write, cancel: &Cancel) -> Result<Self, RunError> {
        let file = SqliteFile { path: file.path.clone(), shown: file.shown.clone() };
        if let Some(folder) = file.path.parent() {
            std::fs::create_dir_all(folder)
                .map_err(|e| RunError::new("E0713", format!("cannot write {}: {e}", file.shown)))?;
        }
        let wrong = |e: rusqlite::Error| failed(&file, &e);
        let connection = Connection::open(&file.path).map_err(wrong)?;
        connection.busy_timeout(PATIENCE).map_err(wrong)?;
        connection.pragma_update(None, "foreign_keys", true).map_err(wrong)?;
        let handle = connection.get_interrupt_handle();
        let watch = Watch::new(cancel, move || handle.interrupt());
        let there = columns(&connection, &write.table).map_err(wrong)?;
        if !there.is_empty() && write.mode != Mode::Replace {
            table::accepts(&there, &write.columns, &write.table, DatabaseSystem::Sqlite)?;
        }
        Ok(Self { file, connection, write, _watch: watch })
    }

    pub fn write(mut self, chunks: Chunks<'_>) -> Result<Written, RunError> {
        let mut first = match chunks.next() {
            Some(chunk) => Some(chunk?),
            None => None,
        };
        let wrong = |e: rusqlite::Error| failed(&self.file, &e);
        // Nobody else may write between what is looked at and what is written; readers go on until the commit.
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(wrong)?;
        transaction.pragma_update(None, "defer_foreign_keys", true).map_err(wrong)?;
        let work = Work { file: &self.file, connection: &transaction, write: &self.write };
        if let Some(rows) = work.repeated()? {
            return Ok(Written { rows, repeated: true });
        }
        let mut chunks = std::iter::from_fn(|| first.take().map(Ok).or_else(|| chunks.next()));
        let rows = work.carry_out(&mut chunks)?;
        transaction.commit().map_err(|e| work_failed(&self.file, &self.write, &e))?;
        Ok(Written { rows, repeated: false })
    }
}

struct Work<'a> {
    file: &'a SqliteFile,
    connection: &'a Connection,
    write: &'a Write,
}

impl Work<'_> {
    fn run(&self, sql: &str) -> Result<usize, RunError> {
        self.connection.execute(sql, []).map_err(|e| self.failed(&e))
    }

    fn failed(&self, error: &rusqlite::Error) -> RunError {
        work_failed(self.file, self.write, error)
    }

    fn name(&self) -> String {
        self.write.name('"')
    }

    fn columns(&self) -> String {
        self.write.names('"')
    }

    /// The rows of an append that was committed before.
    fn repeated(&self) -> Result<Option<u64>, RunError> {
        let Mode::Append { by, once } = &self.write.mode else { return Ok(None) };
        self.run(&format!(
            "CREATE TABLE IF NOT EXISTS {WRITES} (table_name TEXT NOT NULL, written_by TEXT NOT NULL, \
             write_key TEXT NOT NULL, row_count INTEGER NOT NULL, written_at TEXT NOT NULL, \
             PRIMARY KEY (table_name, written_by))"
        ))?;
        let sql =
            format!("SELECT row_count FROM {WRITES} WHERE table_name = ?1 AND written_by = ?2 AND write_key = ?3");
        let rows = self.connection.query_row(&sql, (&self.write.table, by, once), |row| row.get::<_, i64>(0));
        Ok(rows.optional().map_err(|e| self.failed(&e))?.map(|rows| rows as u64))
    }

    fn carry_out(&self, chunks: Chunks<'_>) -> Result<u64, RunError> {
        let there = columns(self.connection, &self.write.table).map_err(|e| self.failed(&e))?;
        match &self.write.mode {
            Mode::Replace => {
                self.clear(&there)?;
                self.insert(&self.name(), chunks)
            }
            Mode::Append { by, once } => {
                self.make_unless(&there)?;
                let rows = self.insert(&self.name(), chunks)?;
                let sql = format!(
                    "INSERT OR REPLACE INTO {WRITES} VALUES (?1, ?2, ?3, ?4, strftime('%Y-%m-%d %H:%M:%f', 'now'))"
                );
                let recorded = self.connection.execute(&sql, (&self.write.table, by, once, rows as i64));
                recorded.map_err(|e| self.failed(&e))?;
                Ok(rows)
            }
            Mode::Upsert { key } => {
                self.make_unless(&there)?;
                self.upsert(key, chunks)
            }
        }
    }

    /// Empties a table with just these columns, so that its indexes and constraints stay; makes any other anew.
    fn clear(&self, there: &[Stored]) -> Result<(), RunError> {
        if table::is_same(there, &self.write.columns, &self.write.table, DatabaseSystem::Sqlite) {
            return self.run(&format!("DELETE FROM {}", self.name())).map(drop);
        }
        if !there.is_empty() {
            let (schema, name) = split(&self.write.table);
            let sql = format!("SELECT type FROM {}.sqlite_schema WHERE name = ?1 COLLATE NOCASE", quote(&schema, '"'));
            let kind: Option<String> =
                self.connection.query_row(&sql, [&name], |r| r.get(0)).optional().map_err(|e| self.failed(&e))?;
            if kind.as_deref() == Some("view") {
                return Err(fault::not_taken(&self.write.table, "it is a view").help("write to a table"));
            }
            self.run(&format!("DROP TABLE {}", self.name()))?;
        }
        self.make()
    }

    fn make_unless(&self, there: &[Stored]) -> Result<(), RunError> {
        if there.is_empty() {
            return self.make();
        }
        table::accepts(there, &self.write.columns, &self.write.table, DatabaseSystem::Sqlite)
    }

    fn make(&self) -> Result<(), RunError> {
        let columns = self.write.declared('"', |f| types::declare(&f.dtype));
        self.run(&format!("CREATE TABLE {} ({})", self.name(), columns)).map(drop)
    }

    fn insert(&self, into: &str, chunks: Chunks<'_>) -> Result<u64, RunError> {
        let marks = vec!["?"; self.write.columns.len()].join(", ");
        let sql = format!("INSERT INTO {into} ({}) VALUES ({marks})", self.columns());
        let mut statement = self.connection.prepare(&sql).map_err(|e| self.failed(&e))?;
        let mut rows = 0;
        for chunk in chunks {
            let chunk = chunk?;
            self.write.check_keys(&chunk)?;
            self.insert_chunk(&mut statement, &chunk)?;
            rows += chunk.rows as u64;
        }
        Ok(rows)
    }

    fn insert_chunk(&self, statement: &mut Statement<'_>, chunk: &Chunk) -> Result<(), RunError> {
        for row in 0..chunk.rows {
            for (i, (field, values)) in self.write.columns.iter().zip(&chunk.columns).enumerate() {
                let value = types::stored(values, row, scale(&field.dtype)).map_err(|why| {
                    fault::not_taken(&self.write.table, &format!("column {:?} holds {why}", field.name))
                })?;
                statement.raw_bind_parameter(i + 1, value).map_err(|e| self.failed(&e))?;
            }
            statement.raw_execute().map_err(|e| self.failed(&e))?;
        }
        Ok(())
    }

    /// The rows go into a table of this connection first: they change those with their key, and the rest are added.
    fn upsert(&self, key: &[String], chunks: Chunks<'_>) -> Result<u64, RunError> {
        let (name, all) = (self.name(), self.columns());
        let keys = quoted_list(key.iter().map(String::as_str), '"');
        self.run(&format!("CREATE TEMP TABLE dbjob_rows AS SELECT {all} FROM {name} LIMIT 0"))?;
        let rows = self.insert(STAGED, chunks)?;
        let twice = format!("SELECT {keys} FROM {STAGED} GROUP BY {keys} HAVING count(*) > 1 LIMIT 1");
        let found = self.connection.query_row(&twice, [], |row| {
            (0..key.len()).map(|i| row.get_ref(i).map(types::show)).collect::<Result<Vec<_>, _>>()
        });
        if let Some(found) = found.optional().map_err(|e| self.failed(&e))? {
            return Err(self.write.twice(&found.join(", ")));
        }
        let quoted = |name: &str| quote(name, '"');
        let others: Vec<String> =
            self.write.columns.iter().map(|f| &f.name).filter(|n| !key.contains(n)).map(|n| quoted(n)).collect();
        if !others.is_empty() {
            let set: Vec<String> = others.iter().map(|c| format!("{c} = new.{c}")).collect();
            let same: Vec<String> = key.iter().map(|k| format!("old.{0} = new.{0}", quoted(k))).collect();
            self.run(&format!(
                "UPDATE {name} AS old SET {} FROM {STAGED} AS new WHERE {}",
                set.join(", "),
                same.join(" AND ")
            ))?;
        }
        let some: Vec<String> = key.iter().map(|k| format!("{} IS NOT NULL", quoted(k))).collect();
        self.run(&format!(
            "INSERT INTO {name} ({all}) SELECT {all} FROM {STAGED} WHERE ({keys}) NOT IN (SELECT {keys} FROM {name} WHERE {})",
            some.join(" AND ")
        ))?;
        self.run(&format!("DROP TABLE {STAGED}"))?;
        Ok(rows)
    }
}

fn work_failed(file: &SqliteFile, write: &Write, error: &rusqlite::Error) -> RunError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::ConstraintViolation | rusqlite::ErrorCode::TypeMismatch) => {
            let text = match error {
                rusqlite::Error::SqliteFailure(_, Some(text)) => text.clone(),
                other => other.to_string(),
            };
            fault::not_taken(&write.table, &text)
        }
        _ => failed(file, error),
    }
}
