//! What databases refuse, in the words of dbjob.

use dbjob_plan::RunError;

use crate::address::Server;

/// E0730: nobody answers there, or not as a database does.
pub(crate) fn unreachable(server: &Server, why: &str) -> RunError {
    let why = server.redact(why);
    let error = RunError::new("E0730", format!("cannot reach {}: {why}", server.shown));
    let lower = why.to_lowercase();
    error.help(if lower.contains("refused") {
        "nothing listens there: is the server running, and are host and port right?"
    } else if lower.contains("lookup") || lower.contains("resolve") || lower.contains("not known") {
        "no machine has that name: is the host right?"
    } else if lower.contains("timed out") || lower.contains("timeout") {
        "no answer in time: is the host right, and is there a firewall between? `connect_timeout` in the URL gives more seconds"
    } else if lower.contains("tls") || lower.contains("ssl") || lower.contains("certificate") {
        "`sslmode` in the URL says how the connection is encrypted: disable, prefer, require, verify-ca or verify-full; `sslrootcert` names a certificate to trust"
    } else {
        "is the server running, and are host and port right?"
    })
}

/// E0731: it answers, and does not let us in.
pub(crate) fn refused(server: &Server, why: &str, help: &str) -> RunError {
    RunError::new("E0731", format!("{} refuses the login: {}", server.shown, server.redact(why))).help(help)
}

/// E0733: it does not carry out what is asked.
pub(crate) fn wrong_query(place: &str, why: &str) -> RunError {
    RunError::new("E0733", format!("{place} refuses the query: {}", one_line(why)))
        .help("try the query in a client of the database; one SELECT is read, without `;`")
}

pub(crate) fn not_allowed(place: &str, why: &str) -> RunError {
    RunError::new("E0733", format!("{place} does not allow it: {}", one_line(why)))
        .help("the user of the URL needs the right to do this: GRANT it, or use another user")
}

/// E0734: it broke off.
pub(crate) fn broke_off(place: &str, why: &str) -> RunError {
    RunError::new("E0734", format!("{place} broke off: {}", one_line(why)))
        .help("what was written until then is undone by the database; run again once it is there")
}

/// E0735: the rows do not go into the table.
pub(crate) fn not_taken(table: &str, why: &str) -> RunError {
    RunError::new("E0735", format!("table {table:?} does not take the rows: {}", one_line(why)))
        .help("nothing was written; look at the constraints of the table")
}

/// E0718
pub(crate) fn stopped() -> RunError {
    RunError::new("E0718", "the run was stopped")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
