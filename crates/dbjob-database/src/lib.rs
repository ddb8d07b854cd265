//! Tables of PostgreSQL, MySQL, MariaDB and SQLite: read in chunks of bounded size, written in one transaction.
//!
//! [`Database::read`] gives the rows of a table or query as [`Chunk`]s of declared types; [`Database::writer`] makes a
//! [`Writer`] that takes such chunks and commits when they end. Passwords, and all of a URL that is a secret, appear in
//! no message.

mod address;
mod chunk;
mod fault;
mod json;
mod mysql;
mod postgres;
mod relation;
mod sqlite;
mod table;
mod tls;
mod watch;
mod write;

use std::path::Path;

use dbjob_plan::{Cancel, DatabaseSystem, Field, Relation, RunError};

use address::Address;
pub use chunk::Chunk;
pub use dbjob_plan::Values;
pub use write::{Mode, Write, Writer, Written};

/// A database and how to get into it. Nothing is opened before it is read from or written to.
#[derive(Debug)]
pub struct Database {
    address: Address,
}

/// Takes the chunks of a read; an error ends it.
pub type Take<'a> = &'a mut dyn FnMut(Chunk) -> Result<(), RunError>;

impl Database {
    /// `place`: the URL, or the path of an SQLite file from `base`. `secret`: how the place is spoken of if it must not be
    /// shown, such as `secret("DATABASE")`.
    ///
    /// Errors: E0736 for a URL that cannot be used.
    pub fn new(system: DatabaseSystem, place: &str, base: &Path, secret: Option<&str>) -> Result<Self, RunError> {
        Address::new(system, place, base, secret).map(|address| Self { address })
    }

    /// The columns of a table or query with the types that they are read as. A column may be null unless the database
    /// says that it is not.
    ///
    /// Errors: E0701, E0712 for an SQLite file; E0730 to E0734; E0717 for a column of a type that the language lacks.
    pub fn infer(&self, relation: &Relation) -> Result<Vec<Field>, RunError> {
        match &self.address {
            Address::Sqlite(file) => sqlite::infer(file, relation),
            Address::Postgres(server) => postgres::infer(server, relation),
            Address::Mysql(server) => mysql::infer(server, relation),
        }
    }

    /// Reads the wanted columns (their names are those of the database) of all rows, in chunks of some thousand rows and
    /// at most a few megabytes, as they were at one moment.
    ///
    /// Errors: those of [`Database::infer`]; E0704 for a value that is none of the column's type, E0705 for a column
    /// that is not there, E0717 for one of another type, E0718 when cancelled.
    pub fn read(&self, relation: &Relation, wanted: &[Field], cancel: &Cancel, take: Take<'_>) -> Result<(), RunError> {
        match &self.address {
            Address::Sqlite(file) => sqlite::read(file, relation, wanted, cancel, take),
            Address::Postgres(server) => postgres::read(server, relation, wanted, cancel, take),
            Address::Mysql(server) => mysql::read(server, relation, wanted, cancel, take),
        }
    }

    /// Connects, and finds out whether the table takes such rows. Nothing is changed yet.
    ///
    /// Errors: E0701, E0712, E0730 to E0735.
    pub fn writer(&self, write: Write, cancel: &Cancel) -> Result<Writer, RunError> {
        Writer::open(&self.address, write, cancel)
    }

    /// Where it is, for people: without the password, and without anything of a secret.
    pub fn shown(&self) -> String {
        self.address.shown().to_owned()
    }
}
