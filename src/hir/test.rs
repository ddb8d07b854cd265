//! Tests: rows that stand for the results of nodes, and rows that others must give.

use std::collections::BTreeSet;

use dbjob_plan::{DataType, Op, Span, Value};

use super::check::Context;
use super::fill::{self, Frame};
use super::table::{Column, Shape};
use super::value;
use super::{ExpectedRows, GivenRows, Item, ItemBody, Test};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, Expr, Ident, ItemKind, Row, TestTable};

/// Types the tests of all files; those of the job's own file are its tests.
pub(super) fn check_all(file: &ast::File, cx: &mut Context<'_>) -> Vec<Test> {
    let mut tests = Vec::new();
    for item in &file.items {
        if !matches!(item.kind, ItemKind::Test { .. }) {
            continue;
        }
        let bound = cx.bind(&**item, ast::Item::parts, &|_| false);
        let ItemKind::Test { name, given, expect } = &bound.kind else { continue };
        let broken = cx.is_broken(item.span);
        let doc = (!item.doc.is_empty()).then(|| item.doc.join("\n"));
        let test = check(name, given, expect, broken, cx);
        tests.extend(test.map(|test| Test { doc, ..test }).filter(|_| item.span.file == cx.program.root));
    }
    tests
}

/// `None`: something is wrong with it or with a node that it speaks of.
fn check(name: &Ident, given: &[TestTable], expect: &[TestTable], broken: bool, cx: &mut Context<'_>) -> Option<Test> {
    let mut sound = true;
    if expect.is_empty() {
        if !broken {
            let message = format!("the test `{}` expects nothing", name.name);
            let diagnostic = Diagnostic::error(Code::E0108, name.span, message).label("without `expect`");
            cx.out.push(diagnostic.help("write `expect NODE [ { column: value } ]`"));
        }
        return None;
    }
    let mut givens: Vec<GivenRows> = Vec::new();
    for (index, table) in given.iter().enumerate() {
        match (once(&given[..index], table, "given", cx), given_rows(table, cx)) {
            (true, Some(rows)) => givens.push(rows),
            _ => sound = false,
        }
    }
    let mut expected: Vec<ExpectedRows> = Vec::new();
    for (index, table) in expect.iter().enumerate() {
        match (once(&expect[..index], table, "expected", cx), expected_rows(table, cx)) {
            (true, Some(rows)) => expected.push(rows),
            _ => sound = false,
        }
    }
    sound &= reaches(given, expect, sound && !broken, broken, cx);
    sound.then(|| Test { name: name.name.clone(), doc: None, span: name.span, given: givens, expect: expected })
}

fn once(before: &[TestTable], table: &TestTable, what: &str, cx: &mut Context<'_>) -> bool {
    let Some(first) = before.iter().find(|t| t.node.name == table.node.name) else { return true };
    let message = format!("rows of `{}` are {what} twice", table.node.name);
    let diagnostic = Diagnostic::error(Code::E0102, table.node.span, message)
        .again()
        .related(first.node.span, "first here")
        .help("write all rows into one list");
    cx.out.push(diagnostic);
    false
}

/// The dataset or transform of that name; `None`: there is none, or it is wrong itself.
fn node<'c>(name: &Ident, cx: &'c mut Context<'_>) -> Option<&'c Item> {
    if super::items::table_named(cx, name).broken {
        return None;
    }
    cx.items.named(&name.name).filter(|item| matches!(item.body, ItemBody::Table { .. }))
}

fn given_rows(table: &TestTable, cx: &mut Context<'_>) -> Option<GivenRows> {
    let item = node(&table.node, cx)?.clone();
    let Some(frame) = Frame::of(&item) else {
        let ItemBody::Table { input, .. } = &item.body else { return None };
        let input = input.clone().unwrap_or_default();
        let message = format!("`{}` is `{input}` under another name", item.name);
        let diagnostic = Diagnostic::error(Code::E0107, table.node.span, message).label("has no steps");
        cx.out.push(diagnostic.help(format!("give rows of `{input}`")));
        return None;
    };
    let cells = cells(&table.rows, &item, frame.shape, cx)?;
    for column in frame.shape.columns.iter().filter(|column| frame.is_key_alone(&column.name)) {
        let given: Vec<_> = cells.iter().map(|row| row.get(&column.name)).collect();
        if !unique(column, &given, cx) {
            return None;
        }
    }
    let values = |row: &Cells, column: &str| row.get(column).map(|(value, _)| value.clone());
    match frame.whole(&cells, values) {
        Ok(rows) => Some(GivenRows { node: item.name.clone(), rows }),
        Err(column) => {
            let message = format!("`{column}` has too few values for a key of so many rows");
            let diagnostic = Diagnostic::error(Code::E0108, table.node.span, message).label("of these rows");
            cx.out.push(diagnostic.help(format!("give `{column}` in every row")));
            None
        }
    }
}

fn unique(column: &Column, given: &[Option<&(Value, Span)>], cx: &mut Context<'_>) -> bool {
    for (index, cell) in given.iter().enumerate() {
        let Some((value, span)) = cell else { continue };
        if let Some((_, first)) = given[..index].iter().flatten().find(|(other, _)| other == value) {
            let message = format!("the key `{}` is {value} in two rows", column.name);
            let diagnostic = Diagnostic::error(Code::E0708, *span, message)
                .again()
                .related(*first, "first here")
                .help("a key identifies one row: give another value");
            cx.out.push(diagnostic);
            return false;
        }
    }
    true
}

fn expected_rows(table: &TestTable, cx: &mut Context<'_>) -> Option<ExpectedRows> {
    let item = node(&table.node, cx)?.clone();
    let ItemBody::Table { steps, table: result, .. } = &item.body else { return None };
    let cells = cells(&table.rows, &item, &result.shape(), cx)?;
    let mut columns: Vec<String> = Vec::new();
    if let Some(first) = table.rows.first() {
        columns.extend(first.cells.iter().map(|(name, _)| name.name.clone()));
        for row in &table.rows[1..] {
            let missing = first.cells.iter().find(|(name, _)| !row.cells.iter().any(|(n, _)| n.name == name.name));
            let extra = row.cells.iter().find(|(name, _)| !first.cells.iter().any(|(n, _)| n.name == name.name));
            let diagnostic = match (missing, extra) {
                (Some((name, _)), _) => {
                    let message = format!("this row has no `{}`, and the first has one", name.name);
                    Diagnostic::error(Code::E0108, row.span, message).label("not given").related(name.span, "here")
                }
                (None, Some((name, _))) => {
                    let message = format!("this row has a `{}`, and the first has none", name.name);
                    Diagnostic::error(Code::E0108, name.span, message)
                        .label("only here")
                        .related(first.span, "the first")
                }
                (None, None) => continue,
            };
            cx.out.push(diagnostic.help("give the same columns in all rows that are expected"));
            return None;
        }
    }
    let rows = cells.into_iter().map(|row| columns.iter().map(|c| row.value(c)).collect()).collect();
    let ordered =
        steps.iter().rev().find(|s| !matches!(s.op, Op::Take { .. })).is_some_and(|s| matches!(s.op, Op::Sort { .. }));
    Some(ExpectedRows { node: item.name.clone(), columns, rows, ordered, span: table.node.span })
}

/// The cells of one row by column.
struct Cells(Vec<(String, (Value, Span))>);

impl Cells {
    fn get(&self, column: &str) -> Option<&(Value, Span)> {
        self.0.iter().find(|(name, _)| name == column).map(|(_, cell)| cell)
    }

    fn value(&self, column: &str) -> Value {
        self.get(column).map_or(Value::Null, |(value, _)| value.clone())
    }
}

/// The typed cells of each row; `None`: something is wrong with one, and all of that was told. What filters have made
/// known of a column binds no cell: it changes with the params.
fn cells(rows: &[Row], item: &Item, shape: &Shape, cx: &mut Context<'_>) -> Option<Vec<Cells>> {
    let mut sound = true;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let mut cells: Vec<(String, (Value, Span))> = Vec::new();
        for (index, (name, cell)) in row.cells.iter().enumerate() {
            if let Some((first, _)) = row.cells[..index].iter().find(|(other, _)| other.name == name.name) {
                let message = format!("the row has two values of `{}`", name.name);
                let diagnostic = Diagnostic::error(Code::E0102, name.span, message);
                cx.out.push(diagnostic.again().related(first.span, "first here"));
                sound = false;
                continue;
            }
            let Some(column) = shape.columns.get(&name.name) else {
                if !shape.open.iter().any(|prefix| name.name.starts_with(prefix.as_str())) {
                    let message = format!("`{}` has no column `{}`", item.name, name.name);
                    let diagnostic = Diagnostic::error(Code::E0203, name.span, message).label("unknown column");
                    let known: Vec<&str> = shape.columns.iter().map(|c| c.name.as_str()).collect();
                    let names = known.iter().take(12).copied().collect::<Vec<_>>().join(", ");
                    let diagnostic = diagnostic.help(format!("its columns are {names}"));
                    cx.out.push(diagnostic.near(&name.name, known));
                    sound = false;
                    continue;
                }
                let any = Column::new(name.name.clone(), DataType::Float, true, name.span);
                sound &= push(&mut cells, name, cell, &any, cx);
                continue;
            };
            sound &= push(&mut cells, name, cell, column, cx);
        }
        all.push(Cells(cells));
    }
    sound.then_some(all)
}

fn push(
    cells: &mut Vec<(String, (Value, Span))>,
    name: &Ident,
    cell: &Expr,
    column: &Column,
    cx: &mut Context<'_>,
) -> bool {
    let wanted = fill::wanted(column);
    let Some(constant) = cell.constant() else {
        let diagnostic = Diagnostic::error(Code::E0105, cell.span, "a row holds values, nothing to be computed");
        cx.out.push(diagnostic.label("not a constant").help("write the value"));
        return false;
    };
    let (found, takes) = match value::fit(constant, &wanted) {
        Ok(value) => {
            cells.push((name.name.clone(), (value, cell.span)));
            return true;
        }
        Err(found) => (found, wanted.to_string()),
    };
    let diagnostic = Diagnostic::error(Code::E0201, cell.span, format!("`{}` is {takes}, not {found}", name.name))
        .label("does not fit")
        .related(column.span, "the column")
        .help(format!("write a value of {takes}"));
    cx.out.push(diagnostic);
    false
}

/// Every dataset that an expected node reads must be given, or be cut off by what is; what is given must be read, which is
/// told if the rest is `sound`.
fn reaches(given: &[TestTable], expect: &[TestTable], sound: bool, broken: bool, cx: &mut Context<'_>) -> bool {
    let tell_unread = sound;
    let mut sound = true;
    let mut read: BTreeSet<String> = BTreeSet::new();
    for table in expect {
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut open = vec![table.node.name.clone()];
        while let Some(name) = open.pop() {
            if !seen.insert(name.clone()) || given.iter().any(|g| g.node.name == name) {
                continue;
            }
            let Some(item) = cx.items.named(&name) else { continue };
            let dataset = item.input_names().is_empty();
            open.extend(item.input_names().into_iter().map(str::to_owned));
            // Of a test that is not all there, what is missing is told.
            if dataset && !broken {
                let message = format!("`{}` reads `{name}`, and the test gives no rows of it", table.node.name);
                let diagnostic = Diagnostic::error(Code::E0108, table.node.span, message)
                    .label(format!("needs `{name}`"))
                    .help(format!("write `given {name} [ … ]`"));
                cx.out.push(diagnostic);
                sound = false;
            }
        }
        read.extend(seen);
    }
    for table in given.iter().filter(|t| tell_unread && !read.contains(&t.node.name)) {
        let message = format!("nothing that is expected reads the rows of `{}`", table.node.name);
        cx.out.push(Diagnostic::error(Code::E0109, table.node.span, message).label("no effect").help("drop them"));
        sound = false;
    }
    sound
}
