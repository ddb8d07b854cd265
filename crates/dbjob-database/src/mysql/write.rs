//! Rows go into a table in one transaction. MySQL commits before every statement that makes, renames or drops a table, so a
//! table that is made anew is filled under another name and then gets the name in one `RENAME TABLE`, which is atomic.

use dbjob_plan::{Cancel, DatabaseSystem, RunError};
use mysql::Error;
use mysql::prelude::Queryable;

use super::{Session, describe_table, failed, text, types};
use crate::address::Server;
use crate::fault;
use crate::relation::{parts, quote, quoted_list};
use crate::table::{self, Kind, Stored};
use crate::watch::Watch;
use crate::write::{Chunks, Mode, WRITES, Write, Written};

/// The rows of an upsert, before they go into the table; of this connection alone.
const STAGED: &str = "dbjob_rows";
/// Bytes of a statement; the last row may go over it.
const STATEMENT: usize = 512 << 10;
/// Characters of the longest name.
const NAME: usize = 64;

pub(crate) struct Writer {
    server: Server,
    session: Session,
    write: Write,
    cancel: Cancel,
    _watch: Watch,
}

/// What is written to.
struct There {
    columns: Vec<Stored>,
    engine: String,
    is_view: bool,
}

impl Writer {
    pub fn open(server: &Server, write: Write, cancel: &Cancel) -> Result<Self, RunError> {
        let mut session = Session::open(server)?;
        let watch = session.watch(cancel);
        let mode = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO'";
        session.conn.query_drop(mode).map_err(|e| failed(server, &e))?;
        let mut writer = Self { server: server.clone(), session, write, cancel: cancel.clone(), _watch: watch };
        if writer.write.mode != Mode::Replace
            && let Some(there) = writer.there()?
        {
            writer.accepts(&there)?;
        }
        Ok(writer)
    }

    pub fn write(mut self, chunks: Chunks<'_>) -> Result<Written, RunError> {
        let mut first = match chunks.next() {
            Some(chunk) => Some(chunk?),
            None => None,
        };
        let mut chunks = std::iter::from_fn(|| first.take().map(Ok).or_else(|| chunks.next()));
        self.lock()?;
        // What a killed run left behind.
        let (new, old) = (self.beside(&self.other("dbjob_new_")), self.beside(&self.other("dbjob_old_")));
        self.run(&format!("DROP TABLE IF EXISTS {new}, {old}"))?;
        if let Some(rows) = self.repeated()? {
            return Ok(Written { rows, repeated: true });
        }
        let there = self.there()?;
        let rows = match (self.write.mode.clone(), there) {
            (Mode::Replace, there) => self.replace(there, &new, &old, &mut chunks)?,
            (mode, Some(there)) => {
                self.accepts(&there)?;
                self.add(&mode, &there.columns, &mut chunks)?
            }
            (mode, None) => {
                let name = self.name();
                self.make(&name)?;
                self.add(&mode, &[], &mut chunks).inspect_err(|_| self.unmake())?
            }
        };
        Ok(Written { rows, repeated: false })
    }

    fn run(&mut self, sql: &str) -> Result<(), RunError> {
        self.session.conn.query_drop(sql).map_err(|e| self.failed(&e))
    }

    fn failed(&self, error: &Error) -> RunError {
        if self.cancel.is_cancelled() {
            return fault::stopped();
        }
        match error {
            Error::MySqlError(e)
                if e.state.starts_with("22")
                    || e.state.starts_with("23")
                    || matches!(e.code, 1071 | 1265 | 1364 | 1366 | 1425 | 1426 | 3140 | 3819 | 4025) =>
            {
                fault::not_taken(&self.write.table, &self.server.redact(&e.message))
            }
            _ => failed(&self.server, error),
        }
    }

    fn name(&self) -> String {
        self.write.name('`')
    }

    fn beside(&self, name: &str) -> String {
        self.write.beside(name, '`')
    }

    /// A name for a table that stands in for a moment; a long one ends in a number made of all of it.
    fn other(&self, prefix: &str) -> String {
        let name = parts(&self.write.table).pop().unwrap_or_default();
        if prefix.len() + name.chars().count() <= NAME {
            return format!("{prefix}{name}");
        }
        let number =
            name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
        let begin: String = name.chars().take(NAME - prefix.len() - 17).collect();
        format!("{prefix}{begin}_{number:016x}")
    }

    fn columns(&self) -> String {
        self.write.names('`')
    }

    /// One run after the other writes a table. The server gives the lock back when the connection ends, however it ends.
    fn lock(&mut self) -> Result<(), RunError> {
        let sql = "SELECT GET_LOCK(CONCAT('dbjob:', MD5(CONCAT(DATABASE(), '.', ?))), 60)";
        let got: Option<Option<i64>> =
            self.session.conn.exec_first(sql, (&self.write.table,)).map_err(|e| self.failed(&e))?;
        if got.flatten() == Some(1) {
            return Ok(());
        }
        let why = format!("another run of dbjob writes table {:?} for more than 60 seconds", self.write.table);
        Err(fault::broke_off(&self.server.shown, &why).help("wait for the other run"))
    }

    fn there(&mut self) -> Result<Option<There>, RunError> {
        let Some(columns) = describe_table(&mut self.session.conn, &self.server, &self.write.table)? else {
            return Ok(None);
        };
        let mut parts = parts(&self.write.table);
        let (name, schema) = (parts.pop().unwrap_or_default(), parts.pop());
        let sql = "SELECT COALESCE(engine, ''), table_type FROM information_schema.tables \
                   WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ?";
        let row: Option<(String, String)> =
            self.session.conn.exec_first(sql, (schema, name)).map_err(|e| self.failed(&e))?;
        let (engine, kind) = row.unwrap_or_default();
        Ok(Some(There { columns, engine, is_view: kind.contains("VIEW") }))
    }

    /// Errors: E0735.
    fn accepts(&self, there: &There) -> Result<(), RunError> {
        if there.is_view {
            return Err(fault::not_taken(&self.write.table, "it is a view").help("write to a table"));
        }
        if !is_transactional(&there.engine) {
            let why = format!("its engine {} has no transactions", there.engine);
            let help = format!("ALTER TABLE {} ENGINE = InnoDB", self.name());
            return Err(fault::not_taken(&self.write.table, &why).help(help));
        }
        table::accepts(&there.columns, &self.write.columns, &self.write.table, DatabaseSystem::Mysql)
    }

    /// The rows of an append that was committed before.
    fn repeated(&mut self) -> Result<Option<u64>, RunError> {
        let Mode::Append { by, once } = self.write.mode.clone() else { return Ok(None) };
        let (writes, text) = (self.beside(WRITES), "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL");
        self.run(&format!(
            "CREATE TABLE IF NOT EXISTS {writes} (table_name VARCHAR(129) {text}, written_by VARCHAR(255) {text}, \
             write_key VARCHAR(255) {text}, row_count BIGINT NOT NULL, \
             written_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), PRIMARY KEY (table_name, written_by)) \
             ENGINE = InnoDB"
        ))?;
        let sql = format!("SELECT row_count FROM {writes} WHERE table_name = ? AND written_by = ? AND write_key = ?");
        self.session.conn.exec_first(sql, (&self.write.table, by, once)).map_err(|e| self.failed(&e))
    }

    /// A table with just these columns is kept, with its indexes, constraints and triggers; any other is made anew.
    fn replace(&mut self, there: Option<There>, new: &str, old: &str, chunks: Chunks<'_>) -> Result<u64, RunError> {
        let name = self.name();
        if let Some(there) = &there {
            if there.is_view {
                return Err(fault::not_taken(&self.write.table, "it is a view").help("write to a table"));
            }
            let same = table::is_same(&there.columns, &self.write.columns, &self.write.table, DatabaseSystem::Mysql);
            if same && is_transactional(&there.engine) {
                self.run("START TRANSACTION")?;
                self.run(&format!("DELETE FROM {name}"))?;
                let rows = self.insert(&name, &there.columns, chunks)?;
                self.run("COMMIT")?;
                return Ok(rows);
            }
            self.check_references()?;
        }
        self.make(new)?;
        let filled = self.run("START TRANSACTION").and_then(|()| self.insert(new, &[], chunks));
        let rows = filled.inspect_err(|_| drop(self.session.conn.query_drop(format!("DROP TABLE IF EXISTS {new}"))))?;
        self.run("COMMIT")?;
        match there {
            None => self.run(&format!("RENAME TABLE {new} TO {name}"))?,
            Some(_) => {
                self.run(&format!("RENAME TABLE {name} TO {old}, {new} TO {name}"))?;
                self.run(&format!("DROP TABLE {old}"))?;
            }
        }
        Ok(rows)
    }

    /// What refers to a table would go on referring to the old one.
    fn check_references(&mut self) -> Result<(), RunError> {
        let mut parts = parts(&self.write.table);
        let (name, schema) = (parts.pop().unwrap_or_default(), parts.pop());
        let sql = "SELECT CONCAT(table_schema, '.', table_name) FROM information_schema.key_column_usage \
                   WHERE referenced_table_schema = COALESCE(?, DATABASE()) AND referenced_table_name = ? LIMIT 1";
        let other: Option<String> = self.session.conn.exec_first(sql, (schema, name)).map_err(|e| self.failed(&e))?;
        match other {
            None => Ok(()),
            Some(other) => Err(fault::not_taken(&self.write.table, &format!("{other} refers to it"))
                .help("its columns are others, so it would be made anew: write the columns that it has, or drop the reference")),
        }
    }

    fn make(&mut self, name: &str) -> Result<(), RunError> {
        let columns = self.write.declared('`', |f| types::declare(&f.dtype, self.write.is_key(&f.name)));
        self.run(&format!("CREATE TABLE {name} ({}) ENGINE = InnoDB", columns))
    }

    /// Takes back a table that was made for rows which did not come; not one that others have filled.
    fn unmake(&mut self) {
        let name = self.name();
        // The connection may be gone: then an empty table stays.
        let _ = self.session.conn.query_drop("ROLLBACK");
        if let Ok(None) = self.session.conn.query_first::<i64, _>(format!("SELECT 1 FROM {name} LIMIT 1")) {
            let _ = self.session.conn.query_drop(format!("DROP TABLE {name}"));
        }
    }

    fn add(&mut self, mode: &Mode, there: &[Stored], chunks: Chunks<'_>) -> Result<u64, RunError> {
        let name = self.name();
        if let Mode::Upsert { key } = mode {
            return self.upsert(key, there, chunks);
        }
        self.run("START TRANSACTION")?;
        let rows = self.insert(&name, there, chunks)?;
        if let Mode::Append { by, once } = mode {
            let sql = format!(
                "REPLACE INTO {} (table_name, written_by, write_key, row_count) VALUES (?, ?, ?, ?)",
                self.beside(WRITES)
            );
            let recorded = self.session.conn.exec_drop(sql, (&self.write.table, by, once, rows));
            recorded.map_err(|e| self.failed(&e))?;
        }
        self.run("COMMIT")?;
        Ok(rows)
    }

    fn insert(&mut self, into: &str, there: &[Stored], chunks: Chunks<'_>) -> Result<u64, RunError> {
        let head = format!("INSERT INTO {into} ({}) VALUES ", self.columns());
        let mut rows = 0;
        let mut sql = head.clone();
        for chunk in chunks {
            let chunk = chunk?;
            self.write.check_keys(&chunk)?;
            self.write.check_digits(there, &chunk, DatabaseSystem::Mysql)?;
            for row in 0..chunk.rows {
                if sql.len() > head.len() {
                    sql.push(',');
                }
                text::row(&chunk, &self.write.columns, row, &mut sql)
                    .map_err(|why| fault::not_taken(&self.write.table, &why))?;
                if sql.len() > STATEMENT {
                    self.run(&sql)?;
                    sql.truncate(head.len());
                }
            }
            rows += chunk.rows as u64;
        }
        if sql.len() > head.len() {
            self.run(&sql)?;
        }
        Ok(rows)
    }

    /// The rows go into a table of this connection first: they change those with their key, and the rest are added.
    fn upsert(&mut self, key: &[String], there: &[Stored], chunks: Chunks<'_>) -> Result<u64, RunError> {
        let (name, all) = (self.name(), self.columns());
        let keys = quoted_list(key.iter().map(String::as_str), '`');
        let index: Vec<String> = key.iter().map(|k| indexed(k, there)).collect();
        self.run(&format!(
            "CREATE TEMPORARY TABLE {STAGED} (INDEX dbjob_key ({})) ENGINE = InnoDB SELECT {all} FROM {name} LIMIT 0",
            index.join(", ")
        ))?;
        self.run("START TRANSACTION")?;
        let rows = self.insert(STAGED, there, chunks)?;
        let twice = format!("SELECT CONCAT_WS(', ', {keys}) FROM {STAGED} GROUP BY {keys} HAVING count(*) > 1 LIMIT 1");
        if let Some(shown) = self.session.conn.query_first::<String, _>(twice).map_err(|e| self.failed(&e))? {
            return Err(self.write.twice(&shown));
        }
        let same: Vec<String> = key.iter().map(|k| format!("o.{0} = n.{0}", quote(k, '`'))).collect();
        let same = same.join(" AND ");
        let others = self.write.columns.iter().filter(|f| !key.contains(&f.name));
        let set: Vec<String> = others.map(|f| format!("o.{0} = n.{0}", quote(&f.name, '`'))).collect();
        if !set.is_empty() {
            self.run(&format!("UPDATE {name} AS o JOIN {STAGED} AS n ON {same} SET {}", set.join(", ")))?;
        }
        let news: Vec<String> = self.write.columns.iter().map(|f| format!("n.{}", quote(&f.name, '`'))).collect();
        self.run(&format!(
            "INSERT INTO {name} ({all}) SELECT {} FROM {STAGED} AS n LEFT JOIN {name} AS o ON {same} WHERE o.{} IS NULL",
            news.join(", "),
            quote(&key[0], '`')
        ))?;
        self.run("COMMIT")?;
        Ok(rows)
    }
}

/// Of a text only its beginning is in an index.
fn indexed(key: &str, there: &[Stored]) -> String {
    let quoted = quote(key, '`');
    match there.iter().find(|s| s.name.eq_ignore_ascii_case(key)) {
        Some(Stored { kind: Kind::Text, shown, .. }) if shown == "text" => format!("{quoted}(191)"),
        _ => quoted,
    }
}

fn is_transactional(engine: &str) -> bool {
    engine.eq_ignore_ascii_case("InnoDB")
}
