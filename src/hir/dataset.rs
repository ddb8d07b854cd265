//! Datasets: a source, its columns, its expectations.

use std::collections::BTreeSet;
use std::sync::Arc;

use dbjob_plan::{CsvOptions, DataType, Encoding, Field, Format, ItemKind, Op, Source, SourceColumn, Span, Value};

use super::check::{Context, Path};
use super::declared;
use super::items::not_yet;
use super::known;
use super::options::{self, Given};
use super::range::Range;
use super::step::expect;
use super::table::{Column, Role, Table};
use super::taint::{TaintKind, TaintSource};
use super::{Item, ItemBody, Served, Step};
use crate::catalog::words;
use crate::diagnostic::{Code, Diagnostic, meant_name};
use crate::syntax::ast::{self, SourceExpr};

pub(super) fn check(dataset: &ast::Dataset, doc: Option<String>, span: Span, position: usize, cx: &mut Context<'_>) {
    let name = dataset.name.name.clone();
    if cx.tables.contains_key(&name) {
        return;
    }
    for unknown in &dataset.unknown {
        let diagnostic = Diagnostic::error(Code::E0103, unknown.span, format!("a dataset has no `{}`", unknown.name))
            .label("neither a column nor `expect`")
            .help("columns are written `name: type`; steps belong into a transform");
        cx.out.push(diagnostic);
    }
    let source = source(&dataset.source, cx);
    let mut table = Table { lost: cx.lost.clone(), rows: [name.clone()].into(), ..Table::default() };
    let mut columns: Vec<SourceColumn> = Vec::new();
    for column in &dataset.columns {
        declare(dataset, column, &mut table, &mut columns, cx);
    }
    let Some((format, Path { text: path, later })) = source else {
        known::check(dataset, &mut table, cx);
        table.keys.extend(declared_key(&table));
        table.broken = dataset.columns.is_empty() || dataset.rest.is_some();
        cx.tables.insert(name, table);
        return;
    };
    let mut source = Source { format, path, outside: None, columns, key: Vec::new() };
    if dataset.columns.is_empty() && cx.is_broken(span) {
        // Columns were meant to be declared: that they cannot be read was told.
        table.broken = true;
    } else if (dataset.columns.is_empty() || dataset.rest.is_some()) && later {
        let diagnostic = Diagnostic::error(Code::E0303, dataset.source.span(), "only a run knows where the data are")
            .label("its columns are not known")
            .help("declare the columns: `{ id: int key … }`");
        cx.out.push(diagnostic);
        table.broken = true;
    } else if dataset.columns.is_empty() || dataset.rest.is_some() {
        infer(dataset, &mut source, &mut table, cx);
    }
    known::check(dataset, &mut table, cx);
    if let Some(key) = declared_key(&table) {
        source.key = table.columns.iter().filter(|c| c.role == Role::Key).map(|c| c.name.clone()).collect();
        table.keys.push(key);
    }
    let mut steps = vec![Step {
        op: Op::Read(source),
        others: Vec::new(),
        shape: table.shape(),
        span: dataset.name.span.to(dataset.source.span()),
        served: Served::Computed,
    }];
    for rule in &dataset.expects {
        expect::check(rule, &mut table, &mut steps, cx);
    }
    let body = ItemBody::Table { kind: ItemKind::Dataset, input: None, steps, table: Box::new(table.clone()) };
    cx.items.push(Arc::new(Item { name: name.clone(), doc, span, body, position }));
    cx.tables.insert(name, table);
}

/// The columns with the attribute `key`, if there are some.
fn declared_key(table: &Table) -> Option<BTreeSet<String>> {
    let key: BTreeSet<String> = table.columns.iter().filter(|c| c.role == Role::Key).map(|c| c.name.clone()).collect();
    (!key.is_empty()).then_some(key)
}

fn declare(
    dataset: &ast::Dataset,
    ast: &ast::Column,
    table: &mut Table,
    columns: &mut Vec<SourceColumn>,
    cx: &mut Context<'_>,
) {
    let name = &ast.name.name;
    if let Some(first) = table.get(name) {
        let diagnostic =
            Diagnostic::error(Code::E0102, ast.name.span, format!("the column `{name}` is declared twice"))
                .label("again here")
                .related(first.span, "first here");
        cx.out.push(diagnostic);
        return;
    }
    let (dtype, nullable) = declared::resolve(&ast.ty, &mut cx.out);
    if dtype == DataType::Duration {
        cx.out.push(
            Diagnostic::error(Code::E0110, ast.ty.span, "a file has no durations")
                .label("a type of expressions")
                .help("read a number and derive: `derive d = t2 - t1`"),
        );
    }
    let mut column = Column::new(name.clone(), dtype, nullable, ast.name.span);
    column.doc = (!ast.doc.is_empty()).then(|| ast.doc.join("\n").into());
    column.origin.insert((dataset.name.name.clone(), name.clone()));
    column.plain = true;
    if let Some(refinement) = &ast.refinement {
        column.refinement = declared::refine(refinement, &column.dtype, &mut cx.out);
        match &column.refinement {
            Some(refinement) => column.range = Range::of_refinement(refinement),
            // What the promise would have made of it is not known.
            None => column.dtype = DataType::Unknown,
        }
    }
    for attribute in &ast.attributes {
        if attribute.name.name == "known" {
            // Of it and the words after it is one message made.
            let last = ast.attributes.last().map_or(attribute.span, |last| last.span);
            let diagnostic =
                Diagnostic::error(Code::E0104, attribute.span.to(last), "`known at` stands behind `label` or `late`")
                    .label("known of what?")
                    .help("write `label known at COLUMN`");
            cx.out.push(diagnostic);
            break;
        }
        attribute_of(&mut column, dataset, attribute, cx);
    }
    if column.role == Role::Key && column.nullable && column.dtype != DataType::Unknown {
        let diagnostic = Diagnostic::error(Code::E0208, ast.ty.span, format!("the key `{name}` may be null"))
            .label("nullable")
            .help("a key identifies every row: drop the `?`")
            .fix(declared::not_null(&ast.ty));
        cx.out.push(diagnostic);
    }
    let header = ast.named.as_ref().map_or_else(|| name.clone(), |n| n.value.clone());
    columns.push(SourceColumn { name: name.clone(), header, span: ast.name.span });
    table.put(column);
}

fn attribute_of(column: &mut Column, dataset: &ast::Dataset, attribute: &ast::Attribute, cx: &mut Context<'_>) {
    let word = attribute.name.name.as_str();
    let known = || words::ROLES.iter().copied();
    if !words::ROLES.contains(&word) {
        let diagnostic = Diagnostic::error(Code::E0104, attribute.name.span, format!("a column is never `{word}`"))
            .label("unknown attribute");
        cx.out.push(diagnostic.help(format!("it may be {}", words::ROLES.join(", "))).near(word, known()));
    }
    let role = match meant_name(word, known()).unwrap_or(word) {
        "key" => Some(Role::Key),
        "id" => Some(Role::Id),
        "time" => Some(Role::Time),
        "label" => Some(Role::Label),
        "weight" => Some(Role::Weight),
        "late" => None,
        _ => return,
    };
    let origin = format!("{}.{}", dataset.name.name, column.name);
    match role {
        Some(role) if column.role != Role::Feature => {
            let diagnostic =
                Diagnostic::error(Code::E0104, attribute.name.span, format!("`{}` has two roles", column.name))
                    .label("a second role")
                    .help("a column has one role; `late` may stand beside it");
            cx.out.push(diagnostic);
            column.role = role;
        }
        Some(role) => {
            column.role = role;
            if role == Role::Time && !column.dtype.is_temporal() && column.dtype != DataType::Unknown {
                let diagnostic = Diagnostic::error(
                    Code::E0110,
                    attribute.name.span,
                    format!("`time` wants a date or datetime, not {}", column.dtype),
                )
                .label("not a time");
                cx.out.push(diagnostic);
            }
            if role == Role::Weight && !column.dtype.is_numeric() && column.dtype != DataType::Unknown {
                let diagnostic = Diagnostic::error(
                    Code::E0110,
                    attribute.name.span,
                    format!("`weight` wants an int or float, not {}", column.dtype),
                )
                .label("not a number");
                cx.out.push(diagnostic);
            }
            if role == Role::Label {
                column.taint.add(origin, TaintSource::new(TaintKind::Label, attribute.span));
            }
        }
        None => {
            column.taint.add(origin, TaintSource::new(TaintKind::Late, attribute.span));
        }
    }
}

fn infer(dataset: &ast::Dataset, source: &mut Source, table: &mut Table, cx: &mut Context<'_>) {
    let probe = Source { columns: Vec::new(), ..source.clone() };
    let span = dataset.source.span();
    match cx.world.schema(&probe) {
        Ok(Some(schema)) => {
            for declared in &source.columns {
                if schema.get(&declared.header).is_none() {
                    let diagnostic = Diagnostic::error(
                        Code::E0304,
                        declared.span,
                        format!("the file has no column `{}`", declared.header),
                    )
                    .label("declared here")
                    .near_elsewhere(&declared.header, schema.fields.iter().map(|f| f.name.as_str()));
                    cx.out.push(diagnostic);
                }
            }
            let mut taken = Vec::new();
            for Field { name, dtype, nullable, .. } in schema.fields {
                if source.columns.iter().any(|c| c.header == name) {
                    continue;
                }
                if let Some(declared) = table.get(&name) {
                    let diagnostic =
                        Diagnostic::error(Code::E0304, declared.span, format!("the file has another column `{name}`"))
                            .label("declared under another header")
                            .help("give the declared column another name, or leave out `..`");
                    cx.out.push(diagnostic);
                    continue;
                }
                let mut column = Column::new(name.clone(), dtype, nullable, dataset.rest.unwrap_or(span));
                column.origin.insert((dataset.name.name.clone(), name.clone()));
                column.plain = true;
                column.inferred = true;
                taken.push(format!("`{name}`"));
                source.columns.push(SourceColumn { header: name.clone(), name, span: dataset.rest.unwrap_or(span) });
                table.put(column);
            }
            if !taken.is_empty() {
                let message = format!("`{}` has columns as its file has them: {}", dataset.name.name, listed(&taken));
                let note = Diagnostic::note(Code::N0001, dataset.rest.unwrap_or(span), message)
                    .label("whatever the file has")
                    .help("declare the columns, and a file with others is an error");
                cx.out.push(note);
            }
        }
        Ok(None) => {
            let diagnostic =
                Diagnostic::error(Code::E0303, span, format!("the columns of `{}` are not known", dataset.name.name))
                    .label("its file cannot be looked into here")
                    .help("declare the columns: `{ id: int key … }`");
            cx.out.push(diagnostic);
            table.broken = true;
        }
        Err(error) => {
            let mut diagnostic =
                Diagnostic::error(Code::E0303, span, error.message).label("columns are to be inferred from it");
            diagnostic.help = error.help.or_else(|| Some("mend the path, or declare the columns".into()));
            cx.out.push(diagnostic);
            table.broken = true;
        }
    }
}

/// The first few of many.
fn listed(names: &[String]) -> String {
    let (shown, rest) = names.split_at(names.len().min(8));
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    shown.join(", ") + &more
}

/// The format and path of a source.
fn source(source: &SourceExpr, cx: &mut Context<'_>) -> Option<(Format, Path)> {
    let call = match source {
        SourceExpr::Call(call) => call,
        SourceExpr::Inline { span, .. } => {
            cx.out.push(not_yet("`inline` datasets", *span));
            return None;
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
    match words::find(words::SOURCES, name) {
        None => {
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
        Some(word) if !word.built => {
            cx.out.push(not_yet(&format!("the source `{name}`"), call.name.span));
            return None;
        }
        Some(_) => {}
    }
    let (path, rest): (Vec<&ast::Arg>, Vec<&ast::Arg>) =
        call.args.iter().enumerate().fold((vec![], vec![]), |(mut path, mut rest), (i, arg)| {
            let is_path = arg.name.as_ref().map_or(i == 0, |n| n.name == "path");
            if is_path {
                path.push(arg)
            } else {
                rest.push(arg)
            }
            (path, rest)
        });
    let example = format!("write {name}(\"data/file.{name}\")");
    let path = match path.first() {
        Some(arg) => cx.path(&arg.value, &example)?,
        None => {
            let diagnostic = Diagnostic::error(Code::E0108, call.span, format!("`{name}` needs a path"))
                .label("no path")
                .help(example);
            cx.out.push(diagnostic);
            return None;
        }
    };
    let given: Vec<Given<'_>> = rest.iter().map(|arg| Given { name: arg.name.as_ref(), value: &arg.value }).collect();
    if let Some(extra) = given.iter().find(|g| g.name.is_none()) {
        let diagnostic = Diagnostic::error(Code::E0104, extra.value.span, format!("`{name}` takes one path"))
            .label("a second one")
            .help("options are written `name = value`; a path may be a glob: \"data/*.csv\"");
        cx.out.push(diagnostic);
        return None;
    }
    let specs = if name == "csv" { words::CSV_OPTIONS } else { &[] };
    // `encoding` is a text with its usual names.
    let (encoding, given): (Vec<_>, Vec<_>) =
        given.into_iter().partition(|g| name == "csv" && g.name.is_some_and(|n| n.name == "encoding"));
    let values = options::resolve(&format!("`{name}`"), call.name.span, specs, &given, &mut cx.out)?;
    let format = match name {
        "csv" => {
            let mut csv = csv_options(&values, call, cx)?;
            if let Some(given) = encoding.first() {
                csv.encoding = encoding_of(given.value, cx)?;
            }
            Format::Csv(csv)
        }
        "parquet" => Format::Parquet,
        _ => Format::Ndjson,
    };
    Some((format, path))
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
            .label("unknown encoding");
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
