//! `expect`.

use std::collections::BTreeSet;
use std::path::Path;

use dbjob_plan::{DataType, ExpectAction, Expectation, Expr, Op, Span, TableFormat, Value};

use crate::diagnostic::{Code, Diagnostic, Fix};
use crate::hir::check::Context;
use crate::hir::expr::{Aggregates, Checker, Scope};
use crate::hir::quarantine::Quarantined;
use crate::hir::selection::known;
use crate::hir::table::Table;
use crate::hir::{Served, Step, facts};
use crate::name;
use crate::name::quoted;
use crate::syntax::ast::{self, ExprKind, Ident};

const ACTIONS: [&str; 4] = ["fail", "drop", "warn", "quarantine"];

pub(in crate::hir) fn check(rule: &ast::Expect, table: &mut Table, steps: &mut Vec<Step>, cx: &mut Context<'_>) {
    let action = match rule.action.as_ref().map(|a| a.name.as_str()) {
        None | Some("fail") => ExpectAction::Fail,
        Some("drop") => ExpectAction::Drop,
        Some("warn") => ExpectAction::Warn,
        Some("quarantine") => ExpectAction::Quarantine,
        Some(other) => {
            let span = rule.action.as_ref().map_or(rule.span, |a| a.span);
            let diagnostic =
                Diagnostic::error(Code::E0104, span, format!("`else {other}` is no action")).label("unknown action");
            cx.out.push(diagnostic.help(format!("write else {}", ACTIONS.join(", "))).near(other, ACTIONS));
            return;
        }
    };
    let mut quarantine = None;
    if action == ExpectAction::Quarantine {
        let Some(path) = place(rule, cx) else { return };
        quarantine = Some(path.value.clone());
        cx.quarantines.push(Quarantined::new(&path.value, table, path.span));
    } else if let Some(path) = &rule.quarantine {
        let action = rule.action.as_ref().map_or("fail", |a| a.name.as_str());
        let diagnostic = Diagnostic::error(Code::E0109, path.span, format!("`else {action}` takes no text"))
            .label("no effect")
            .help("remove it; a comment begins with `#`")
            .needless(path.span);
        cx.out.push(diagnostic);
    }
    let text = super::super::text::of(&rule.predicate);
    let whole_table = |what: &str, cx: &mut Context<'_>| {
        let span = rule.action.as_ref().map_or(rule.span, |a| a.span);
        let diagnostic = Diagnostic::error(
            Code::E0105,
            span,
            format!("{what} speaks of the whole table, and only rows can be left out"),
        )
        .label("leaves rows out")
        .help("write `else fail` or `else warn`");
        cx.out.push(diagnostic);
    };
    if let Some(columns) = unique_columns(&rule.predicate, cx) {
        let Some(columns) = columns else { return };
        if columns.iter().any(|c| !known(c, table, &mut cx.out)) {
            return;
        }
        if action.drops() {
            return whole_table("`unique`", cx);
        }
        let unique: Vec<String> = columns.iter().map(|c| c.name.clone()).collect();
        if action == ExpectAction::Fail {
            table.keys.push(unique.iter().cloned().collect::<BTreeSet<_>>());
        }
        let predicate = Expr::literal(Value::Bool(true), DataType::Bool, rule.predicate.span);
        let op = Op::Expect(Expectation { predicate, unique, action, quarantine, text });
        steps.push(Step { op, others: Vec::new(), shape: table.shape(), span: rule.span, served: Served::Skipped });
        return;
    }
    if let Some(span) = unique_inside(&rule.predicate, cx) {
        let diagnostic = Diagnostic::error(Code::E0206, span, "`unique` speaks of the whole table, and stands alone")
            .label("part of a condition")
            .help("write an expectation of its own: `expect unique(a, b)`");
        return cx.out.push(diagnostic);
    }
    let scope = Scope { table, functions: &cx.functions, aggregates: Aggregates::Allowed };
    let typed = Checker { scope, out: &mut cx.out }.wanted(&rule.predicate, &DataType::Bool, "`expect`");
    if typed.is_unknown() {
        return;
    }
    let aggregate = typed.expr.has_aggregate();
    if aggregate && action.drops() {
        return whole_table("an aggregate", cx);
    }
    if aggregate && let Some(column) = bare_column(&typed.expr) {
        let diagnostic = Diagnostic::error(
            Code::E0206,
            typed.expr.span,
            format!("`{column}` has a value in each row, the aggregates one for the table"),
        )
        .label("mixes both")
        .help("write two expectations");
        cx.out.push(diagnostic);
        return;
    }
    if !aggregate && action != ExpectAction::Warn {
        if action != ExpectAction::Fail {
            let words = format!("the rows are chosen by it here: `expect {text}`");
            let taint = facts::chooses(table, &typed.expr).through(rule.span, &words);
            table.chosen_by.absorb(&taint);
        }
        facts::assume(table, &typed.expr);
    }
    let served = if aggregate || !typed.taint.is_empty() { Served::Skipped } else { Served::Computed };
    let op = Op::Expect(Expectation { predicate: typed.expr, unique: Vec::new(), action, quarantine, text });
    steps.push(Step { op, others: Vec::new(), shape: table.shape(), span: rule.span, served });
}

/// The file of a quarantine; `None` if it is not said or its ending names no format, which is told.
fn place<'r>(rule: &'r ast::Expect, cx: &mut Context<'_>) -> Option<&'r ast::Text> {
    let diagnostic = match &rule.quarantine {
        Some(path) if TableFormat::of(Path::new(&path.value)).is_some() => return Some(path),
        Some(path) => {
            let message = format!("{} does not end like a file of a table", quoted(&path.value));
            Diagnostic::error(Code::E0105, path.span, message).label("which format?")
        }
        None => {
            let span = rule.action.as_ref().map_or(rule.span, |a| a.span);
            Diagnostic::error(Code::E0108, span, "`else quarantine` needs the path of a file").label("no path")
        }
    };
    cx.out.push(diagnostic.help("write `else quarantine \"rejected.csv\"`, `.parquet` or `.ndjson`"));
    None
}

/// The columns of `unique(a, b)`; `Some(None)` if they are wrong, which is told.
fn unique_columns(predicate: &ast::Expr, cx: &mut Context<'_>) -> Option<Option<Vec<Ident>>> {
    let ExprKind::Call(call) = &predicate.kind else { return None };
    if call.name.name != "unique" {
        return None;
    }
    let mut columns = Vec::new();
    for arg in &call.args {
        let span = arg.value.span;
        match &arg.value.kind {
            ExprKind::Name(name) if arg.name.is_none() => columns.push(Ident { name: name.clone(), span }),
            ExprKind::Literal(Value::String(name)) => cx.out.push(
                Diagnostic::error(Code::E0207, span, "a column is a name, not a string")
                    .label("a string")
                    .help(format!("write {}", name::written(name)))
                    .fix(Fix::write(span, name::written(name))),
            ),
            _ => cx.out.push(
                Diagnostic::error(Code::E0202, span, "`unique` takes columns")
                    .label("not a column")
                    .help("compute it above with `derive`, or write `unique(a, b)`"),
            ),
        }
    }
    if call.args.is_empty() {
        cx.out.push(
            Diagnostic::error(Code::E0202, call.span, "`unique` misses its columns")
                .label("of what?")
                .help("write `unique(a, b)`"),
        );
    }
    Some((!columns.is_empty() && columns.len() == call.args.len()).then_some(columns))
}

/// A call of `unique` inside of a condition.
fn unique_inside(predicate: &ast::Expr, cx: &Context<'_>) -> Option<Span> {
    let mut found = None;
    predicate.walk(&mut |e| {
        if let ExprKind::Call(call) = &e.kind
            && call.name.name == "unique"
            && cx.functions.get("unique").is_none()
        {
            found = found.or(Some(e.span));
        }
    });
    found
}

/// A column outside of every aggregate.
fn bare_column(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        dbjob_plan::ExprKind::Column(name) => Some(name),
        dbjob_plan::ExprKind::Aggregate { .. } => None,
        _ => expr.operands().into_iter().find_map(bare_column),
    }
}
