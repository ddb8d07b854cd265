//! PostgreSQL: read through a portal of one read-only transaction, written with COPY.

mod read;
mod text;
mod types;
mod write;

use std::error::Error as _;

use dbjob_plan::{Cancel, Relation, RunError};
use postgres::config::SslMode;
use postgres::error::SqlState;
use postgres::{Client, Config, Error, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::address::{Encryption, Server};
use crate::relation::{missing_table, parts, quoted};
use crate::table::Stored;
use crate::watch::Watch;
use crate::{fault, relation, tls};

pub(crate) use read::{infer, read};
pub(crate) use write::Writer;

/// What a connection does alike whatever the server is set to.
const SETTINGS: &str = "SET TIME ZONE 'UTC'; SET DateStyle = ISO; SET IntervalStyle = postgres; SET lock_timeout = '60s'; \
                        SET synchronize_seqscans = off; SET client_min_messages = warning";

/// A connection, and what its encryption is, to reach the server once more.
struct Session {
    client: Client,
    tls: Option<MakeRustlsConnect>,
}

impl Session {
    /// Errors: E0730, E0731.
    fn open(server: &Server) -> Result<Self, RunError> {
        let mut config = Config::new();
        config.host(&server.host).port(server.port).dbname(&server.database).connect_timeout(server.patience);
        config.application_name("dbjob");
        config.ssl_mode(match server.encryption {
            Encryption::Disable => SslMode::Disable,
            Encryption::Prefer => SslMode::Prefer,
            _ => SslMode::Require,
        });
        if let Some(user) = &server.user {
            config.user(user);
        }
        if let Some(password) = &server.password {
            config.password(password);
        }
        if let Some(options) = &server.options {
            config.options(options);
        }
        let tls = match server.encryption {
            Encryption::Disable => None,
            _ => Some(MakeRustlsConnect::new(tls::config(server).map_err(|why| fault::unreachable(server, &why))?)),
        };
        let client = match &tls {
            Some(tls) => config.connect(tls.clone()),
            None => config.connect(NoTls),
        };
        let mut client = client.map_err(|e| failed(server, &e))?;
        client.batch_execute(SETTINGS).map_err(|e| failed(server, &e))?;
        Ok(Self { client, tls })
    }

    /// Asks the server to end what it does when the run is cancelled.
    fn watch(&self, cancel: &Cancel) -> Watch {
        let (token, tls) = (self.client.cancel_token(), self.tls.clone());
        Watch::new(cancel, move || {
            // A server that cannot be reached does nothing either.
            let _ = match &tls {
                Some(tls) => token.cancel_query(tls.clone()),
                None => token.cancel_query(NoTls),
            };
        })
    }
}

/// The columns of what is read.
///
/// Errors: E0732, E0733.
fn describe(
    client: &mut impl postgres::GenericClient,
    server: &Server,
    relation: &Relation,
) -> Result<Vec<Stored>, RunError> {
    if let Relation::Table(table) = relation
        && !exists(client, server, table)?
    {
        return Err(no_table(client, server, table));
    }
    let wrong = |e: Error| failed(server, &e);
    let statement = client.prepare(&select(relation, "*")).map_err(wrong)?;
    let types: Vec<(u32, i32)> = statement.columns().iter().map(|c| (c.type_().oid(), c.type_modifier())).collect();
    let kinds = types::kinds(client, &types).map_err(wrong)?;
    let not_null: Vec<String> = match relation {
        Relation::Query(_) => Vec::new(),
        Relation::Table(table) => {
            let sql = "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnotnull AND attnum > 0";
            let rows = client.query(sql, &[&quoted(&parts(table), '"')]).map_err(wrong)?;
            rows.iter().map(|row| row.get(0)).collect()
        }
    };
    let stored = |(column, (shown, kind)): (&postgres::Column, (String, _))| {
        let name = column.name().to_owned();
        Stored { nullable: !not_null.contains(&name), name, shown, kind }
    };
    Ok(statement.columns().iter().zip(kinds).map(stored).collect())
}

fn exists(client: &mut impl postgres::GenericClient, server: &Server, table: &str) -> Result<bool, RunError> {
    let sql = "SELECT to_regclass($1) IS NOT NULL";
    let row = client.query_one(sql, &[&quoted(&parts(table), '"')]).map_err(|e| failed(server, &e))?;
    Ok(row.get(0))
}

/// E0732 with the tables that may be read.
fn no_table(client: &mut impl postgres::GenericClient, server: &Server, table: &str) -> RunError {
    let sql = "SELECT CASE WHEN pg_table_is_visible(c.oid) THEN c.relname ELSE n.nspname || '.' || c.relname END \
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
               WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') \
               AND n.nspname NOT LIKE 'pg_toast%' AND n.nspname NOT LIKE 'pg_temp%' ORDER BY 1 LIMIT 2000";
    match client.query(sql, &[]) {
        Ok(rows) => missing_table(table, &server.shown, &rows.iter().map(|row| row.get(0)).collect::<Vec<_>>()),
        Err(error) => failed(server, &error),
    }
}

/// `SELECT` of columns of what is read.
fn select(relation: &Relation, columns: &str) -> String {
    match relation {
        Relation::Table(table) => format!("SELECT {columns} FROM {} AS r", quoted(&parts(table), '"')),
        // The line end ends a comment behind the query.
        Relation::Query(query) => format!("SELECT {columns} FROM (\n{}\n) AS r", relation::bare(query)),
    }
}

/// What PostgreSQL says, as an error of a run.
fn failed(server: &Server, error: &Error) -> RunError {
    let shown = &server.shown;
    let Some(db) = error.as_db_error() else {
        let why = reason(error);
        if error.is_closed() || why.contains("error communicating") {
            return fault::broke_off(shown, &server.redact(&why));
        }
        if why.contains("password missing") || why.contains("authentication") {
            return fault::refused(
                server,
                "it wants a password",
                "write it into the URL behind the user: `user:password@host`",
            );
        }
        return fault::unreachable(server, &why);
    };
    let why = server.redact(&said(db));
    let code = db.code();
    if *code == SqlState::INVALID_PASSWORD || *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION {
        return fault::refused(server, db.message(), "are user and password of the URL right?");
    }
    if *code == SqlState::INVALID_CATALOG_NAME {
        return fault::refused(
            server,
            db.message(),
            "is the database of the URL right? `psql -l` lists those of a server",
        );
    }
    match code.code() {
        "42501" => fault::not_allowed(shown, &why),
        "57014" => {
            fault::broke_off(shown, &why).help("the server ended the query: its `statement_timeout`, or someone else")
        }
        "55P03" => fault::broke_off(shown, "another session holds the table for more than 60 seconds")
            .help("end the other session, or wait for it"),
        code if code.starts_with("53")
            || code.starts_with("57")
            || code.starts_with("08")
            || code.starts_with("58") =>
        {
            fault::broke_off(shown, &why)
        }
        code if code.starts_with("40") => {
            fault::broke_off(shown, &why).help("another session was in the way: run again")
        }
        code if code.starts_with("22") => RunError::new("E0704", format!("{shown} cannot give a value: {why}"))
            .help("convert or leave out such values in a query: `query = \"select …\"`"),
        _ => fault::wrong_query(shown, &why),
    }
}

/// What the server said, with its hint and where in a COPY.
fn said(db: &postgres::error::DbError) -> String {
    let mut text = db.message().to_owned();
    for more in [db.detail(), db.where_(), db.hint()].into_iter().flatten() {
        text = format!("{text}; {more}");
    }
    text
}

/// The innermost words of an error.
fn reason(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let more = inner.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = inner.source();
    }
    text
}
