//! Datasets: a source, its columns, its expectations.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use dbjob_plan::{DataType, Field, Format, ItemKind, Op, Source, SourceColumn, Span};

use super::check::Context;
use super::finished::plain;
use super::range::Range;
use super::source::{self, Found};
use super::step::expect;
use super::table::{Column, Role, Table};
use super::taint::{TaintKind, TaintSource};
use super::{Item, ItemBody, Served, Step, declared, inline, known};
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
    let found = source::find(&dataset.source, cx);
    let mut table = Table { lost: cx.lost.clone(), ..Table::default() };
    let mut columns: Vec<SourceColumn> = Vec::new();
    for column in &dataset.columns {
        declare(dataset, column, found.as_ref().map(|f| &f.format), &mut table, &mut columns, cx);
    }
    table.rows.insert(rows_of(&name, found.as_ref()));
    let Some(Found { format, path, later, outside }) = found else {
        known::check(dataset, &mut table, cx);
        table.keys.extend(declared_key(&table));
        table.broken = dataset.columns.is_empty() || dataset.rest.is_some();
        cx.tables.insert(name, table);
        return;
    };
    let mut source = Source { format, path, outside, columns, key: Vec::new() };
    if let SourceExpr::Inline { rows, .. } = &dataset.source {
        inline::check(dataset, rows, &mut source, &mut table, cx);
    } else if dataset.columns.is_empty() && cx.is_broken(span) {
        // Columns were meant to be declared: that they cannot be read was told.
        table.broken = true;
    } else if (dataset.columns.is_empty() || dataset.rest.is_some()) && later && !is_secret_database(&source) {
        let diagnostic = Diagnostic::error(Code::E0303, dataset.source.span(), "only a run knows where the data are")
            .label("its columns are not known")
            .help("declare the columns: `{ id: int key … }`");
        cx.out.push(diagnostic);
        table.broken = true;
    } else if dataset.columns.is_empty() || dataset.rest.is_some() {
        infer(dataset, &mut source, &mut table, cx);
    } else if source.format.is_file() && !later {
        let probe = Source { columns: Vec::new(), ..source.clone() };
        let locked = cx.world.locked(&probe).map(|s| s.fields.into_iter().map(|f| f.name).collect::<Vec<_>>());
        match locked.map_or_else(|| cx.world.header(&probe), |locked| Ok(Some(locked))) {
            Ok(Some(header)) => in_the_data(&source.columns, &header, what(&source.format), cx),
            Ok(None) => {}
            Err(error) => {
                let help =
                    error.help.unwrap_or_else(|| "mend the file, or name another one or another kind of source".into());
                let diagnostic = Diagnostic::error(Code::E0303, dataset.source.span(), error.message);
                cx.out.push(diagnostic.label("what is there now").help(help));
            }
        }
    }
    one_header(&source.columns, &mut table);
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

/// A column of the file that is read under two names is late under both if it is so under one.
fn one_header(columns: &[SourceColumn], table: &mut Table) {
    let mut by_header: HashMap<&str, Vec<&SourceColumn>> = HashMap::new();
    columns.iter().for_each(|c| by_header.entry(&c.header).or_default().push(c));
    for twins in by_header.into_values().filter(|twins| twins.len() > 1) {
        let late = twins.iter().filter_map(|c| table.get(&c.name)).find(|c| !c.taint.is_empty()).cloned();
        let Some(late) = late else { continue };
        for column in twins {
            if let Some(own) = table.get_mut(&column.name).filter(|own| own.taint.is_empty()) {
                let words = format!("`{}` is the same column of the file", column.name);
                own.taint.absorb(&late.taint.through(column.span, &words));
            }
        }
    }
}

/// What tells whether two datasets have rows in common: the file they are read from.
fn rows_of(name: &str, found: Option<&Found>) -> String {
    match found {
        Some(Found { format, path, later: false, .. }) if format.is_file() => plain(path).to_owned(),
        _ => name.to_owned(),
    }
}

/// The columns with the attribute `key`, if there are some.
fn declared_key(table: &Table) -> Option<BTreeSet<String>> {
    let key: BTreeSet<String> = table.columns.iter().filter(|c| c.role == Role::Key).map(|c| c.name.clone()).collect();
    (!key.is_empty()).then_some(key)
}

fn declare(
    dataset: &ast::Dataset,
    ast: &ast::Column,
    format: Option<&Format>,
    table: &mut Table,
    columns: &mut Vec<SourceColumn>,
    cx: &mut Context<'_>,
) {
    let name = &ast.name.name;
    if let Some(first) = table.get(name) {
        let diagnostic =
            Diagnostic::error(Code::E0102, ast.name.span, format!("the column `{name}` is declared twice"))
                .again()
                .related(first.span, "first here");
        cx.out.push(diagnostic);
        return;
    }
    let (dtype, nullable) = declared::resolve(&ast.ty, &mut cx.out);
    if let Some((what, help)) = format.and_then(|format| lacks(format, &dtype)) {
        let diagnostic = Diagnostic::error(Code::E0110, ast.ty.span, what).label("not there").help(help);
        cx.out.push(diagnostic);
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
        if attribute.name.name == "named" {
            // It takes what stands behind it along.
            let last = ast.attributes.last().map_or(attribute.span, |last| last.span);
            let diagnostic = Diagnostic::error(Code::E0105, attribute.span.to(last), "a header is a text in quotes")
                .label("not a text")
                .help("write `name: type named \"header in the file\"`");
            cx.out.push(diagnostic);
            break;
        }
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

/// What a format has no columns of, and what to do instead.
fn lacks(format: &Format, dtype: &DataType) -> Option<(&'static str, &'static str)> {
    let duration = "read a number and derive: `derive d = n * 1s`";
    match (format, dtype) {
        (Format::Csv(_), DataType::Duration) => Some(("a CSV file has no durations", duration)),
        (Format::Ndjson | Format::Json, DataType::Duration) => Some(("JSON has no durations", duration)),
        (Format::Csv(_), DataType::List { .. }) => {
            Some(("a CSV file has no lists", "read a string and derive: `derive items = split(s, \",\")`"))
        }
        (Format::Csv(_), DataType::Vector { .. }) => {
            Some(("a CSV file has no vectors", "read its numbers as columns, or the table from Parquet or NDJSON"))
        }
        _ => None,
    }
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
                .label("not a time")
                .help("drop it, or declare the column as date or datetime");
                cx.out.push(diagnostic);
            }
            if role == Role::Weight && !column.dtype.is_numeric() && column.dtype != DataType::Unknown {
                let diagnostic = Diagnostic::error(
                    Code::E0110,
                    attribute.name.span,
                    format!("`weight` wants an int or float, not {}", column.dtype),
                )
                .label("not a number")
                .help("drop it, or declare the column as int or float");
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
    let locked = cx.world.locked(&probe);
    let is_locked = locked.is_some();
    let seen = match locked {
        Some(schema) => Ok(Some(schema)),
        None => cx.world.schema(&probe),
    };
    let what = what(&source.format);
    match seen {
        Ok(Some(schema)) => {
            let header: Vec<String> = schema.fields.iter().map(|f| f.name.clone()).collect();
            in_the_data(&source.columns, &header, what, cx);
            let mut taken = Vec::new();
            for Field { name, dtype, nullable, .. } in schema.fields {
                if source.columns.iter().any(|c| c.header == name) {
                    continue;
                }
                if let Some(declared) = table.get(&name) {
                    let diagnostic = Diagnostic::error(
                        Code::E0304,
                        declared.span,
                        format!("the {what} has another column `{name}`"),
                    )
                    .label("declared under another header")
                    .help("give the declared column another name, or leave out `..`");
                    cx.out.push(diagnostic);
                    continue;
                }
                let mut column = Column::new(name.clone(), dtype, nullable, dataset.rest.unwrap_or(span));
                column.origin.insert((dataset.name.name.clone(), name.clone()));
                column.plain = true;
                column.unchecked = !is_locked;
                taken.push(format!("`{name}`"));
                source.columns.push(SourceColumn { header: name.clone(), name, span: dataset.rest.unwrap_or(span) });
                table.put(column);
            }
            if !taken.is_empty() && !is_locked {
                let message = format!("`{}` has columns as its {what} has them: {}", dataset.name.name, listed(&taken));
                let note = Diagnostic::note(Code::N0001, dataset.rest.unwrap_or(span), message)
                    .label(format!("whatever the {what} has"))
                    .help("declare the columns, or write `dbjob lock`: then a file with others is an error");
                cx.out.push(note);
            }
        }
        Ok(None) => {
            let diagnostic =
                Diagnostic::error(Code::E0303, span, format!("the columns of `{}` are not known", dataset.name.name))
                    .label(format!("its {what} cannot be looked into here"))
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

/// What a source of that format is read from.
fn what(format: &Format) -> &'static str {
    if format.is_file() { "file" } else { "database" }
}

/// A database of a secret URL: who may look into it has the secret, also while a job is checked.
fn is_secret_database(source: &Source) -> bool {
    source.outside.is_some() && !source.format.is_file()
}

/// Reports declared columns that are not among those of the file or database.
fn in_the_data(declared: &[SourceColumn], header: &[String], what: &str, cx: &mut Context<'_>) {
    for column in declared.iter().filter(|c| !header.contains(&c.header)) {
        let message = format!("the {what} has no column `{}`", column.header);
        let diagnostic = Diagnostic::error(Code::E0304, column.span, message)
            .label("declared here")
            .help(format!("it has {}; another name in the {what} is said by `named \"…\"`", listed(header)));
        cx.out.push(diagnostic.near_elsewhere(&column.header, header.iter().map(String::as_str)));
    }
}

/// The first few of many.
fn listed(names: &[String]) -> String {
    let (shown, rest) = names.split_at(names.len().min(8));
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    shown.join(", ") + &more
}
