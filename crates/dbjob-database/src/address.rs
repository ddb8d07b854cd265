//! URLs of databases: what they say, and what of it may be shown.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dbjob_plan::{DatabaseSystem, RunError, near};
use url::Url;

/// How long a server may take to answer a connection, unless the URL says `connect_timeout`.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) enum Address {
    Sqlite(SqliteFile),
    Postgres(Server),
    Mysql(Server),
}

#[derive(Debug)]
pub(crate) struct SqliteFile {
    pub path: PathBuf,
    pub shown: String,
}

/// What a URL of a server says.
#[derive(Clone)]
pub(crate) struct Server {
    pub host: String,
    pub port: u16,
    pub user: Option<String>,
    pub password: Option<String>,
    pub database: String,
    pub encryption: Encryption,
    /// Certificates to trust instead of those of the machine.
    pub authority: Option<PathBuf>,
    pub patience: Duration,
    /// Of PostgreSQL: `options`.
    pub options: Option<String>,
    pub shown: String,
    /// Parts of the URL that no message may hold.
    hidden: Vec<String>,
}

/// What is asked of the connection, as PostgreSQL's `sslmode` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encryption {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// The password stays out.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("shown", &self.shown)
            .field("encryption", &self.encryption)
            .finish_non_exhaustive()
    }
}

impl Address {
    pub fn new(system: DatabaseSystem, place: &str, base: &Path, secret: Option<&str>) -> Result<Self, RunError> {
        if system == DatabaseSystem::Sqlite {
            let path = base.join(place);
            let shown = secret.map_or_else(|| path.display().to_string(), str::to_owned);
            return Ok(Self::Sqlite(SqliteFile { path, shown }));
        }
        let server = Server::new(system, place, base, secret)?;
        Ok(if system == DatabaseSystem::Postgres { Self::Postgres(server) } else { Self::Mysql(server) })
    }

    pub fn shown(&self) -> &str {
        match self {
            Self::Sqlite(file) => &file.shown,
            Self::Postgres(server) | Self::Mysql(server) => &server.shown,
        }
    }
}

const POSTGRES: &[&str] = &[
    "sslmode",
    "sslrootcert",
    "connect_timeout",
    "application_name",
    "options",
    "host",
    "port",
    "user",
    "password",
    "dbname",
];
const MYSQL: &[&str] = &[
    "ssl-mode",
    "ssl_mode",
    "sslmode",
    "require_ssl",
    "verify_ca",
    "verify_identity",
    "ssl-ca",
    "ssl_ca",
    "connect_timeout",
    "charset",
    "socket",
];

impl Server {
    fn new(system: DatabaseSystem, text: &str, base: &Path, secret: Option<&str>) -> Result<Self, RunError> {
        let word = system.word();
        let wrong = |what: String| {
            let name = secret.map_or_else(String::new, |s| format!(" of {s}"));
            RunError::new("E0736", format!("the URL{name} {what}"))
                .help(format!("such a URL is {word}://user:password@host:port/database; `%` and two digits stand for signs such as `@ / : #` in a password"))
        };
        let schemes: &[&str] = if word == "mysql" { &["mysql", "mariadb"] } else { &["postgres", "postgresql"] };
        let url = Url::parse(text).map_err(|e| wrong(format!("cannot be read: {e}")))?;
        if !schemes.contains(&url.scheme()) {
            return Err(wrong(format!("is none of {word}: it does not begin with {}://", schemes[0])));
        }
        let host = decoded(url.host_str().unwrap_or_default());
        let path = decoded(url.path().trim_start_matches('/'));
        let user = decoded(url.username());
        let mut server = Self {
            host: if host.is_empty() { "localhost".into() } else { host },
            port: url.port().unwrap_or(if word == "mysql" { 3306 } else { 5432 }),
            user: Some(user).filter(|u| !u.is_empty()),
            password: url.password().map(decoded),
            database: path,
            encryption: Encryption::Prefer,
            authority: None,
            patience: PATIENCE,
            options: None,
            shown: String::new(),
            hidden: Vec::new(),
        };
        let known = if word == "mysql" { MYSQL } else { POSTGRES };
        for (name, value) in url.query_pairs() {
            if !known.contains(&name.as_ref()) {
                let shown = if secret.is_some() { "an option".to_owned() } else { format!("`{name}`") };
                let error = wrong(format!("has {shown} that is not known"));
                let near = near(&name, known.iter().copied());
                return Err(if near.is_empty() || secret.is_some() {
                    error.help(format!("known are {}", known.join(", ")))
                } else {
                    error.help(format!("did you mean {}?", near.join(" or ")))
                });
            }
            server.option(&name, &value, base).map_err(|what| wrong(format!("has a wrong option: {what}")))?;
        }
        if server.host.contains(',') {
            return Err(wrong("names several hosts: one can be used".into()));
        }
        if server.user.is_none() {
            server.user = std::env::var("USER").ok().filter(|u| !u.is_empty());
        }
        if server.database.is_empty() {
            match &server.user {
                Some(user) if word == "postgres" => server.database = user.clone(),
                _ => return Err(wrong("names no database".into())),
            }
        }
        server.hide(&url, secret);
        Ok(server)
    }

    fn option(&mut self, name: &str, value: &str, base: &Path) -> Result<(), String> {
        let yes = |what: &mut Self, to: Encryption| match value {
            "true" | "1" => {
                what.encryption = what.encryption.max(to);
                Ok(())
            }
            "false" | "0" => Ok(()),
            _ => Err(format!("`{name}` is true or false")),
        };
        match name {
            "sslmode" | "ssl-mode" | "ssl_mode" => {
                self.encryption = Encryption::of(value)
                    .ok_or_else(|| format!("`{name}` is disable, prefer, require, verify-ca or verify-full"))?;
            }
            "require_ssl" => yes(self, Encryption::Require)?,
            "verify_ca" => yes(self, Encryption::VerifyCa)?,
            "verify_identity" => yes(self, Encryption::VerifyFull)?,
            "sslrootcert" | "ssl-ca" | "ssl_ca" => self.authority = Some(base.join(value)),
            "connect_timeout" => {
                let seconds: u64 = value.parse().map_err(|_| "`connect_timeout` is a number of seconds".to_owned())?;
                self.patience = if seconds == 0 { PATIENCE } else { Duration::from_secs(seconds) };
            }
            "options" => self.options = Some(value.to_owned()),
            "host" | "socket" => self.host = value.to_owned(),
            "port" => self.port = value.parse().map_err(|_| "`port` is a number".to_owned())?,
            "user" => self.user = Some(value.to_owned()),
            "password" => self.password = Some(value.to_owned()),
            "dbname" => self.database = value.to_owned(),
            "charset" if !value.eq_ignore_ascii_case("utf8mb4") => return Err("`charset` can only be utf8mb4".into()),
            _ => {}
        }
        Ok(())
    }

    fn hide(&mut self, url: &Url, secret: Option<&str>) {
        self.hidden.extend(self.password.clone().filter(|p| !p.is_empty()));
        self.hidden.extend(url.password().map(str::to_owned).filter(|p| !p.is_empty()));
        self.shown = match secret {
            Some(secret) => {
                // Short ones would be found in words that mean something else.
                let parts = [Some(&self.host), self.user.as_ref(), Some(&self.database)];
                self.hidden.extend(parts.into_iter().flatten().filter(|p| p.len() > 3).cloned());
                secret.to_owned()
            }
            None => dbjob_plan::without_password(url.as_str()),
        };
        self.hidden.sort_by_key(|part| std::cmp::Reverse(part.len()));
        self.hidden.dedup();
    }

    /// A message of the server or of a library, without what is hidden.
    pub fn redact(&self, message: &str) -> String {
        self.hidden.iter().fold(message.to_owned(), |text, part| text.replace(part.as_str(), "***"))
    }
}

impl Encryption {
    fn of(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().replace('_', "-").as_str() {
            "disable" | "disabled" => Self::Disable,
            "prefer" | "preferred" | "allow" => Self::Prefer,
            "require" | "required" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" | "verify-identity" => Self::VerifyFull,
            _ => return None,
        })
    }

    fn max(self, other: Self) -> Self {
        if (self as u8) < other as u8 { other } else { self }
    }
}

/// `%41` is `A`.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = |b: u8| char::from(b).to_digit(16);
        match (first, tail) {
            (b'%', [a, b, more @ ..]) if hex(*a).is_some() && hex(*b).is_some() => {
                bytes.push((hex(*a).unwrap_or(0) * 16 + hex(*b).unwrap_or(0)) as u8);
                rest = more;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(text: &str) -> Server {
        match Address::new(DatabaseSystem::Postgres, text, Path::new(""), None) {
            Ok(Address::Postgres(server)) => server,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_url_is_read_and_its_password_is_not_shown() {
        let s = server("postgres://bob:p%40ss@db.example:6000/shop?sslmode=verify-full&connect_timeout=3");
        assert_eq!((s.host.as_str(), s.port, s.user.as_deref()), ("db.example", 6000, Some("bob")));
        assert_eq!((s.password.as_deref(), s.database.as_str()), (Some("p@ss"), "shop"));
        assert_eq!((s.encryption, s.patience), (Encryption::VerifyFull, Duration::from_secs(3)));
        for text in [format!("{s:?}"), s.shown.clone(), s.redact("no p@ss or p%40ss here")] {
            assert!(!text.contains("p@ss") && !text.contains("p%40ss"), "{text}");
        }
        assert_eq!(s.shown, "postgres://bob@db.example:6000/shop?sslmode=verify-full&connect_timeout=3");
    }

    #[test]
    fn a_secret_shows_nothing_of_itself() {
        let text = "mysql://robert:geheim@db.example/laden";
        let address = Address::new(DatabaseSystem::Mysql, text, Path::new(""), Some("secret(\"DB\")")).unwrap();
        let Address::Mysql(server) = &address else { panic!() };
        assert_eq!(server.redact("robert geheim db.example laden"), "*** *** *** ***");
        assert!(!format!("{address:?}").contains("robert"));
        let wrong = "mysql://robert:geheim@db.example/laden?pass=geheim";
        let error = Address::new(DatabaseSystem::Mysql, wrong, Path::new(""), Some("secret(\"DB\")")).unwrap_err();
        assert!(!format!("{error:?}").contains("geheim"));
    }

    #[test]
    fn a_wrong_url_says_what_is_wrong() {
        let error = |text: &str| Address::new(DatabaseSystem::Postgres, text, Path::new(""), None).unwrap_err();
        assert!(error("postgres://h/d?sslmod=require").help.unwrap().contains("did you mean sslmode"));
        assert!(error("postgres://h/d?sslmode=maybe").message.contains("verify-full"));
        assert!(error("mysql://h/d").message.contains("none of postgres"));
        assert_eq!(error("postgres://a,b/d").code, "E0736");
    }
}
