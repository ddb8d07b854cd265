use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dbjob_plan::{Delivery, Key, MetricValue, RunError, Schema};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::contents::{Look, stamp};
use super::{history_file, unusable};

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL, file TEXT NOT NULL, started TEXT NOT NULL,
    seconds REAL, status TEXT NOT NULL, error TEXT, version TEXT NOT NULL, threads INTEGER NOT NULL,
    params TEXT NOT NULL, goal TEXT NOT NULL, story TEXT);
CREATE TABLE IF NOT EXISTS items (
    run INTEGER NOT NULL, item TEXT NOT NULL, kind TEXT NOT NULL, reused INTEGER NOT NULL, rows INTEGER,
    seconds REAL, hash TEXT, PRIMARY KEY (run, item)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rules (
    run INTEGER NOT NULL, item TEXT NOT NULL, rule TEXT NOT NULL, action TEXT NOT NULL, failed INTEGER NOT NULL, path TEXT);
CREATE TABLE IF NOT EXISTS metrics (
    run INTEGER NOT NULL, model TEXT NOT NULL, metric TEXT NOT NULL, value REAL, baseline REAL);
CREATE TABLE IF NOT EXISTS deliveries (
    place TEXT PRIMARY KEY, key TEXT NOT NULL, delivery TEXT NOT NULL, stamp TEXT);
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, changed INTEGER NOT NULL, file INTEGER NOT NULL,
    content TEXT NOT NULL, trusted INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS results (
    key TEXT PRIMARY KEY, item TEXT NOT NULL, bytes INTEGER NOT NULL, run INTEGER NOT NULL, used INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS schemas (key TEXT PRIMARY KEY, schema TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS rules_of ON rules (run);
CREATE INDEX IF NOT EXISTS metrics_of ON metrics (run);
";

/// The version of the tables; in SQLite's `user_version`.
const VERSION: i64 = 2;

/// The history of runs, in an SQLite database. Each call is a transaction: a killed process leaves whole rows.
#[derive(Debug)]
pub struct History(Mutex<Connection>);

/// How a run went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Still at work; in the history also one that was killed.
    Running,
    Ok,
    /// It reached its end, and a requirement did not hold.
    GatesFailed,
    Failed,
    Stopped,
    /// Its process was ended from outside.
    Killed,
}

impl Status {
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Ok => "ok",
            Self::GatesFailed => "gates failed",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Killed => "killed",
        }
    }

    fn of(word: &str) -> Self {
        [Self::Ok, Self::GatesFailed, Self::Failed, Self::Stopped]
            .into_iter()
            .find(|s| s.word() == word)
            .unwrap_or(Self::Running)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunRecord {
    pub id: i64,
    pub job: String,
    /// The .dbjob file.
    pub file: String,
    /// RFC 3339, UTC.
    pub started: String,
    /// `None`: it has not ended, or was killed.
    pub seconds: Option<f64>,
    pub status: Status,
    pub error: Option<String>,
    pub version: String,
    pub threads: u32,
    /// `name=value` as given on the command line.
    pub params: Vec<String>,
    pub goal: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemRecord {
    pub item: String,
    pub kind: String,
    /// The result of an earlier run served.
    pub reused: bool,
    pub rows: Option<u64>,
    pub seconds: Option<f64>,
    /// Of the result itself, where it is kept or written.
    pub hash: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleRecord {
    pub item: String,
    pub rule: String,
    pub action: String,
    pub failed: u64,
    /// The file of a quarantine.
    pub path: Option<String>,
}

impl History {
    /// Opens the database of a state directory, or makes it. One that is damaged is set aside: its name is told.
    ///
    /// Errors: E0751.
    pub fn open(state: &Path) -> Result<(Self, Option<PathBuf>), RunError> {
        let path = history_file(state);
        match Self::prepare(&path) {
            Ok(history) => Ok((history, None)),
            Err(e) if is_damage(&e) => {
                let aside = path.with_extension("damaged");
                for suffix in ["-wal", "-shm", "-journal"] {
                    let mut name = path.clone().into_os_string();
                    name.push(suffix);
                    let _ = fs::remove_file(name);
                }
                fs::rename(&path, &aside).map_err(|e| unusable(state, &e.to_string()))?;
                let history = Self::prepare(&path).map_err(|e| unusable(state, &e.to_string()))?;
                Ok((history, Some(aside)))
            }
            Err(e) => Err(unusable(state, &e.to_string())),
        }
    }

    fn prepare(path: &Path) -> rusqlite::Result<Self> {
        let db = Connection::open(path)?;
        db.busy_timeout(Duration::from_secs(10))?;
        db.pragma_update(None, "journal_mode", "wal")?;
        db.pragma_update(None, "synchronous", "normal")?;
        let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if version != VERSION {
            db.execute_batch(SCHEMA)?;
            db.pragma_update(None, "user_version", VERSION)?;
        }
        Ok(Self(Mutex::new(db)))
    }

    /// To read only; `None` where nothing has run yet or it cannot be read.
    pub fn look(state: &Path) -> Option<Self> {
        let path = history_file(state);
        if !path.exists() {
            return None;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let as_it_is = || {
            let name = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
            Connection::open_with_flags(format!("file:{name}?immutable=1"), flags)
        };
        // A database with a write-ahead log wants to write a little also to be read; where that cannot be, nobody else writes.
        let ready = |db: rusqlite::Result<Connection>| {
            let db = db.ok()?;
            db.busy_timeout(Duration::from_secs(10)).ok()?;
            let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).ok()?;
            (version == VERSION).then_some(db)
        };
        ready(Connection::open(&path)).or_else(|| ready(as_it_is())).map(|db| Self(Mutex::new(db)))
    }

    fn db(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A run that begins; its number.
    pub fn begin(&self, run: &RunRecord, story: &str) -> rusqlite::Result<i64> {
        let db = self.db();
        let mut insert = db.prepare_cached(
            "INSERT INTO runs (job, file, started, status, version, threads, params, goal, story)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?;
        insert.execute(params![
            run.job,
            run.file,
            run.started,
            Status::Running.word(),
            run.version,
            run.threads,
            json(&run.params),
            json(&run.goal),
            story
        ])?;
        Ok(db.last_insert_rowid())
    }

    /// What a run is made of, once that is known.
    pub fn tell(&self, run: i64, story: &str) -> rusqlite::Result<()> {
        self.db().execute("UPDATE runs SET story = ?2 WHERE id = ?1", params![run, story]).map(drop)
    }

    pub fn item(&self, run: i64, item: &ItemRecord) -> rusqlite::Result<()> {
        let db = self.db();
        let mut insert = db.prepare_cached(
            "INSERT OR REPLACE INTO items (run, item, kind, reused, rows, seconds, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        let ItemRecord { item, kind, reused, rows, seconds, hash } = item;
        insert.execute(params![run, item, kind, reused, rows.map(signed), seconds, hash]).map(drop)
    }

    /// The hash of an item's result that came to be known after the item.
    pub fn found(&self, run: i64, item: &str, hash: &str) -> rusqlite::Result<()> {
        self.db().execute("UPDATE items SET hash = ?3 WHERE run = ?1 AND item = ?2", params![run, item, hash]).map(drop)
    }

    pub fn rule(&self, run: i64, rule: &RuleRecord) -> rusqlite::Result<()> {
        let RuleRecord { item, rule, action, failed, path } = rule;
        let sql = "INSERT INTO rules (run, item, rule, action, failed, path) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.db().execute(sql, params![run, item, rule, action, signed(*failed), path]).map(drop)
    }

    pub fn metric(&self, run: i64, model: &str, metric: &str, value: MetricValue) -> rusqlite::Result<()> {
        let sql = "INSERT INTO metrics (run, model, metric, value, baseline) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.db().execute(sql, params![run, model, metric, value.value, value.baseline]).map(drop)
    }

    pub fn end(&self, run: i64, status: Status, seconds: f64, error: Option<&str>) -> rusqlite::Result<()> {
        let sql = "UPDATE runs SET status = ?2, seconds = ?3, error = ?4 WHERE id = ?1";
        self.db().execute(sql, params![run, status.word(), seconds, error]).map(drop)
    }

    /// The latest runs first; of one file if that is given.
    pub fn runs(&self, file: Option<&str>, limit: usize) -> rusqlite::Result<Vec<RunRecord>> {
        let db = self.db();
        let sql = format!("SELECT {RUN} FROM runs WHERE ?1 IS NULL OR file = ?1 ORDER BY id DESC LIMIT ?2");
        let mut query = db.prepare(&sql)?;
        query.query_map(params![file, signed(limit as u64)], run_of)?.collect()
    }

    pub fn run(&self, id: i64) -> rusqlite::Result<Option<RunRecord>> {
        self.db().query_row(&format!("SELECT {RUN} FROM runs WHERE id = ?1"), [id], run_of).optional()
    }

    /// What a run was made of, as JSON.
    pub fn story(&self, run: i64) -> rusqlite::Result<Option<String>> {
        let story: Option<Option<String>> =
            self.db().query_row("SELECT story FROM runs WHERE id = ?1", [run], |row| row.get(0)).optional()?;
        Ok(story.flatten())
    }

    /// In order of name.
    pub fn items(&self, run: i64) -> rusqlite::Result<Vec<ItemRecord>> {
        let db = self.db();
        let mut query = db.prepare("SELECT item, kind, reused, rows, seconds, hash FROM items WHERE run = ?1")?;
        let items = query.query_map([run], item_of)?;
        items.collect()
    }

    /// The hash of an item's result in a run or, if that reused it, where it was computed.
    pub fn last_hash(&self, file: &str, item: &str, run: i64) -> Option<String> {
        let sql = "SELECT hash FROM items i JOIN runs r ON r.id = i.run
                   WHERE r.file = ?1 AND item = ?2 AND i.run <= ?3 AND NOT reused ORDER BY run DESC LIMIT 1";
        let found: Option<Option<String>> =
            self.db().query_row(sql, params![file, item, run], |row| row.get(0)).optional().ok().flatten();
        found.flatten()
    }

    /// How an item went when it was last computed.
    pub fn last(&self, file: &str, item: &str) -> rusqlite::Result<Option<ItemRecord>> {
        let sql = "SELECT item, kind, reused, i.rows, i.seconds, hash FROM items i JOIN runs r ON r.id = i.run
                   WHERE r.file = ?1 AND item = ?2 AND NOT reused ORDER BY run DESC LIMIT 1";
        self.db().query_row(sql, params![file, item], item_of).optional()
    }

    /// The last run in which an item came to its end or was found to be there.
    pub fn last_seen(&self, file: &str, item: &str) -> rusqlite::Result<Option<i64>> {
        let sql = "SELECT i.run FROM items i JOIN runs r ON r.id = i.run
                   WHERE r.file = ?1 AND item = ?2 AND story <> '' ORDER BY i.run DESC LIMIT 1";
        self.db().query_row(sql, params![file, item], |row| row.get(0)).optional()
    }

    pub fn rules(&self, run: i64) -> rusqlite::Result<Vec<RuleRecord>> {
        let db = self.db();
        let mut query = db.prepare("SELECT item, rule, action, failed, path FROM rules WHERE run = ?1")?;
        let rules = query.query_map([run], |row| {
            let failed: i64 = row.get(3)?;
            Ok(RuleRecord {
                item: row.get(0)?,
                rule: row.get(1)?,
                action: row.get(2)?,
                failed: failed.unsigned_abs(),
                path: row.get(4)?,
            })
        })?;
        rules.collect()
    }

    /// Model, metric, value.
    pub fn metrics(&self, run: i64) -> rusqlite::Result<Vec<(String, String, Option<f64>)>> {
        let db = self.db();
        let mut query = db.prepare("SELECT model, metric, value FROM metrics WHERE run = ?1")?;
        query.query_map([run], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
    }

    pub fn deliver(&self, key: &Key, place: &str, delivery: &Delivery) -> rusqlite::Result<()> {
        let stamp = delivery.path.as_deref().and_then(stamp);
        let sql = "INSERT OR REPLACE INTO deliveries (place, key, delivery, stamp) VALUES (?1, ?2, ?3, ?4)";
        self.db().execute(sql, params![place, key.to_string(), json(delivery), stamp]).map(drop)
    }

    /// What was delivered under a key, if it is still as it was.
    pub fn delivery(&self, key: &Key) -> Option<Delivery> {
        let sql = "SELECT delivery, stamp FROM deliveries WHERE key = ?1";
        let found = self.db().query_row(sql, [key.to_string()], |row| Ok((row.get(0)?, row.get(1)?))).optional();
        let (text, was): (String, Option<String>) = found.ok().flatten()?;
        let delivery: Delivery = serde_json::from_str(&text).ok()?;
        match &delivery.path {
            Some(path) => (was.is_some() && stamp(path) == was).then_some(delivery),
            None => Some(delivery),
        }
    }

    pub(crate) fn content(&self, path: &str, look: &Look) -> Option<Key> {
        let sql = "SELECT content FROM files
                   WHERE path = ?1 AND size = ?2 AND changed = ?3 AND file = ?4 AND trusted";
        let found: Option<String> = self
            .db()
            .query_row(sql, params![path, signed(look.size), look.changed, look.file as i64], |row| row.get(0))
            .optional()
            .ok()
            .flatten();
        found.and_then(|text| Key::parse(&text))
    }

    /// `trusted`: the file has not changed so shortly before that another change would show no other time.
    pub(crate) fn learn(&self, path: &str, look: &Look, content: &Key, trusted: bool) -> rusqlite::Result<()> {
        let sql = "INSERT OR REPLACE INTO files (path, size, changed, file, content, trusted)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let file = look.file as i64;
        self.db()
            .execute(sql, params![path, signed(look.size), look.changed, file, content.to_string(), trusted])
            .map(drop)
    }

    pub(crate) fn schema(&self, key: &Key) -> Option<Schema> {
        let sql = "SELECT schema FROM schemas WHERE key = ?1";
        let text: String = self.db().query_row(sql, [key.to_string()], |row| row.get(0)).ok()?;
        serde_json::from_str(&text).ok()
    }

    pub(crate) fn learn_schema(&self, key: &Key, schema: &Schema) -> rusqlite::Result<()> {
        let sql = "INSERT OR REPLACE INTO schemas (key, schema) VALUES (?1, ?2)";
        self.db().execute(sql, params![key.to_string(), json(schema)]).map(drop)
    }

    /// A result that a run has kept or read.
    pub fn used(&self, key: &Key, item: &str, bytes: u64, run: i64) -> rusqlite::Result<()> {
        let sql = "INSERT INTO results (key, item, bytes, run, used) VALUES (?1, ?2, ?3, ?4, ?4)
                   ON CONFLICT (key) DO UPDATE SET used = excluded.used";
        self.db().execute(sql, params![key.to_string(), item, signed(bytes), run]).map(drop)
    }

    /// The number of the run that used a result last.
    pub fn last_use(&self, key: &Key) -> Option<i64> {
        let found = self.db().query_row("SELECT used FROM results WHERE key = ?1", [key.to_string()], |row| row.get(0));
        found.ok()
    }

    pub fn forget(&self, key: &Key) -> rusqlite::Result<()> {
        self.db().execute("DELETE FROM results WHERE key = ?1", [key.to_string()]).map(drop)
    }

    pub fn setting(&self, name: &str) -> Option<String> {
        self.db().query_row("SELECT value FROM settings WHERE name = ?1", [name], |row| row.get(0)).ok()
    }

    pub fn set(&self, name: &str, value: Option<&str>) -> rusqlite::Result<()> {
        match value {
            Some(value) => {
                self.db().execute("INSERT OR REPLACE INTO settings (name, value) VALUES (?1, ?2)", [name, value])
            }
            None => self.db().execute("DELETE FROM settings WHERE name = ?1", [name]),
        }
        .map(drop)
    }
}

const RUN: &str = "id, job, file, started, seconds, status, error, version, threads, params, goal";

fn run_of(row: &Row<'_>) -> rusqlite::Result<RunRecord> {
    let status: String = row.get(5)?;
    let list = |text: String| serde_json::from_str(&text).unwrap_or_default();
    Ok(RunRecord {
        id: row.get(0)?,
        job: row.get(1)?,
        file: row.get(2)?,
        started: row.get(3)?,
        seconds: row.get(4)?,
        status: Status::of(&status),
        error: row.get(6)?,
        version: row.get(7)?,
        threads: row.get(8)?,
        params: list(row.get(9)?),
        goal: list(row.get(10)?),
    })
}

fn item_of(row: &Row<'_>) -> rusqlite::Result<ItemRecord> {
    let rows: Option<i64> = row.get(3)?;
    Ok(ItemRecord {
        item: row.get(0)?,
        kind: row.get(1)?,
        reused: row.get(2)?,
        rows: rows.map(i64::unsigned_abs),
        seconds: row.get(4)?,
        hash: row.get(5)?,
    })
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("records have only string keys")
}

/// SQLite has no unsigned integers; counts of rows and bytes do not reach the difference.
fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}
