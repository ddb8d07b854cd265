//! `derive`, `select`, `drop`, `rename`.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use dbjob_plan::{DataType, Expr, ExprKind, NamedExpr, Op, Projection, Span};

use crate::diagnostic::{Code, Diagnostic};
use crate::hir::clock::Pace;
use crate::hir::expr::{Aggregates, Scope, Typed, check_expr};
use crate::hir::selection::{columns_of, known};
use crate::hir::statistic::Statistic;
use crate::hir::table::{Column, Role, Table};
use crate::hir::taint::{TaintKind, TaintSource};
use crate::hir::transform::Builder;
use crate::hir::{Served, formula};
use crate::syntax::ast::{DeriveColumn, Ident, Selection};

/// A computed column.
pub(in crate::hir) fn computed(name: &Ident, value: &Typed) -> Column {
    let words = format!("`{}` is computed from it", name.name);
    Column {
        taint: value.taint.through(name.span, &words),
        origin: value.origin.clone(),
        elsewhere: value.elsewhere.clone(),
        statistics: value.statistics.through(name.span, &words),
        range: value.range,
        clock: value.clock.clone(),
        ..Column::new(name.name.clone(), value.expr.dtype.clone(), value.expr.nullable, name.span)
    }
}

pub(in crate::hir) fn derive(replace: bool, list: &[DeriveColumn], span: Span, b: &mut Builder<'_, '_>) {
    let mut columns = Vec::new();
    for new in list {
        let scope =
            Scope { table: &b.table, functions: &b.cx.functions, aggregates: Aggregates::Forbidden("`derive`") };
        let value = check_expr(scope, &new.value, &mut b.cx.out);
        let name = &new.name.name;
        if let Some(old) = b.table.get(name) {
            if !replace {
                let old_span = old.span;
                b.report(exists(name, new.name.span, old_span));
                continue;
            }
        } else if replace && !b.table.excuses(name) {
            let message = format!("there is no column `{name}` to replace");
            let diagnostic = Diagnostic::error(Code::E0203, new.name.span, message)
                .label("unknown column")
                .help("write `derive` for a new column")
                .near(name, b.table.names());
            b.report(diagnostic);
        }
        of_some_type(&new.name, new.value.span, &value, b);
        let mut column = computed(&new.name, &value);
        column.plain = match &value.expr.kind {
            ExprKind::Column(source) => b.table.get(source).is_some_and(|c| c.plain),
            _ => false,
        };
        column.aggregate = of_one_group(&value.expr, &b.table);
        column.pace = Pace::of(&value.expr, |name| b.table.get(name)?.clock.clone());
        column.constant = !matches!(column.dtype, DataType::List { .. })
            && value.expr.columns().iter().all(|c| b.table.get(c).is_some_and(|c| b.table.is_constant(c)));
        if let ExprKind::Column(source) = &value.expr.kind
            && source != name
        {
            column.copied = copied(source, b);
        }
        if let Some(old) = b.table.get(name).filter(|_| value.expr.columns() == [name.as_str()]) {
            b.cx.next_map += 1;
            column.replaced = formula::replaced(old, &value, b.cx.next_map, new.name.span);
        }
        if let Some(label) = new.label {
            column.role = Role::Label;
            column.taint.add(name.clone(), TaintSource::new(TaintKind::Built, label));
        }
        b.table.forget_keys_with(name);
        hide(name, b);
        b.table.put(column);
        columns.push(NamedExpr { name: name.clone(), expr: value.expr });
    }
    if !columns.is_empty() {
        b.push(Op::Derive { columns }, span, Served::Computed);
    }
}

/// The group of which all that an expression reads is an aggregate.
fn of_one_group(expr: &Expr, table: &Table) -> Option<Arc<Statistic>> {
    let mut groups = expr.columns().into_iter().map(|name| table.get(name)?.aggregate.clone());
    let first = groups.next()??;
    groups.all(|group| group.is_some_and(|group| Arc::ptr_eq(&group, &first))).then_some(first)
}

/// What a copy of the column has in common with it.
pub(in crate::hir) fn copied(source: &str, b: &mut Builder<'_, '_>) -> Option<(u32, Vec<String>)> {
    let column = b.table.get_mut(source)?;
    if column.copied.is_none() {
        b.cx.next_map += 1;
        column.copied = Some((b.cx.next_map, Vec::new()));
    }
    column.copied.clone()
}

/// Reports a value that is nothing but null.
pub(in crate::hir) fn of_some_type(name: &Ident, span: Span, value: &Typed, b: &mut Builder<'_, '_>) {
    if value.expr.dtype == (DataType::List { item: Box::new(DataType::Unknown) }) {
        let message = format!("the items of `{}` are of no type", name.name);
        let diagnostic = Diagnostic::error(Code::E0201, span, message)
            .label("an empty list of what?")
            .help("say of which type: `split(\"\", \",\")` gives a list of strings, `[0]` one of ints");
        b.report(diagnostic);
    }
    if value.expr.dtype == DataType::Unknown && value.expr.nullable {
        let message = format!("`{}` is null in every row, and of no type", name.name);
        let diagnostic = Diagnostic::error(Code::E0201, span, message)
            .label("only null")
            .help("say of which type: `try_int(\"\")` gives a null int");
        b.report(diagnostic);
    }
}

pub(in crate::hir) fn exists(name: &str, span: Span, first: Span) -> Diagnostic {
    Diagnostic::error(Code::E0204, span, format!("the column `{name}` exists already"))
        .again()
        .related(first, "first here")
        .help("write `derive replace` to change it, or take another name")
}

pub(in crate::hir) fn select(selection: &Selection, span: Span, b: &mut Builder<'_, '_>) {
    let mut names: Vec<String> = Vec::new();
    let problems = b.cx.out.len();
    for selector in &selection.items {
        for name in columns_of(selector, &b.table, &mut b.cx.out) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    if b.cx.out.len() > problems {
        // What was meant is not known: the columns stay, and none is reported missing from here on.
        b.table.broken = true;
        return;
    }
    if names.is_empty() {
        if !b.table.broken && b.table.missing.is_empty() && b.table.lost.is_empty() {
            b.report(
                Diagnostic::error(Code::E0108, selection.span, "no column is left")
                    .label("selects none")
                    .help("select at least one"),
            );
        }
        b.table.broken = true;
        return;
    }
    keep(names, span, b);
}

pub(in crate::hir) fn drop(selection: &Selection, span: Span, b: &mut Builder<'_, '_>) {
    let mut gone: HashSet<String> = HashSet::new();
    for selector in &selection.items {
        gone.extend(columns_of(selector, &b.table, &mut b.cx.out));
    }
    let names: Vec<String> = b.table.names().filter(|n| !gone.contains(*n)).map(str::to_owned).collect();
    if names.is_empty() && !b.table.broken {
        b.report(
            Diagnostic::error(Code::E0108, selection.span, "no column is left")
                .label("all are dropped")
                .help("keep at least one: `select a, b`"),
        );
        return;
    }
    keep(names, span, b);
}

/// The column is gone, or has other values: that rows share an id, or have a time, is so all the same.
fn hide(name: &str, b: &mut Builder<'_, '_>) {
    let Some(column) = b.table.get(name) else { return };
    match column.role {
        Role::Id if !b.table.unique_by([name]) => b.table.dropped_ids.push(column.clone()),
        Role::Time => b.table.dropped_time = Some(column.clone()),
        _ => {}
    }
}

fn keep(names: Vec<String>, span: Span, b: &mut Builder<'_, '_>) {
    let kept: HashSet<&str> = names.iter().map(String::as_str).collect();
    let gone: Vec<String> = b.table.names().filter(|n| !kept.contains(n)).map(str::to_owned).collect();
    gone.iter().for_each(|name| hide(name, b));
    b.table.keys.retain(|key| key.iter().all(|k| kept.contains(k.as_str())));
    if let Some(split) = &mut b.table.split {
        split.rename(|name| kept.contains(name).then(|| name.to_owned()));
    }
    b.table.columns.keep(names.iter().map(String::as_str));
    project(names.iter().map(|n| (n.clone(), n.clone())).collect(), span, b);
}

/// The projection to `pairs` (from, to), the hidden columns with it.
fn project(pairs: Vec<(String, String)>, span: Span, b: &mut Builder<'_, '_>) {
    let mut columns: Vec<Projection> = pairs.into_iter().map(|(from, to)| Projection { from, to }).collect();
    columns.extend(part_of(&b.table));
    b.push(Op::Project { columns }, span, Served::Computed);
}

/// The hidden columns as they are.
pub(in crate::hir) fn part_of(table: &Table) -> impl Iterator<Item = Projection> {
    table.hidden().names().map(|name| Projection { from: name.into(), to: name.into() })
}

pub(in crate::hir) fn rename(pairs: &[(Ident, Ident)], span: Span, b: &mut Builder<'_, '_>) {
    let mut renamed: Vec<(String, String)> = Vec::new();
    let mut pairs_of: Vec<&(Ident, Ident)> = Vec::new();
    for pair in pairs {
        let (old, new) = pair;
        if !known(old, &b.table, &mut b.cx.out) {
            continue;
        }
        let leaves = pairs.iter().any(|(o, _)| o.name == new.name);
        if let Some(other) = b.table.get(&new.name).filter(|_| !leaves && old.name != new.name) {
            let diagnostic =
                exists(&new.name, new.span, other.span).help("take another name, or drop that column first");
            b.report(diagnostic);
            continue;
        }
        if renamed.iter().any(|(_, n)| *n == new.name) {
            let diagnostic = exists(&new.name, new.span, new.span).help("two columns cannot have one name");
            b.report(diagnostic);
            continue;
        }
        renamed.push((old.name.clone(), new.name.clone()));
        pairs_of.push(pair);
    }
    let new_name = |name: &str| renamed.iter().find(|(old, _)| old == name).map_or(name, |(_, new)| new).to_owned();
    let pairs: Vec<(String, String)> = b.table.names().map(|n| (n.to_owned(), new_name(n))).collect();
    b.table.columns.update(|column| {
        if let Some((old, new)) = pairs_of.iter().find(|(old, _)| old.name == column.name) {
            let words = format!("`{}` is now `{}`", old.name, new.name);
            column.taint = column.taint.through(new.span, &words);
            column.statistics = column.statistics.through(new.span, &words);
            column.name.clone_from(&new.name);
        }
    });
    for key in &mut b.table.keys {
        *key = key.iter().map(|k| new_name(k)).collect::<BTreeSet<_>>();
    }
    for (on, id) in &mut b.table.follows {
        on.iter_mut().chain([id]).for_each(|name| *name = new_name(name));
    }
    if let Some(split) = &mut b.table.split {
        split.rename(|name| Some(new_name(name)));
    }
    project(pairs, span, b);
}
