//! `window by … order … { … }`.

use dbjob_plan::{DataType, Expr, ExprKind, NamedExpr, Op, SortKey, Span};

use super::columns::{computed, exists, of_some_type};
use super::order::{self, constant_key};
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::Served;
use crate::hir::expr::{Aggregates, Scope, Typed, check_expr};
use crate::hir::statistic::Statistic;
use crate::hir::table::{Column, Role, Table};
use crate::hir::taint::Taint;
use crate::hir::transform::Builder;
use crate::hir::window::{Order, Window, sights};
use crate::syntax::ast::{self, Named};

pub(in crate::hir) fn check(
    by: &[ast::Expr],
    order: &[ast::SortKey],
    columns: &[Named],
    span: Span,
    b: &mut Builder<'_, '_>,
) {
    let partition = partition(by, b);
    let sorted = order::typed_keys(order, b);
    let mut keys = Taint::new();
    partition.iter().chain(sorted.iter().map(|(key, _)| key)).for_each(|key| keys.absorb(&key.taint));
    let by: Vec<Expr> = partition.into_iter().map(|key| key.expr).collect();
    let window = Window { order: order_of(order, &sorted, &by, &b.table), keys };
    let statistic = {
        let of = |e: &Expr| if let ExprKind::Column(name) = &e.kind { b.table.get(name) } else { None };
        Statistic::of_window(&b.table, by.iter().filter_map(of), span)
    };
    let mut new: Vec<Column> = Vec::new();
    let mut named: Vec<NamedExpr> = Vec::new();
    for column in columns {
        let told = b.cx.out.len();
        let scope = Scope { table: &b.table, functions: &b.cx.functions, aggregates: Aggregates::Window(&window) };
        let typed = check_expr(scope, &column.value, &mut b.cx.out);
        for problem in b.cx.out[told..].iter_mut().filter(|d| d.code == Code::E0203) {
            if new.iter().any(|c| problem.message == format!("there is no column `{}` here", c.name)) {
                problem.help = Some("the columns of a window do not see each other: `derive` it below".into());
            }
        }
        let Some(name) = &column.name else {
            let diagnostic = Diagnostic::error(Code::E0108, column.value.span, "this column has no name")
                .label("unnamed")
                .help("name it: `previous = lag(amount)`");
            b.report(diagnostic);
            continue;
        };
        let twice = new.iter().find(|c| c.name == name.name);
        if let Some(first) = b.table.get(&name.name).or(twice).map(|c| c.span) {
            b.report(exists(&name.name, name.span, first).help("take another name"));
            continue;
        }
        of_some_type(name, column.value.span, &typed, b);
        let mut made = computed(name, &typed);
        if let Some(at) = not_back_in_time(&typed, &window) {
            // What was told of the window is not told of what it is used for.
            if !below_split(at, &by, b) {
                made.statistics.push(statistic.clone());
            }
        }
        new.push(made);
        named.push(NamedExpr { name: name.name.clone(), expr: typed.expr });
    }
    new.into_iter().for_each(|column| b.table.put(column));
    let order = sorted.into_iter().map(|(key, descending)| SortKey { expr: key.expr, descending }).collect();
    let op = Op::Window(dbjob_plan::Window { by, order, columns: named });
    b.push(op, span, Served::Not("a window needs more than one row"));
}

fn partition(by: &[ast::Expr], b: &mut Builder<'_, '_>) -> Vec<Typed> {
    let mut keys = Vec::new();
    for key in by {
        let scope = Scope {
            table: &b.table,
            functions: &b.cx.functions,
            aggregates: Aggregates::Forbidden("a key of a window"),
        };
        let typed = check_expr(scope, key, &mut b.cx.out);
        if matches!(key.kind, ast::ExprKind::Literal(_)) {
            b.report(constant_key(key, &b.table, "a constant parts no rows"));
        } else if *typed.dtype() == DataType::Float {
            let diagnostic = Diagnostic::error(
                Code::E0201,
                key.span,
                "a float is no key of a window: nearly equal numbers would be apart",
            )
            .label("this is float")
            .help("make groups of it first: `floor(x)` or `round(x, 1)` into a string or int");
            b.report(diagnostic);
        } else if !typed.is_unknown() {
            keys.push(typed);
        }
    }
    keys
}

/// What the first key tells; of an order whose keys are all wrong only that there is one.
fn order_of(written: &[ast::SortKey], sorted: &[(Typed, bool)], by: &[Expr], table: &Table) -> Option<Order> {
    let span = written.first()?.expr.span;
    let Some((key, descending)) = sorted.first() else {
        return Some(Order {
            span,
            dtype: DataType::Unknown,
            nullable: true,
            descending: false,
            unique: false,
            time: None,
            by_time: false,
        });
    };
    let columns = by.iter().chain([&key.expr]).filter_map(|e| match &e.kind {
        ExprKind::Column(name) => Some(name.as_str()),
        _ => None,
    });
    let is_time =
        |c: &Column| c.role == Role::Time && matches!(&key.expr.kind, ExprKind::Column(name) if *name == c.name);
    let of_row = table.time().and_then(|c| c.clock.clone());
    let time = of_row.filter(|time| key.clock.as_ref().is_some_and(|clock| clock.after(time).is_some()));
    Some(Order {
        span: key.expr.span,
        dtype: key.dtype().clone(),
        nullable: key.expr.nullable,
        descending: *descending,
        unique: table.unique_by(columns),
        by_time: time.is_some() || table.columns.iter().any(is_time),
        time,
    })
}

/// What of a value is more than a look back in time from its row.
fn not_back_in_time(typed: &Typed, window: &Window) -> Option<Span> {
    let back = |sight| window.order.as_ref().is_some_and(|order| order.looks_back_in_time(sight));
    sights(&typed.expr).into_iter().find(|(sight, _)| !back(*sight)).map(|(_, at)| at)
}

/// Below a split no row may see one of another part. Whether it was told that rows do.
fn below_split(at: Span, by: &[Expr], b: &mut Builder<'_, '_>) -> bool {
    let Some(split) = &b.table.split else { return false };
    let has = |k: &str| by.iter().any(|key| matches!(&key.kind, ExprKind::Column(c) if c == k));
    if split.key().is_some_and(|key| key.into_iter().all(has)) {
        return false;
    }
    let help = "put it above the split, let the split's key be among its keys, or look only back from the row's `time`";
    let diagnostic = Diagnostic::error(Code::E0406, at, "a window below the split sees test rows from train rows")
        .label("rows of all parts together")
        .related(split.span, split.words())
        .help(help);
    b.report(diagnostic);
    true
}
