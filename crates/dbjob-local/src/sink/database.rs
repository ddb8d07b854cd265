//! Tables to databases: the query hands its batches to a thread that writes them in one transaction, which is committed when
//! all is well with the query and the run.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use dbjob_database::{Chunk, Database, Mode, Write, Writer, Written};
use dbjob_plan::{Cancel, DatabaseSystem, Field, Relation, RunError, Service, Value};
use polars::prelude::{self as pl, DataFrame, LazyFrame, PolarsError, PolarsResult};

use crate::chunks;
use crate::fault::guarded;
use crate::fetch::database::place;

/// Rows of a batch.
const BATCH: usize = 20_000;
/// Batches that wait while one is written.
const WAITING: usize = 2;

/// The database that a target of that name is, if it is one.
pub(crate) fn system(kind: &str) -> Option<DatabaseSystem> {
    [DatabaseSystem::Sqlite, DatabaseSystem::Postgres, DatabaseSystem::Mysql].into_iter().find(|s| s.word() == kind)
}

/// Whether a table that was written is not there any more. Where nobody answers it is taken to be there; rows that were
/// appended are known by the database itself.
pub(crate) fn is_gone(service: &Service, base: &Path) -> bool {
    let option = |name: &str| service.options.get(name).and_then(Value::as_str).unwrap_or_default();
    let Some(system) = system(&service.kind).filter(|_| option("mode") != "append") else { return false };
    let at = if system == DatabaseSystem::Sqlite { "path" } else { "url" };
    let look = || -> Result<(), RunError> {
        let (text, secret) = place(option(at), service.outside.get(at))?;
        let (table, hidden) = place(option("table"), service.outside.get("table"))?;
        if system == DatabaseSystem::Sqlite && !base.join(&text).exists() {
            return Err(RunError::new("E0732", "there is no file"));
        }
        let database = Database::new(system, &text, base, secret.as_deref())?;
        database.infer(&Relation::Table(hidden.unwrap_or(table))).map(drop)
    };
    look().is_err_and(|error| error.code == "E0732")
}

/// A table that is ready to be written.
pub(crate) struct Sink {
    writer: Writer,
    fields: Vec<Field>,
    /// Where it goes, for people.
    pub place: String,
}

enum Message {
    Rows(Chunk),
    /// These were all: commit.
    End,
}

impl Sink {
    /// Connects. `by` and `once`: who appends, and what this append is known by, so that it is not done twice.
    ///
    /// Errors: E0737, and those of [`Database::writer`].
    pub fn open(
        service: &Service,
        system: DatabaseSystem,
        fields: Vec<Field>,
        (by, once): (String, String),
        (base, cancel): (&Path, &Cancel),
    ) -> Result<Self, RunError> {
        let option = |name: &str| service.options.get(name).and_then(Value::as_str).unwrap_or_default();
        let at = if system == DatabaseSystem::Sqlite { "path" } else { "url" };
        let (text, secret) = place(option(at), service.outside.get(at))?;
        let (table, hidden) = place(option("table"), service.outside.get("table"))?;
        let mode = match option("mode") {
            "append" => Mode::Append { by, once },
            "upsert" => Mode::Upsert { key: keys(service) },
            _ => Mode::Replace,
        };
        let database = Database::new(system, &text, base, secret.as_deref())?;
        let place = format!("{}, table {}", database.shown(), hidden.unwrap_or_else(|| table.clone()));
        let writer = database.writer(Write { table, mode, columns: fields.clone() }, cancel)?;
        Ok(Self { writer, fields, place })
    }

    /// Runs the query and writes its rows. `settle` is asked when all rows were handed over: an error undoes the write.
    ///
    /// Errors: those of the write; `explain` gives that of the query.
    pub fn write<E: From<RunError>>(
        self,
        frame: LazyFrame,
        explain: impl FnOnce(PolarsError) -> E,
        settle: impl FnOnce() -> Result<(), E>,
    ) -> Result<Written, E> {
        let (sender, receiver) = sync_channel(WAITING);
        let refused = Arc::new(AtomicBool::new(false));
        std::thread::scope(|scope| {
            let writer = self.writer;
            let writing = scope.spawn(move || writer.write(&mut Batches { receiver, ended: false }));
            let sent = run(frame, self.fields, sender.clone(), refused.clone());
            if refused.load(Ordering::Relaxed) {
                // The write has ended before the query: it failed, or an append was done before.
                return join(writing).map_err(E::from);
            }
            let settled = sent.map_err(explain).and_then(|()| settle());
            if settled.is_ok() {
                // Nobody listens when the write has failed meanwhile; what it says comes next.
                let _ = sender.send(Message::End);
            }
            drop(sender);
            let written = join(writing);
            settled.and_then(|()| written.map_err(E::from))
        })
    }
}

fn join(writing: std::thread::ScopedJoinHandle<'_, Result<Written, RunError>>) -> Result<Written, RunError> {
    writing.join().unwrap_or_else(|_| Err(RunError::new("E0799", "the writer of a database failed")))
}

/// Hands the batches of a query over, in their order. `refused`: nobody wants more of them.
fn run(
    frame: LazyFrame,
    fields: Vec<Field>,
    sender: SyncSender<Message>,
    refused: Arc<AtomicBool>,
) -> PolarsResult<()> {
    let hand_over = move |batch: DataFrame| {
        let chunk = chunks::of(&batch, &fields)?;
        sender.send(Message::Rows(chunk)).map_err(|_| {
            refused.store(true, Ordering::Relaxed);
            PolarsError::ComputeError("the write has ended".into())
        })?;
        Ok(false)
    };
    guarded(|| {
        let query = frame.sink_batches(pl::PlanCallback::new(hand_over), true, NonZeroUsize::new(BATCH))?;
        query.collect_with_engine(pl::Engine::Streaming).map(drop)
    })
}

/// What was handed over, until it ends or breaks off.
struct Batches {
    receiver: Receiver<Message>,
    ended: bool,
}

impl Iterator for Batches {
    type Item = Result<Chunk, RunError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.receiver.recv() {
            Ok(Message::Rows(chunk)) => return Some(Ok(chunk)),
            Ok(Message::End) => self.ended = true,
            Err(_) => {
                self.ended = true;
                return Some(Err(RunError::new("E0718", "the run was stopped")));
            }
        }
        None
    }
}

fn keys(service: &Service) -> Vec<String> {
    match service.options.get("key") {
        Some(Value::List(keys)) => keys.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}
