//! Where tables come from.

use serde::{Deserialize, Serialize};

use crate::{Span, Value};

/// Where a dataset comes from. Paths are as written; an engine resolves them against the job's folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    pub format: Format,
    /// The path of a file or pattern, or the URL of a database; empty for rows in the job and for what comes from outside.
    pub path: String,
    /// The path or URL is known only where the job runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside: Option<Outside>,
    /// The header (or field) name of each column of the node's schema, in its order: `named "header"` or the column's name.
    pub columns: Vec<SourceColumn>,
    /// Columns that must not hold a value twice, as one key; verified where something relies on it.
    pub key: Vec<String>,
}

impl Source {
    /// Where its rows are, for people: a path in quotes, `env("NAME")`, the job itself.
    pub fn place(&self) -> String {
        match (&self.outside, &self.format) {
            (Some(outside), _) => outside.to_string(),
            (None, Format::Inline { .. }) => "the job itself".into(),
            _ => format!("{:?}", self.written()),
        }
    }

    /// The path or URL as it may be written down: without a password, and `secret("NAME")` for a secret.
    pub fn written(&self) -> String {
        match &self.outside {
            Some(outside) => outside.to_string(),
            None if self.format.is_file() => self.path.clone(),
            None => without_password(&self.path),
        }
    }
}

/// How the path of an object begins: `s3://bucket/key`.
pub const OBJECTS: &str = "s3://";

/// Whether a path is of an object store rather than of this machine.
pub fn in_object_store(path: &str) -> bool {
    path.starts_with(OBJECTS)
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceColumn {
    pub name: String,
    pub header: String,
    #[serde(skip)]
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    Csv(CsvOptions),
    Parquet,
    /// One JSON object a line.
    Ndjson,
    /// One JSON array of objects.
    Json,
    /// Arrow IPC, the file or the stream format.
    Arrow,
    /// Rows of the job itself: values of the node's fields, in their order.
    Inline {
        rows: Vec<Vec<Value>>,
    },
    Database(Database),
}

impl Format {
    /// Its name in the catalog.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Csv(_) => "csv",
            Self::Parquet => "parquet",
            Self::Ndjson => "ndjson",
            Self::Json => "json",
            Self::Arrow => "arrow",
            Self::Inline { .. } => "inline",
            Self::Database(database) => database.system.word(),
        }
    }

    /// Whether `path` names files.
    pub fn is_file(&self) -> bool {
        !matches!(self, Self::Inline { .. } | Self::Database(_))
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Database {
    pub system: DatabaseSystem,
    pub relation: Relation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatabaseSystem {
    Sqlite,
    Postgres,
    Mysql,
}

impl DatabaseSystem {
    pub fn word(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    Table(String),
    Query(String),
}

/// As it is called in messages.
impl std::fmt::Display for Relation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Table(table) => write!(f, "table {table:?}"),
            Self::Query(_) => f.write_str("the query"),
        }
    }
}

/// `env("NAME")` or `secret("NAME")`: a text that is known only where the job runs. A secret is never shown or stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outside {
    pub name: String,
    pub secret: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CsvOptions {
    /// One ASCII byte.
    pub delimiter: u8,
    /// One ASCII byte, `None` when cells are never quoted.
    pub quote: Option<u8>,
    pub header: bool,
    /// Texts that mean null besides the empty one.
    pub nulls: Vec<String>,
    pub encoding: Encoding,
    /// Lines to skip before the header.
    pub skip: u64,
    /// Lines that begin with it are no rows.
    pub comment: Option<String>,
    pub decimal_comma: bool,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            delimiter: b',',
            quote: Some(b'"'),
            header: true,
            nulls: Vec::new(),
            encoding: Encoding::Utf8,
            skip: 0,
            comment: None,
            decimal_comma: false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    Utf8,
    Latin1,
}

impl std::fmt::Display for Outside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}({:?})", if self.secret { "secret" } else { "env" }, self.name)
    }
}

/// A URL without the password in it; other texts as they are.
pub fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    // A password that was written with `/`, `?` or `#` in it is left out as well: the last `@` of the URL ends it.
    let (login, place) = match rest.rsplit_once('@') {
        Some((login, place)) => (Some(login.split_once(':').map_or(login, |(user, _)| user)), place),
        None => (None, rest),
    };
    let (place, query) = place.split_once('?').map_or((place, None), |(place, query)| (place, Some(query)));
    let query: Option<Vec<&str>> = query.map(|q| q.split('&').filter(|pair| !pair.starts_with("password=")).collect());
    let query =
        query.filter(|pairs| !pairs.is_empty()).map(|pairs| format!("?{}", pairs.join("&"))).unwrap_or_default();
    match login {
        Some(user) => format!("{scheme}://{user}@{place}{query}"),
        None => format!("{scheme}://{place}{query}"),
    }
}

/// Passwords in URLs as stars, in the same place: what shows or stores a text of a job shows or stores this.
pub fn passwords_as_stars(mut text: String) -> String {
    let mut from = 0;
    while let Some(at) = text[from..].find("://") {
        let begin = from + at + 3;
        let url = text[begin..].find(['"', '\n', ' ']).map_or(&text[begin..], |end| &text[begin..begin + end]);
        from = begin;
        let Some(login) = url.rfind('@') else { continue };
        let Some(user) = url[..login].find(':') else { continue };
        text.replace_range(begin + user + 1..begin + login, &"*".repeat(login - user - 1));
    }
    text
}
