//! `group by … { … }`.

use std::collections::BTreeSet;

use dbjob_plan::{DataType, Expr, ExprKind, NamedExpr, Op, Span};

use super::columns::{computed, exists, of_some_type, part_of};
use super::order::{across_parts, constant_key};
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::Served;
use crate::hir::clock::Pace;
use crate::hir::expr::{Aggregates, Scope, check_expr};
use crate::hir::split::SplitFact;
use crate::hir::statistic::Statistic;
use crate::hir::table::{Column, Role, Table};
use crate::hir::taint::Taint;
use crate::hir::transform::Builder;
use crate::syntax::ast::{self, Ident, Named};

pub(in crate::hir) fn check(keys: &[Named], aggregates: &[Named], verb: Span, span: Span, b: &mut Builder<'_, '_>) {
    let mut out = Table {
        broken: b.table.broken,
        lost: b.table.lost.clone(),
        missing: b.table.missing.clone(),
        samples: b.table.samples,
        chosen_by: b.table.chosen_by.clone(),
        rows: b.table.rows.clone(),
        conditions: b.table.conditions.clone(),
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
        if let Some(diagnostic) = no_key(typed.dtype(), key.value.span) {
            b.report(diagnostic);
            continue;
        }
        let mut column = match &typed.expr.kind {
            // A column keeps its role and maps.
            ExprKind::Column(source) => {
                Column { name: name.name.clone(), ..b.table.get(source).expect("typed against this table").clone() }
            }
            _ => Column {
                pace: Pace::of(&typed.expr, |name| b.table.get(name)?.clock.clone()),
                ..computed(&name, &typed)
            },
        };
        column.span = name.span;
        column.aggregate = None;
        add(&mut out, column, name.span, b);
        key_exprs.push(NamedExpr { name: name.name.clone(), expr: typed.expr });
    }
    // Which rows are taken together hangs on the keys.
    let mut grouped_by = Taint::new();
    out.columns.iter().for_each(|key| grouped_by.absorb(&key.taint.elsewhere()));
    let grouped_by = grouped_by.through(verb, "rows are grouped by it here");
    let statistic = Statistic::of_group(&b.table, &out.columns, span);
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
        column.taint.absorb(&grouped_by);
        column.statistics.push(statistic.clone());
        column.aggregate = Some(statistic.clone());
        if is_one_id(&typed.expr, &b.table) {
            column.role = Role::Id;
        }
        add(&mut out, column, name.span, b);
        aggregate_exprs.push(NamedExpr { name: name.name.clone(), expr: typed.expr });
    }
    let key: BTreeSet<String> = key_exprs.iter().map(|k| k.name.clone()).collect();
    let here = |name: &str| {
        let of = |key: &&NamedExpr| matches!(&key.expr.kind, ExprKind::Column(c) if c == name);
        key_exprs.iter().find(of).map(|key| key.name.clone())
    };
    out.split = split_of_groups("`group`", verb, here, b);
    // That it has none any more was told.
    out.unsplit = b.table.unsplit.or(b.table.split.as_ref().filter(|_| out.split.is_none()).map(|_| verb));
    if let Some(split) = &out.split {
        // Part and fold are functions of the split's key, so they may be keys too.
        let hidden = split.hidden().of_key();
        key_exprs.extend(
            hidden.map(|name| NamedExpr { name: name.into(), expr: Expr::column(name, DataType::Int, false, span) }),
        );
    }
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
        // The hidden columns stand last, as everywhere.
        let visible = b.table.names().map(|n| dbjob_plan::Projection { from: n.into(), to: n.into() });
        let columns = visible.chain(part_of(&b.table)).collect();
        b.push(Op::Project { columns }, span, Served::Computed);
    }
}

/// Whether a value is the id of one of the rows of a group: whose rows they are is still known then.
fn is_one_id(value: &Expr, table: &Table) -> bool {
    match &value.kind {
        ExprKind::Aggregate { function, args, .. } if matches!(function.as_str(), "first" | "last" | "min" | "max") => {
            let id = |name: &String| table.get(name).is_some_and(|c| c.role == Role::Id);
            args.first().is_some_and(|arg| matches!(&arg.kind, ExprKind::Column(name) if id(name)))
        }
        _ => false,
    }
}

/// Why values of a type make no groups.
pub(super) fn no_key(dtype: &DataType, span: Span) -> Option<Diagnostic> {
    let (message, help) = match dtype {
        DataType::Float => (
            "a float is no group key: nearly equal numbers would be different groups".to_owned(),
            "make groups of it first: `floor(x)` or `round(x, 1)` into a string or int",
        ),
        dtype if !dtype.is_comparable() => {
            (format!("{dtype} is no group key"), "group by what is in it: `explode` it, or take `length(xs)`")
        }
        _ => return None,
    };
    Some(Diagnostic::error(Code::E0201, span, message).label(format!("this is {dtype}")).help(help))
}

/// What is left of the split above where rows become groups; `here` gives what a column is called as a key. That the
/// groups mix the rows of several parts is told.
pub(super) fn split_of_groups(
    what: &str,
    verb: Span,
    here: impl Fn(&str) -> Option<String>,
    b: &mut Builder<'_, '_>,
) -> Option<SplitFact> {
    let mut split = b.table.split.clone()?;
    if split.key().is_none_or(|key| key.into_iter().any(|name| here(name).is_none())) {
        across_parts(what, verb, b);
        return None;
    }
    split.rename(here);
    split.rows = false;
    Some(split)
}

fn name_of(key: &Named) -> Option<Ident> {
    key.name.clone().or_else(|| match &key.value.kind {
        ast::ExprKind::Name(name) => Some(Ident { name: name.clone(), span: key.value.span }),
        _ => None,
    })
}

pub(super) fn add(out: &mut Table, column: Column, span: Span, b: &mut Builder<'_, '_>) {
    match out.get(&column.name) {
        Some(old) => {
            let diagnostic = exists(&column.name, span, old.span).help("take another name");
            b.report(diagnostic);
        }
        None => out.put(column),
    }
}
