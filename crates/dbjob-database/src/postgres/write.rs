//! Everything is one transaction, the making and renaming of tables too.

use std::io::Write as _;

use dbjob_plan::{Cancel, DatabaseSystem, Relation, RunError};
use postgres::Error;

use super::{Session, describe, exists, failed, said, text, types};
use crate::address::Server;
use crate::chunk::Chunk;
use crate::fault;
use crate::relation::{parts, quote, quoted_list};
use crate::table::{self, Stored};
use crate::watch::Watch;
use crate::write::{Chunks, Mode, WRITES, Write, Written};

/// The rows of an upsert, before they go into the table.
const STAGED: &str = "pg_temp.dbjob_rows";
/// The table that takes the place of another; in the same transaction it gets its name.
const NEW: &str = "dbjob_new";

pub(crate) struct Writer {
    server: Server,
    session: Session,
    write: Write,
    cancel: Cancel,
    _watch: Watch,
}

impl Writer {
    pub fn open(server: &Server, write: Write, cancel: &Cancel) -> Result<Self, RunError> {
        let mut session = Session::open(server)?;
        let watch = session.watch(cancel);
        if write.mode != Mode::Replace && exists(&mut session.client, server, &write.table)? {
            let there = describe(&mut session.client, server, &Relation::Table(write.table.clone()))?;
            table::accepts(&there, &write.columns, &write.table, DatabaseSystem::Postgres)?;
        }
        Ok(Self { server: server.clone(), session, write, cancel: cancel.clone(), _watch: watch })
    }

    pub fn write(mut self, chunks: Chunks<'_>) -> Result<Written, RunError> {
        let mut first = match chunks.next() {
            Some(chunk) => Some(chunk?),
            None => None,
        };
        self.run("BEGIN")?;
        // Any error drops the connection, and the server undoes what it has of the transaction.
        if let Some(rows) = self.repeated()? {
            return Ok(Written { rows, repeated: true });
        }
        let rows = self.carry_out(&mut std::iter::from_fn(|| first.take().map(Ok).or_else(|| chunks.next())))?;
        self.run("COMMIT")?;
        Ok(Written { rows, repeated: false })
    }

    fn run(&mut self, sql: &str) -> Result<(), RunError> {
        self.session.client.batch_execute(sql).map_err(|e| self.failed(&e))
    }

    fn failed(&self, error: &Error) -> RunError {
        if self.cancel.is_cancelled() {
            return fault::stopped();
        }
        match error.as_db_error() {
            Some(db) if db.code().code().starts_with("22") || db.code().code().starts_with("23") => {
                fault::not_taken(&self.write.table, &self.server.redact(&said(db)))
            }
            Some(db) if db.code().code() == "2BP01" => fault::not_taken(&self.write.table, &self.server.redact(&said(db)))
                .help("its columns are others, so it would be made anew: write the columns that it has, or drop what depends on it"),
            _ => failed(&self.server, error),
        }
    }

    fn name(&self) -> String {
        self.write.name('"')
    }

    fn beside(&self, name: &str) -> String {
        self.write.beside(name, '"')
    }

    fn columns(&self) -> String {
        self.write.names('"')
    }

    /// The rows of an append that was committed before.
    fn repeated(&mut self) -> Result<Option<u64>, RunError> {
        let Mode::Append { by, once } = self.write.mode.clone() else { return Ok(None) };
        let writes = self.beside(WRITES);
        // Two that make it at once would be in each other's way.
        self.run(&format!(
            "SELECT pg_advisory_xact_lock(7303014, 1); CREATE TABLE IF NOT EXISTS {writes} (table_name text NOT NULL, \
             written_by text NOT NULL, write_key text NOT NULL, row_count bigint NOT NULL, \
             written_at timestamp with time zone NOT NULL DEFAULT now(), PRIMARY KEY (table_name, written_by))"
        ))?;
        let sql =
            format!("SELECT row_count FROM {writes} WHERE table_name = $1 AND written_by = $2 AND write_key = $3");
        let row = self.session.client.query_opt(&sql, &[&self.write.table, &by, &once]).map_err(|e| self.failed(&e))?;
        Ok(row.map(|row| row.get::<_, i64>(0) as u64))
    }

    fn there(&mut self) -> Result<Vec<Stored>, RunError> {
        if !exists(&mut self.session.client, &self.server, &self.write.table)? {
            return Ok(Vec::new());
        }
        // Other writers wait; readers do not notice.
        self.run(&format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", self.name()))?;
        describe(&mut self.session.client, &self.server, &Relation::Table(self.write.table.clone()))
    }

    fn carry_out(&mut self, chunks: Chunks<'_>) -> Result<u64, RunError> {
        let name = self.name();
        match self.write.mode.clone() {
            Mode::Replace => self.replace(chunks),
            Mode::Append { by, once } => {
                let there = self.make_unless()?;
                let rows = self.copy(&name, &there, chunks)?;
                let sql = format!(
                    "INSERT INTO {} (table_name, written_by, write_key, row_count) VALUES ($1, $2, $3, $4) \
                     ON CONFLICT (table_name, written_by) DO UPDATE SET write_key = $3, row_count = $4, written_at = now()",
                    self.beside(WRITES)
                );
                let recorded = self.session.client.execute(&sql, &[&self.write.table, &by, &once, &(rows as i64)]);
                recorded.map_err(|e| self.failed(&e))?;
                Ok(rows)
            }
            Mode::Upsert { key } => {
                let there = self.make_unless()?;
                self.upsert(&key, &there, chunks)
            }
        }
    }

    /// A table with just these columns is kept, with its indexes, constraints, views and grants; any other is made anew.
    fn replace(&mut self, chunks: Chunks<'_>) -> Result<u64, RunError> {
        let name = self.name();
        let kind = "SELECT relkind::text FROM pg_class WHERE oid = to_regclass($1)";
        let kind = self.session.client.query_opt(kind, &[&name]).map_err(|e| self.failed(&e))?;
        let kind: Option<String> = kind.map(|row| row.get(0));
        if let Some("v" | "m" | "f") = kind.as_deref() {
            return Err(fault::not_taken(&self.write.table, "it is a view or a foreign table").help("write to a table"));
        }
        let there = self.there()?;
        if there.is_empty() && kind.is_none() {
            self.make(&name)?;
            return self.copy(&name, &[], chunks);
        }
        if table::is_same(&there, &self.write.columns, &self.write.table, DatabaseSystem::Postgres) {
            self.run(&format!("DELETE FROM {name}"))?;
            return self.copy(&name, &there, chunks);
        }
        let new = self.beside(NEW);
        self.make(&new)?;
        let rows = self.copy(&new, &[], chunks)?;
        let last = parts(&self.write.table).pop().unwrap_or_default();
        self.run(&format!("DROP TABLE {name}; ALTER TABLE {new} RENAME TO {}", quote(&last, '"')))?;
        Ok(rows)
    }

    /// The columns that the table has, if it is not made now.
    fn make_unless(&mut self) -> Result<Vec<Stored>, RunError> {
        if !exists(&mut self.session.client, &self.server, &self.write.table)? {
            let name = self.name();
            return self.make(&name).map(|()| Vec::new());
        }
        let there = self.there()?;
        table::accepts(&there, &self.write.columns, &self.write.table, DatabaseSystem::Postgres)?;
        Ok(there)
    }

    fn make(&mut self, name: &str) -> Result<(), RunError> {
        let columns = self.write.declared('"', |f| types::declare(&f.dtype));
        self.run(&format!("CREATE TABLE {name} ({})", columns))
    }

    fn copy(&mut self, into: &str, there: &[Stored], chunks: Chunks<'_>) -> Result<u64, RunError> {
        let sql = format!("COPY {into} ({}) FROM STDIN", self.columns());
        let mut rows = 0;
        let copied = || -> Result<(), Stop> {
            let mut writer = self.session.client.copy_in(&sql).map_err(Stop::Database)?;
            let mut lines = String::new();
            for chunk in chunks {
                let chunk: Chunk = chunk.map_err(Stop::Run)?;
                self.write.check_keys(&chunk).map_err(Stop::Run)?;
                self.write.check_digits(there, &chunk, DatabaseSystem::Postgres).map_err(Stop::Run)?;
                lines.clear();
                text::lines(&chunk, &self.write.columns, &mut lines);
                writer.write_all(lines.as_bytes()).map_err(Stop::Sent)?;
                rows += chunk.rows as u64;
            }
            writer.finish().map(drop).map_err(Stop::Database)
        };
        match copied() {
            Ok(()) => Ok(rows),
            Err(Stop::Run(error)) => Err(error),
            Err(Stop::Database(error)) => Err(self.failed(&error)),
            Err(Stop::Sent(error)) => Err(match error.get_ref().and_then(|e| e.downcast_ref::<Error>()) {
                Some(error) => self.failed(error),
                None => fault::broke_off(&self.server.shown, &self.server.redact(&error.to_string())),
            }),
        }
    }

    /// The rows go into a table of this connection first: they change those with their key, and the rest are added.
    fn upsert(&mut self, key: &[String], there: &[Stored], chunks: Chunks<'_>) -> Result<u64, RunError> {
        let (name, all) = (self.name(), self.columns());
        let keys = quoted_list(key.iter().map(String::as_str), '"');
        self.run(&format!("CREATE TEMP TABLE dbjob_rows ON COMMIT DROP AS SELECT {all} FROM {name} WITH NO DATA"))?;
        let rows = self.copy(STAGED, there, chunks)?;
        self.run(&format!("ANALYZE {STAGED}"))?;
        let shown: Vec<String> = key.iter().map(|k| format!("{}::text", quote(k, '"'))).collect();
        let twice = format!(
            "SELECT concat_ws(', ', {}) FROM {STAGED} GROUP BY {keys} HAVING count(*) > 1 LIMIT 1",
            shown.join(", ")
        );
        if let Some(row) = self.session.client.query_opt(&twice, &[]).map_err(|e| self.failed(&e))? {
            return Err(self.write.twice(row.get(0)));
        }
        let same: Vec<String> = key.iter().map(|k| format!("old.{0} = new.{0}", quote(k, '"'))).collect();
        let same = same.join(" AND ");
        let others = self.write.columns.iter().filter(|f| !key.contains(&f.name));
        let set: Vec<String> = others.map(|f| format!("{0} = new.{0}", quote(&f.name, '"'))).collect();
        if !set.is_empty() {
            self.run(&format!("UPDATE {name} AS old SET {} FROM {STAGED} AS new WHERE {same}", set.join(", ")))?;
        }
        self.run(&format!(
            "INSERT INTO {name} ({all}) SELECT {all} FROM {STAGED} AS new \
             WHERE NOT EXISTS (SELECT 1 FROM {name} AS old WHERE {same})"
        ))?;
        Ok(rows)
    }
}

/// Why a COPY ended.
enum Stop {
    Run(RunError),
    Database(Error),
    /// While rows were sent.
    Sent(std::io::Error),
}
