//! MySQL and MariaDB: rows are read as they come, and written by statements of many rows.

mod read;
mod text;
mod types;
mod write;

use dbjob_plan::{Cancel, Relation, RunError};
use mysql::prelude::Queryable;
use mysql::{Conn, DriverError, Error, Opts, OptsBuilder, SslOpts};

use crate::address::{Encryption, Server};
use crate::relation::{missing_table, parts, quoted};
use crate::table::Stored;
use crate::watch::Watch;
use crate::{fault, relation};

pub(crate) use read::{infer, read};
pub(crate) use write::Writer;

/// What a connection does alike whatever the server is set to.
const SETTINGS: [&str; 2] = [
    "SET NAMES utf8mb4",
    "SET SESSION time_zone = '+00:00', innodb_lock_wait_timeout = 60, lock_wait_timeout = 60, net_write_timeout = 600",
];

/// A connection, and how to reach the server once more.
struct Session {
    conn: Conn,
    opts: Opts,
}

impl Session {
    /// Errors: E0730, E0731.
    fn open(server: &Server) -> Result<Self, RunError> {
        let opts = options(server);
        let (conn, opts) = match (Conn::new(opts.clone()), server.encryption) {
            (Err(Error::DriverError(DriverError::TlsNotSupported)), Encryption::Prefer) => {
                let plain: Opts = OptsBuilder::from_opts(opts).ssl_opts(None::<SslOpts>).into();
                (Conn::new(plain.clone()), plain)
            }
            (conn, _) => (conn, opts),
        };
        let conn = conn.map_err(|e| match failed(server, &e) {
            // Nothing was begun that could break off.
            error if error.code == "E0734" => fault::unreachable(server, &e.to_string()),
            error => error,
        })?;
        Ok(Self { conn, opts })
    }

    /// Ends what the server does for this connection, by another one.
    fn interrupt(&self) -> impl Fn() + Send + 'static + use<> {
        let (id, opts) = (self.conn.connection_id(), self.opts.clone());
        move || {
            if let Ok(mut other) = Conn::new(opts.clone()) {
                // It may have ended by itself.
                let _ = other.query_drop(format!("KILL QUERY {id}"));
            }
        }
    }

    fn watch(&self, cancel: &Cancel) -> Watch {
        Watch::new(cancel, self.interrupt())
    }
}

fn options(server: &Server) -> Opts {
    let socket = server.host.starts_with('/').then(|| server.host.clone());
    let builder = OptsBuilder::new()
        .ip_or_hostname(Some(if socket.is_some() { "localhost" } else { &server.host }))
        .tcp_port(server.port)
        .prefer_socket(socket.is_some())
        .socket(socket)
        .user(server.user.clone())
        .pass(server.password.clone())
        .db_name(Some(&server.database))
        .tcp_connect_timeout(Some(server.patience))
        .init(SETTINGS.to_vec());
    let tls = SslOpts::default().with_root_cert_path(server.authority.clone());
    builder
        .ssl_opts(match server.encryption {
            Encryption::Disable => None,
            Encryption::Prefer | Encryption::Require => Some(tls.with_danger_accept_invalid_certs(true)),
            Encryption::VerifyCa => Some(tls.with_danger_skip_domain_validation(true)),
            Encryption::VerifyFull => Some(tls),
        })
        .into()
}

/// The columns of what is read.
///
/// Errors: E0732, E0733.
fn describe(conn: &mut Conn, server: &Server, relation: &Relation) -> Result<Vec<Stored>, RunError> {
    match conn.prep(select(relation, "*")) {
        Ok(statement) => {
            let stored = statement.columns().iter().map(types::stored).collect();
            // The server keeps it otherwise until the connection ends.
            conn.close(statement).map_err(|e| failed(server, &e))?;
            Ok(stored)
        }
        Err(error) => Err(match (relation, &error) {
            (Relation::Table(table), Error::MySqlError(e)) if e.code == 1146 => no_table(conn, server, table),
            _ => failed(server, &error),
        }),
    }
}

/// `None`: there is no such table.
fn describe_table(conn: &mut Conn, server: &Server, table: &str) -> Result<Option<Vec<Stored>>, RunError> {
    match describe(conn, server, &Relation::Table(table.to_owned())) {
        Ok(stored) => Ok(Some(stored)),
        Err(error) if error.code == "E0732" => Ok(None),
        Err(error) => Err(error),
    }
}

fn no_table(conn: &mut Conn, server: &Server, table: &str) -> RunError {
    let sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY 1 LIMIT 2000";
    match conn.query::<String, _>(sql) {
        Ok(names) => missing_table(table, &server.shown, &names),
        Err(error) => failed(server, &error),
    }
}

/// A query runs as it is: in another one MariaDB would not keep its order.
fn select(relation: &Relation, columns: &str) -> String {
    match relation {
        Relation::Table(table) => format!("SELECT {columns} FROM {}", quoted(&parts(table), '`')),
        Relation::Query(query) => relation::bare(query).to_owned(),
    }
}

/// What the server says, as an error of a run.
fn failed(server: &Server, error: &Error) -> RunError {
    let shown = &server.shown;
    match error {
        Error::MySqlError(e) => {
            let why = server.redact(&e.message);
            match e.code {
                1045 | 1698 | 1251 | 1130 => fault::refused(server, &why, "are user and password of the URL right?"),
                1044 | 1049 => {
                    fault::refused(server, &why, "is the database of the URL right, and may this user use it?")
                }
                1142 | 1143 | 1227 | 1370 => fault::not_allowed(shown, &why),
                1205 => fault::broke_off(shown, "another session holds the table for more than 60 seconds")
                    .help("end the other session, or wait for it"),
                1213 => fault::broke_off(shown, &why).help("another session was in the way: run again"),
                1021 | 1040 | 1041 | 1053 | 1077..=1081 | 1152..=1161 | 1317 | 1927 | 1969 | 3024 => {
                    fault::broke_off(shown, &why)
                }
                _ => fault::wrong_query(shown, &why),
            }
        }
        Error::DriverError(DriverError::PacketTooLarge) => {
            fault::broke_off(shown, "a row is larger than its `max_allowed_packet`").help("enlarge it on the server")
        }
        Error::DriverError(
            e @ (DriverError::CouldNotConnect(_) | DriverError::ConnectTimeout | DriverError::Timeout),
        ) => fault::unreachable(server, &e.to_string()),
        Error::DriverError(e @ (DriverError::TlsNotSupported | DriverError::SetupError)) => {
            fault::unreachable(server, &format!("TLS: {e}"))
        }
        Error::TlsError(e) => fault::unreachable(server, &format!("TLS: {e}")),
        other => fault::broke_off(shown, &server.redact(&other.to_string())),
    }
}
