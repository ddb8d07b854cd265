//! `group by … { … }`.

use std::collections::BTreeSet;

use dbjob_plan::{DataType, Expr, ExprKind, NamedExpr, Op, PART, Span};

use super::columns::{computed, exists, of_some_type};
use super::order::{across_parts, constant_key};
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::Served;
use crate::hir::expr::{Aggregates, Scope, check_expr};
use crate::hir::statistic::Statistic;
use crate::hir::table::{Column, Table};
use crate::hir::transform::Builder;
use crate::syntax::ast::{self, Ident, Named};

pub(in crate::hir) fn check(keys: &[Named], aggregates: &[Named], verb: Span, span: Span, b: &mut Builder<'_, '_>) {
    let mut out = Table {
        broken: b.table.broken,
        lost: b.table.lost.clone(),
        chosen_by: b.table.chosen_by.clone(),
        rows: b.table.rows.clone(),
        ..Table::default()
    };
    let mut key_exprs: Vec<NamedExpr> = Vec::new();
    for key in keys {
        let scope =
            Scope { table: &b.table, functions: &b.cx.functions, aggregates: Aggregates::Forbidden("a group key") };
        let typed = check_expr(scope, &key.value, &mut b.cx.out);
        if matches!(key.value.kind, ast::ExprKind::Literal(_)) {
            b.report(constant_key(&key.value, &b.table, "rows are not grouped by a constant"));
            out.broken = true;
            continue;
        }
        let Some(name) = name_of(key) else {
            let diagnostic = Diagnostic::error(Code::E0108, key.value.span, "this group key has no name")
                .label("not a column")
                .help("name it: `group by month(at) as month`");
            b.report(diagnostic);
            continue;
        };
        if typed.is_unknown() {
            out.broken = true;
            continue;
        }
        if *typed.dtype() == DataType::Float {
            let diagnostic = Diagnostic::error(
                Code::E0201,
                key.value.span,
                "a float is no group key: nearly equal numbers would be different groups",
            )
            .label("this is float")
            .help("make groups of it first: `floor(x)` or `round(x, 1)` into a string or int");
            b.report(diagnostic);
            continue;
        }
        let mut column = match &typed.expr.kind {
            // A column keeps its role and maps.
            ExprKind::Column(source) => {
                Column { name: name.name.clone(), ..b.table.get(source).expect("typed against this table").clone() }
            }
            _ => computed(&name, &typed),
        };
        column.span = name.span;
        add(&mut out, column, name.span, b);
        key_exprs.push(NamedExpr { name: name.name.clone(), expr: typed.expr });
    }
    let statistic = Statistic::of_group(&b.table, out.columns.iter(), span);
    let mut aggregate_exprs: Vec<NamedExpr> = Vec::new();
    for aggregate in aggregates {
        // Without keys the one group is the whole table, which may be empty.
        let place = if keys.is_empty() { Aggregates::Whole } else { Aggregates::Group };
        let scope = Scope { table: &b.table, functions: &b.cx.functions, aggregates: place };
        let typed = check_expr(scope, &aggregate.value, &mut b.cx.out);
        let Some(name) = &aggregate.name else {
            let diagnostic = Diagnostic::error(Code::E0108, aggregate.value.span, "this aggregate has no name")
                .label("unnamed")
                .help("name it: `orders = count()`");
            b.report(diagnostic);
            continue;
        };
        if typed.is_unknown() {
            out.broken = true;
            continue;
        }
        of_some_type(name, aggregate.value.span, &typed, b);
        let mut column = computed(name, &typed);
        column.statistics.push(statistic.clone());
        add(&mut out, column, name.span, b);
        aggregate_exprs.push(NamedExpr { name: name.name.clone(), expr: typed.expr });
    }
    if let Some(split) = b.table.split.clone() {
        let has = |k: &String| key_exprs.iter().any(|key| matches!(&key.expr.kind, ExprKind::Column(c) if c == k));
        if split.by.is_empty() || !split.by.iter().all(has) {
            across_parts("`group`", verb, b);
        } else {
            // The part is a function of the split's key, so it may be a key too.
            key_exprs.push(NamedExpr { name: PART.into(), expr: Expr::column(PART, DataType::Int, false, span) });
            out.split = Some(split);
        }
    }
    let key: BTreeSet<String> = key_exprs.iter().filter(|k| k.name != PART).map(|k| k.name.clone()).collect();
    if !key.is_empty() {
        out.keys.push(key);
    }
    b.table = out;
    b.push(
        Op::Group { keys: key_exprs, aggregates: aggregate_exprs },
        span,
        Served::Not("a group needs more than one row"),
    );
    if b.table.split.is_some() {
        // The part stands last, as everywhere.
        let names: Vec<String> = b.table.names().map(str::to_owned).chain([PART.to_owned()]).collect();
        let columns = names.into_iter().map(|n| dbjob_plan::Projection { from: n.clone(), to: n }).collect();
        b.push(Op::Project { columns }, span, Served::Computed);
    }
}

fn name_of(key: &Named) -> Option<Ident> {
    key.name.clone().or_else(|| match &key.value.kind {
        ast::ExprKind::Name(name) => Some(Ident { name: name.clone(), span: key.value.span }),
        _ => None,
    })
}

fn add(out: &mut Table, column: Column, span: Span, b: &mut Builder<'_, '_>) {
    match out.get(&column.name) {
        Some(old) => {
            let diagnostic = exists(&column.name, span, old.span).help("take another name");
            b.report(diagnostic);
        }
        None => out.put(column),
    }
}
