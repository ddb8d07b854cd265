//! `sort`, `take`, `distinct`.

use std::collections::BTreeSet;

use dbjob_plan::{Keep, Op, SortKey, Span, Value};

use crate::diagnostic::{Code, Diagnostic, Fix};
use crate::hir::Served;
use crate::hir::expr::{Aggregates, Scope, Typed, check_expr};
use crate::hir::options;
use crate::hir::selection::known;
use crate::hir::table::Table;
use crate::hir::transform::Builder;
use crate::name;
use crate::syntax::ast::{self, Ident};

/// Each key with whether it descends; what is wrong is reported and left out.
pub(in crate::hir) fn typed_keys(list: &[ast::SortKey], b: &mut Builder<'_, '_>) -> Vec<(Typed, bool)> {
    let mut keys = Vec::new();
    for key in list {
        let scope =
            Scope { table: &b.table, functions: &b.cx.functions, aggregates: Aggregates::Forbidden("a sort key") };
        let typed = check_expr(scope, &key.expr, &mut b.cx.out);
        if typed.is_unknown() {
            continue;
        }
        if matches!(key.expr.kind, ast::ExprKind::Literal(_)) {
            b.report(constant_key(&key.expr, &b.table, "rows are not sorted by a constant"));
            continue;
        }
        if !typed.dtype().is_ordered() {
            let diagnostic = Diagnostic::error(Code::E0201, key.expr.span, format!("{} has no order", typed.dtype()))
                .label("cannot be sorted")
                .help("sort by something of it: `length(xs)`, `get(xs, 1)`, `list_sum(xs)`");
            b.report(diagnostic);
            continue;
        }
        keys.push((typed, key.descending.is_some()));
    }
    keys
}

/// A key that is the same in every row.
pub(in crate::hir) fn constant_key(key: &ast::Expr, table: &Table, message: &str) -> Diagnostic {
    let diagnostic = Diagnostic::error(Code::E0109, key.span, message).label("the same in every row");
    match &key.kind {
        ast::ExprKind::Literal(Value::String(name)) if table.get(name).is_some() => Diagnostic::error(
            Code::E0207,
            key.span,
            format!("the string {name:?} stands where the column `{name}` belongs"),
        )
        .label("a string")
        .help(format!("columns are written without quotes: {}", name::written(name)))
        .fix(Fix::write(key.span, name::written(name))),
        _ => diagnostic.help("name a column, or compute one with `derive`"),
    }
}

pub(in crate::hir) fn sort(list: &[ast::SortKey], span: Span, b: &mut Builder<'_, '_>) {
    let typed = typed_keys(list, b);
    chooses(&typed, span, "rows are ordered by it here", b);
    let keys: Vec<SortKey> =
        typed.into_iter().map(|(key, descending)| SortKey { expr: key.expr, descending }).collect();
    if !keys.is_empty() {
        b.push(Op::Sort { keys }, span, Served::Skipped);
    }
}

/// What orders rows chooses among them, for a later `take`, `first` or `row_number`.
fn chooses(keys: &[(Typed, bool)], span: Span, words: &str, b: &mut Builder<'_, '_>) {
    for (key, _) in keys {
        b.table.chosen_by.absorb(&key.taint.elsewhere().through(span, words));
    }
}

/// A step over rows of all parts at once, below a split.
pub(in crate::hir) fn across_parts(what: &str, verb: Span, b: &mut Builder<'_, '_>) {
    if let Some(split) = &b.table.split {
        let diagnostic =
            Diagnostic::error(Code::E0406, verb, format!("{what} below the split mixes train and test rows"))
                .label("rows of all parts together")
                .related(split.span, split.words())
                .help(match split.key() {
                    Some(key) if what != "`take`" => {
                        format!("put it above the split, or let {} be among its keys", key.join(", "))
                    }
                    _ => "put it above the split".to_owned(),
                });
        b.report(diagnostic);
    }
}

pub(in crate::hir) fn take(count: &ast::Expr, verb: Span, span: Span, b: &mut Builder<'_, '_>) {
    across_parts("`take`", verb, b);
    match options::constant(count) {
        Some(Value::Int(n)) if n >= 0 => b.push(Op::Take { count: n as u64 }, span, Served::Skipped),
        _ => {
            let what = options::describe(count);
            b.report(
                Diagnostic::error(Code::E0105, count.span, format!("`take` wants a number of rows, not {what}"))
                    .label("not a whole number")
                    .help("write `take 100`"),
            );
        }
    }
}

pub(in crate::hir) fn distinct(
    by: &[Ident],
    keep: Option<&Ident>,
    order: &[ast::SortKey],
    verb: Span,
    span: Span,
    b: &mut Builder<'_, '_>,
) {
    let names: Vec<String> =
        by.iter().filter(|name| known(name, &b.table, &mut b.cx.out)).map(|n| n.name.clone()).collect();
    if names.len() < by.len() {
        return;
    }
    let keep = match keep {
        None => Keep::First,
        Some(word) if word.name == "first" => Keep::First,
        Some(word) if word.name == "last" => Keep::Last,
        Some(word) => {
            let diagnostic =
                Diagnostic::error(Code::E0104, word.span, format!("`keep {}` is neither first nor last", word.name))
                    .label("unknown word")
                    .near(&word.name, ["first", "last"]);
            b.report(diagnostic);
            return;
        }
    };
    if let Some(split) = &b.table.split {
        let covers = |key: Vec<&str>| names.is_empty() || key.iter().all(|k| names.iter().any(|n| n == k));
        if !split.key().is_some_and(covers) {
            across_parts("`distinct`", verb, b);
        }
    }
    if names.is_empty() && !order.is_empty() {
        let diagnostic =
            Diagnostic::error(Code::E0109, order[0].expr.span, "an order has no effect where whole rows are the same")
                .label("no effect")
                .help("say which columns: `distinct by id keep last order at`");
        b.report(diagnostic);
    }
    let order = typed_keys(order, b);
    chooses(&order, span, "rows are chosen by it here", b);
    for taint in names.iter().filter_map(|n| b.table.get(n)).map(|c| c.taint.elsewhere()).collect::<Vec<_>>() {
        b.table.chosen_by.absorb(&taint.through(span, "one row of each is chosen by it here"));
    }
    let order = order.into_iter().map(|(key, descending)| SortKey { expr: key.expr, descending }).collect();
    let told_apart: BTreeSet<&String> = if names.is_empty() { BTreeSet::new() } else { names.iter().collect() };
    if b.table.copies.as_ref().is_some_and(|c| told_apart.iter().all(|n| c.common.contains(*n))) {
        b.table.copies = None;
    }
    let key: BTreeSet<String> =
        if names.is_empty() { b.table.names().map(str::to_owned).collect() } else { names.iter().cloned().collect() };
    b.table.keys.push(key);
    b.push(Op::Distinct { by: names, keep, order }, span, Served::Skipped);
}
