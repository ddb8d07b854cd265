//! The source of a dataset: its format and its path or URL.

use std::collections::BTreeMap;

use dbjob_plan::{CsvOptions, Database, DatabaseSystem, Encoding, Format, OBJECTS, Outside, Relation, Value};

use super::check::Context;
use super::options::{self, Given};
use crate::catalog::{source as catalog, words};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, SourceExpr};

pub(super) struct Found {
    pub format: Format,
    pub path: String,
    /// Only a run knows the path.
    pub later: bool,
    pub outside: Option<Outside>,
}

/// `None`: what is wrong was told.
pub(super) fn find(source: &SourceExpr, cx: &mut Context<'_>) -> Option<Found> {
    let call = match source {
        SourceExpr::Call(call) => call,
        SourceExpr::Inline { .. } => {
            let format = Format::Inline { rows: Vec::new() };
            return Some(Found { format, path: String::new(), later: false, outside: None });
        }
        SourceExpr::Name(name) => {
            let diagnostic = Diagnostic::error(Code::E0107, name.span, "a dataset comes from a source")
                .label("not a source")
                .help(format!(
                    "write `from csv(\"path.csv\")`; a table made from another is a transform: `transform … from {}`",
                    name.name
                ));
            cx.out.push(diagnostic);
            return None;
        }
    };
    let name = call.name.name.as_str();
    let system = match name {
        "sqlite" => Some(DatabaseSystem::Sqlite),
        "postgres" => Some(DatabaseSystem::Postgres),
        "mysql" => Some(DatabaseSystem::Mysql),
        _ => None,
    };
    if words::find(words::SOURCES, name).is_none() {
        let diagnostic = Diagnostic::error(Code::E0101, call.name.span, format!("there is no source `{name}`"))
            .label("unknown source");
        let built: Vec<_> = words::SOURCES.iter().filter(|w| w.built).map(|w| w.name).collect();
        cx.out.push(
            diagnostic
                .help(format!("the sources are {}", built.join(", ")))
                .near(name, words::SOURCES.iter().map(|w| w.name)),
        );
        return None;
    }
    let (place, example) = match system {
        Some(DatabaseSystem::Sqlite) => ("path", "write sqlite(\"shop.db\", table = \"orders\")".to_owned()),
        Some(_) => ("url", format!("write {name}(secret(\"DATABASE\"), table = \"orders\")")),
        None if name == "inline" => ("path", "write `inline [ { a: 1 }, { a: 2 } ]`".to_owned()),
        None => ("path", format!("write {name}(\"data/file.{name}\")")),
    };
    let (first, rest): (Vec<_>, Vec<_>) =
        call.args.iter().enumerate().partition(|(i, arg)| arg.name.as_ref().map_or(*i == 0, |n| n.name == place));
    let Some((_, first)) = first.first().filter(|_| name != "inline") else {
        let diagnostic = Diagnostic::error(Code::E0108, call.span, format!("`{name}` needs {}", article(place)))
            .label(format!("no {place}"))
            .help(example);
        cx.out.push(diagnostic);
        return None;
    };
    let path = match system {
        Some(DatabaseSystem::Postgres | DatabaseSystem::Mysql) => cx.place(&first.value, "a URL", &example)?,
        _ => cx.path(&first.value, &example)?,
    };
    if let (Some(system @ (DatabaseSystem::Postgres | DatabaseSystem::Mysql)), None, false) =
        (system, &path.outside, path.later)
    {
        url(system, &path.text, &first.value, cx)?;
    }
    if system.is_none() && !path.later {
        object(&path.text, &first.value, cx)?;
    }
    let given: Vec<Given<'_>> =
        rest.iter().map(|(_, arg)| Given { name: arg.name.as_ref(), value: &arg.value }).collect();
    if let Some(extra) = given.iter().find(|g| g.name.is_none()) {
        let diagnostic = Diagnostic::error(Code::E0104, extra.value.span, format!("`{name}` takes one {place}"))
            .label("a second one");
        cx.out.push(match system {
            Some(_) => diagnostic.help(example),
            None => diagnostic.help("options are written `name = value`; a path may be a glob: \"data/*.csv\""),
        });
        return None;
    }
    // `encoding` is a text with its usual names.
    let (encoding, given): (Vec<_>, Vec<_>) =
        given.into_iter().partition(|g| name == "csv" && g.name.is_some_and(|n| n.name == "encoding"));
    let values = options::resolve(&format!("`{name}`"), call.name.span, catalog::options(name), &given, &mut cx.out)?;
    let format = match (name, system) {
        (_, Some(system)) => Format::Database(Database { system, relation: relation(name, &values, call, cx)? }),
        ("csv", _) => {
            let mut csv = csv_options(&values, call, cx)?;
            if let Some(given) = encoding.first() {
                csv.encoding = encoding_of(given.value, cx)?;
            }
            Format::Csv(csv)
        }
        ("parquet", _) => Format::Parquet,
        ("json", _) => Format::Json,
        ("arrow", _) => Format::Arrow,
        _ => Format::Ndjson,
    };
    Some(Found { format, path: path.text, later: path.later, outside: path.outside })
}

fn article(place: &str) -> &'static str {
    if place == "url" { "a URL" } else { "a path" }
}

/// `postgres://…`, `mysql://…`
pub(super) fn url(system: DatabaseSystem, text: &str, value: &ast::Expr, cx: &mut Context<'_>) -> Option<()> {
    let schemes: &[&str] = match system {
        DatabaseSystem::Postgres => &["postgres://", "postgresql://"],
        _ => &["mysql://", "mariadb://"],
    };
    if schemes.iter().any(|scheme| text.starts_with(scheme)) {
        return Some(());
    }
    let diagnostic = Diagnostic::error(Code::E0105, value.span, format!("a URL of {} begins otherwise", system.word()))
        .label("not such a URL")
        .help(format!("write \"{}user@host/database\", or secret(\"NAME\") with a password in it", schemes[0]));
    cx.out.push(diagnostic);
    None
}

/// `s3://bucket/key`, if it begins so.
pub(super) fn object(text: &str, value: &ast::Expr, cx: &mut Context<'_>) -> Option<()> {
    let Some(place) = text.strip_prefix(OBJECTS) else { return Some(()) };
    if place.split_once('/').is_some_and(|(bucket, key)| !bucket.is_empty() && !key.is_empty()) {
        return Some(());
    }
    let diagnostic = Diagnostic::error(Code::E0105, value.span, "this names no object of a store")
        .label("a bucket and a key are needed")
        .help("write \"s3://bucket/key\"; of a source also \"s3://bucket/folder/*.csv\"");
    cx.out.push(diagnostic);
    None
}

/// The table or the query: one of them.
fn relation(name: &str, values: &BTreeMap<String, Value>, call: &ast::Call, cx: &mut Context<'_>) -> Option<Relation> {
    let text = |option: &str| values.get(option).and_then(Value::as_str).map(str::to_owned);
    let (code, message) = match (text("table"), text("query")) {
        (Some(table), None) if !table.is_empty() => return Some(Relation::Table(table)),
        (None, Some(query)) if !query.trim().is_empty() => return Some(Relation::Query(query)),
        (Some(_), Some(_)) => (Code::E0104, format!("`{name}` reads a table or a query, not both")),
        (None, None) => (Code::E0108, format!("`{name}` needs a table or a query")),
        _ => (Code::E0105, format!("`{name}` cannot read what has no name")),
    };
    let diagnostic = Diagnostic::error(code, call.span, message)
        .label("which rows?")
        .help("write `table = \"orders\"` or `query = \"select …\"`");
    cx.out.push(diagnostic);
    None
}

fn encoding_of(value: &ast::Expr, cx: &mut Context<'_>) -> Option<Encoding> {
    let text = match (options::constant(value), options::word(value)) {
        (Some(Value::String(text)), _) => text.to_lowercase(),
        (None, Some(word)) => word.to_lowercase(),
        _ => String::new(),
    };
    match text.replace(['-', '_', ' '], "").as_str() {
        "utf8" => Some(Encoding::Utf8),
        "latin1" | "iso88591" => Some(Encoding::Latin1),
        _ => {
            let what = options::describe(value);
            let diagnostic = Diagnostic::error(
                Code::E0105,
                value.span,
                format!("`encoding` takes \"utf-8\" or \"latin-1\", not {what}"),
            )
            .label("unknown encoding")
            .help("write `encoding = \"latin-1\"`, or leave it out for UTF-8");
            cx.out.push(diagnostic);
            None
        }
    }
}

fn csv_options(
    values: &std::collections::BTreeMap<String, Value>,
    call: &ast::Call,
    cx: &mut Context<'_>,
) -> Option<CsvOptions> {
    let byte = |name: &str| values[name].as_str().and_then(|s| s.bytes().next());
    let Some(delimiter) = byte("delimiter") else {
        cx.out.push(
            Diagnostic::error(Code::E0105, call.span, "the delimiter is empty")
                .label("here")
                .help("write delimiter = \";\""),
        );
        return None;
    };
    let quote = byte("quote");
    if quote == Some(delimiter) {
        cx.out.push(Diagnostic::error(Code::E0105, call.span, "quote and delimiter are the same").label("here"));
        return None;
    }
    let decimal_comma = values["decimal_comma"] == Value::Bool(true);
    if decimal_comma && delimiter == b',' {
        let diagnostic =
            Diagnostic::error(Code::E0105, call.span, "with a decimal comma, cells cannot be separated by commas")
                .label("here")
                .help("say what separates them: delimiter = \";\"");
        cx.out.push(diagnostic);
        return None;
    }
    let nulls = match &values["nulls"] {
        Value::List(items) => items.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    };
    Some(CsvOptions {
        delimiter,
        quote,
        header: values["header"] != Value::Bool(false),
        nulls,
        encoding: Encoding::Utf8,
        skip: values["skip"].as_i64().unwrap_or(0) as u64,
        comment: values["comment"].as_str().filter(|c| !c.is_empty()).map(str::to_owned),
        decimal_comma,
    })
}
