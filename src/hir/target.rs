//! The targets of a deployment: `to parquet("out.parquet")`, `to postgres(secret("DB"), table = "scores")`.

use std::collections::BTreeMap;

use dbjob_plan::{DatabaseSystem, Folder, Outside, Service, Span, TableFormat, Target, Value};

use super::check::Context;
use super::expr::unknown_column;
use super::options::{self, Given};
use super::source::{object, url};
use crate::catalog::sink::{self, MODES, Sink, Takes};
use crate::catalog::words;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{Arg, Call, Expr, ExprKind, Ident};

/// What goes there.
pub(super) struct Deployed<'a> {
    pub name: &'a Ident,
    pub is_model: bool,
    /// Where it is declared.
    pub declared: Span,
    /// The name of the table, if it is one.
    pub table: &'a str,
}

/// `None`: what is wrong was told.
pub(super) fn check(call: &Call, what: &Deployed<'_>, cx: &mut Context<'_>) -> Option<Target> {
    let name = call.name.name.as_str();
    let Some(sink) = sink::find(name) else {
        let built: Vec<_> = words::SINKS.iter().filter(|w| w.built).map(|w| w.name).collect();
        let diagnostic = Diagnostic::error(Code::E0101, call.name.span, format!("there is no target `{name}`"))
            .label("unknown target")
            .help(format!("the targets are {}", built.join(", ")))
            .near(name, words::SINKS.iter().map(|w| w.name));
        cx.out.push(diagnostic);
        return None;
    };
    fits(sink, call, what, cx)?;
    let (place, rest): (Vec<_>, Vec<_>) =
        call.args.iter().enumerate().partition(|(i, arg)| arg.name.as_ref().map_or(*i == 0, |n| n.name == sink.place));
    let Some((_, place)) = place.first() else {
        let a = if sink.place == "address" { "an address".into() } else { format!("a {}", sink.place) };
        let diagnostic = Diagnostic::error(Code::E0108, call.span, format!("`{name}` needs {a}"))
            .label(format!("no {}", sink.place))
            .help(format!("write `{}`", sink.example));
        cx.out.push(diagnostic);
        return None;
    };
    let rest: Vec<&Arg> = rest.into_iter().map(|(_, arg)| arg).collect();
    if let Some(extra) = rest.iter().find(|arg| arg.name.is_none()) {
        let diagnostic = Diagnostic::error(Code::E0104, extra.value.span, format!("`{name}` takes one {}", sink.place))
            .label("one too many")
            .help(format!("write `{}`", sink.example));
        cx.out.push(diagnostic);
        return None;
    }
    match (sink.name, table_format(sink.name)) {
        ("registry", _) => {
            let path = path_of(sink, place, cx)?;
            options(sink, call, &rest, cx)?;
            Some(Target::Registry { path, deploy: what.name.name.clone() })
        }
        ("onnx", _) => {
            let path = path_of(sink, place, cx)?;
            options(sink, call, &rest, cx)?;
            Some(Target::Onnx { path })
        }
        (_, Some(format)) => file(sink, format, place, rest, what, cx),
        _ => service(sink, call, place, rest, what, cx).map(Target::Service),
    }
}

fn table_format(name: &str) -> Option<TableFormat> {
    [TableFormat::Csv, TableFormat::Parquet, TableFormat::Ndjson, TableFormat::Arrow]
        .into_iter()
        .find(|f| f.word() == name)
}

fn fits(sink: &Sink, call: &Call, what: &Deployed<'_>, cx: &mut Context<'_>) -> Option<()> {
    let (message, help) = match (what.is_model, sink.takes) {
        (true, Takes::Table) => (
            "a model goes to a registry",
            "write `to registry(\"models\")`; its predictions are a table: `predict … as p` in a transform",
        ),
        (false, Takes::Model) => (
            "a table goes to a file",
            "write `to csv(\"out.csv\")`, `to parquet(\"out.parquet\")` or `to ndjson(\"out.ndjson\")`",
        ),
        _ => return Some(()),
    };
    let diagnostic = Diagnostic::error(Code::E0602, call.name.span, message)
        .label("does not fit")
        .related(what.declared, "what is deployed")
        .help(help);
    cx.out.push(diagnostic);
    None
}

fn path_of(sink: &Sink, place: &Arg, cx: &mut Context<'_>) -> Option<String> {
    let path = cx.path(&place.value, &format!("write `{}`", sink.example))?;
    if path.outside.is_some() {
        let diagnostic = Diagnostic::error(Code::E0105, place.value.span, "a path is no secret")
            .label("it is told when it is written")
            .help("write a text in quotes, or env(\"NAME\")");
        cx.out.push(diagnostic);
        return None;
    }
    object(&path.text, &place.value, cx)?;
    Some(path.text)
}

fn options(sink: &Sink, call: &Call, rest: &[&Arg], cx: &mut Context<'_>) -> Option<BTreeMap<String, Value>> {
    let given: Vec<Given<'_>> = rest.iter().map(|arg| Given { name: arg.name.as_ref(), value: &arg.value }).collect();
    options::resolve(&format!("`{}`", sink.name), call.name.span, sink.options, &given, &mut cx.out)
}

/// Takes the option of that name from the others; twice is an error.
fn take<'a>(name: &str, rest: &mut Vec<&'a Arg>, cx: &mut Context<'_>) -> Option<Option<&'a Arg>> {
    let (mut found, others): (Vec<&Arg>, Vec<&Arg>) =
        rest.drain(..).partition(|arg| arg.name.as_ref().is_some_and(|n| n.name == name));
    *rest = others;
    if let Some(again) = found.get(1) {
        let diagnostic = Diagnostic::error(Code::E0104, again.value.span, format!("`{name}` is given twice")).again();
        cx.out.push(diagnostic);
        return None;
    }
    Some(found.pop())
}

/// A file, or with `mode` or `partition` files in a folder.
fn file(
    sink: &Sink,
    format: TableFormat,
    place: &Arg,
    mut rest: Vec<&Arg>,
    what: &Deployed<'_>,
    cx: &mut Context<'_>,
) -> Option<Target> {
    let path = path_of(sink, place, cx)?;
    let mode = take("mode", &mut rest, cx)?;
    let partition = take("partition", &mut rest, cx)?;
    let append = match mode.map(|arg| (options::word(&arg.value), arg)) {
        None | Some((Some("replace"), _)) => false,
        Some((Some("append"), _)) => true,
        Some((word, arg)) => {
            let shown = options::describe(&arg.value);
            let diagnostic = Diagnostic::error(
                Code::E0105,
                arg.value.span,
                format!("`mode` of a file is replace or append, not {shown}"),
            )
            .label("unknown mode")
            .help("write `mode = append`, or leave it out to replace the file")
            .near(word.unwrap_or_default(), ["replace", "append"]);
            cx.out.push(diagnostic);
            return None;
        }
    };
    let columns = match partition {
        Some(arg) => columns(&arg.value, "partition", what, cx)?,
        None => Vec::new(),
    };
    if let Some(unknown) = rest.first() {
        let n = unknown.name.as_ref().expect("those without a name were refused");
        let diagnostic = Diagnostic::error(Code::E0104, n.span, format!("`{}` has no option `{}`", sink.name, n.name))
            .label("unknown option")
            .help("its options are mode, partition")
            .near(&n.name, ["mode", "partition"]);
        cx.out.push(diagnostic);
        return None;
    }
    if append || !columns.is_empty() {
        if let Some(table) = cx.tables.get(what.table).filter(|t| !t.broken) {
            for (name, span) in &columns {
                let dtype = &table.get(name).expect("known above").dtype;
                if matches!(dtype, dbjob_plan::DataType::Float) || !dtype.is_comparable() {
                    let diagnostic = Diagnostic::error(
                        Code::E0201,
                        *span,
                        format!("{dtype} makes no folders: its values are no names"),
                    )
                    .label(format!("this is {dtype}"))
                    .help("derive a column of dates, texts or ints to partition by");
                    cx.out.push(diagnostic);
                    return None;
                }
            }
        }
        let partition = columns.into_iter().map(|(name, _)| name).collect();
        return Some(Target::Folder(Folder { path, format, append, partition }));
    }
    Some(match format {
        TableFormat::Csv => Target::Csv { path },
        TableFormat::Parquet => Target::Parquet { path },
        TableFormat::Ndjson => Target::Ndjson { path },
        TableFormat::Arrow => Target::Arrow { path },
    })
}

/// One column or a list of them.
fn columns(value: &Expr, option: &str, what: &Deployed<'_>, cx: &mut Context<'_>) -> Option<Vec<(String, Span)>> {
    let items: Vec<&Expr> = match &value.kind {
        ExprKind::List(items) => items.iter().collect(),
        _ => vec![value],
    };
    let table = cx.tables.get(what.table).cloned();
    let mut names = Vec::new();
    for item in items {
        let ExprKind::Name(name) = &item.kind else {
            let shown = options::describe(item);
            let diagnostic =
                Diagnostic::error(Code::E0105, item.span, format!("`{option}` takes columns, not {shown}"))
                    .label("not a column")
                    .help(format!("write `{option} = day` or `{option} = [year, month]`"));
            cx.out.push(diagnostic);
            return None;
        };
        if let Some(table) = &table
            && table.get(name).is_none()
        {
            if !table.excuses(name) {
                let diagnostic = unknown_column(table, name, item.span);
                cx.out.push(diagnostic);
            }
            return None;
        }
        names.push((name.clone(), item.span));
    }
    Some(names)
}

/// A server or a database.
fn service(
    sink: &Sink,
    call: &Call,
    place: &Arg,
    mut rest: Vec<&Arg>,
    what: &Deployed<'_>,
    cx: &mut Context<'_>,
) -> Option<Service> {
    let system = match sink.name {
        "postgres" => Some(DatabaseSystem::Postgres),
        "mysql" => Some(DatabaseSystem::Mysql),
        "sqlite" => Some(DatabaseSystem::Sqlite),
        _ => None,
    };
    let mut outside: BTreeMap<String, Outside> = BTreeMap::new();
    let mut values: BTreeMap<String, Value> = BTreeMap::new();
    let write = format!("write `{}`", sink.example);
    let at = match sink.place {
        "path" | "bundle" => cx.path(&place.value, &write)?,
        "url" => cx.place(&place.value, "a URL", &write)?,
        _ => cx.place(&place.value, "an address", &write)?,
    };
    match (at.outside, system) {
        (Some(secret), _) => drop(outside.insert(sink.place.to_owned(), secret)),
        (None, Some(system @ (DatabaseSystem::Postgres | DatabaseSystem::Mysql))) if !at.later => {
            url(system, &at.text, &place.value, cx)?;
        }
        (None, None) if sink.name == "mlflow" && !at.later => web(&at.text, &place.value, sink, cx)?,
        _ => {}
    }
    values.insert(sink.place.to_owned(), Value::String(at.text));
    if system.is_some() {
        let mode = take("mode", &mut rest, cx)?;
        values.extend(database_mode(mode, what, cx)?);
    }
    // Texts may come from outside.
    let mut plain: Vec<&Arg> = Vec::new();
    for arg in rest {
        let is_outside =
            matches!(&arg.value.kind, ExprKind::Call(c) if ["env", "secret"].contains(&c.name.name.as_str()));
        let spec = arg.name.as_ref().and_then(|n| sink.options.iter().find(|s| s.name == n.name));
        match spec {
            Some(spec) if is_outside && spec.ty == crate::catalog::OptionType::Text => {
                let text = cx.place(&arg.value, "this", &write)?;
                values.insert(spec.name.to_owned(), Value::String(text.text));
                outside.extend(text.outside.map(|secret| (spec.name.to_owned(), secret)));
            }
            _ => plain.push(arg),
        }
    }
    let given: Vec<Given<'_>> = plain.iter().map(|arg| Given { name: arg.name.as_ref(), value: &arg.value }).collect();
    let specs: Vec<_> = sink.options.iter().copied().filter(|s| !values.contains_key(s.name)).collect();
    let options = options::resolve(&format!("`{}`", sink.name), call.name.span, &specs, &given, &mut cx.out)?;
    for (name, value) in options {
        values.entry(name).or_insert(value);
    }
    Some(Service { kind: sink.name.to_owned(), options: values, outside })
}

/// The URL of a server that is asked over HTTP.
fn web(url: &str, value: &Expr, sink: &Sink, cx: &mut Context<'_>) -> Option<()> {
    let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    if host.is_some_and(|host| !host.is_empty() && !host.starts_with('/')) {
        return Some(());
    }
    let diagnostic = Diagnostic::error(Code::E0105, value.span, format!("{url:?} is no URL of a server"))
        .label("no http:// or https:// with a host")
        .help(format!("write `{}`", sink.example));
    cx.out.push(diagnostic);
    None
}

/// `mode = replace`, `append` or `upsert(key)`.
fn database_mode(mode: Option<&Arg>, what: &Deployed<'_>, cx: &mut Context<'_>) -> Option<BTreeMap<String, Value>> {
    let is = |word: &str| BTreeMap::from([("mode".to_owned(), Value::Word(word.into()))]);
    let Some(arg) = mode else { return Some(is("replace")) };
    match &arg.value.kind {
        ExprKind::Name(word) if word == "replace" || word == "append" => Some(is(word)),
        ExprKind::Call(call) if call.name.name == "upsert" && !call.args.is_empty() => {
            let keys =
                Expr { kind: ExprKind::List(call.args.iter().map(|a| a.value.clone()).collect()), span: call.span };
            let keys = columns(&keys, "upsert", what, cx)?;
            let mut values = is("upsert");
            values.insert("key".into(), Value::List(keys.into_iter().map(|(k, _)| Value::Word(k)).collect()));
            Some(values)
        }
        _ => {
            let shown = options::describe(&arg.value);
            let message = format!("`mode` of a database is replace, append or upsert(key), not {shown}");
            let word = options::word(&arg.value).unwrap_or_default();
            let diagnostic = Diagnostic::error(Code::E0105, arg.value.span, message)
                .label("unknown mode")
                .help("write `mode = append` or `mode = upsert(key)`, or leave it out to replace the table");
            cx.out.push(match word {
                "upsert" => diagnostic.help("say by which columns: `mode = upsert(order_id)`"),
                word => diagnostic.near(word, MODES.iter().copied()),
            });
            None
        }
    }
}

/// The dataset whose file a table would be written over.
pub(super) fn source_at(target: &Target, cx: &Context<'_>) -> Option<(String, Span)> {
    // A folder is replaced with all that is in it.
    cx.items.read_from(target.written_path()?, matches!(target, Target::Folder(_)))
}
