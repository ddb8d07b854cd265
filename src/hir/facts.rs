//! What a condition that held says about the columns of the rows that passed.

use dbjob_plan::{BinaryOp, DataType, Expr, ExprKind};

use super::range::Range;
use super::table::Table;
use super::taint::Taint;
use crate::catalog::function::{self, Nulls};

/// What rows are chosen by that a predicate keeps. That a label is there at all says nothing about its value.
pub(super) fn chooses(table: &Table, predicate: &Expr) -> Taint {
    let mut taint = Taint::new();
    match &predicate.kind {
        ExprKind::Binary { op: BinaryOp::And, left, right } => {
            taint.absorb(&chooses(table, left));
            taint.absorb(&chooses(table, right));
        }
        ExprKind::Not(inner) if matches!(inner.kind, ExprKind::IsNull(_)) => {}
        _ => predicate.columns().into_iter().filter_map(|name| table.get(name)).for_each(|c| taint.absorb(&c.taint)),
    }
    taint
}

/// Narrows nullability and ranges by a predicate that is true of every row.
pub(super) fn assume(table: &mut Table, predicate: &Expr) {
    let mut conditions = std::mem::take(&mut table.conditions);
    conditions.add(predicate, table);
    table.conditions = conditions;
    narrow_all(table, predicate);
}

/// The table as an expression sees it that is computed only where `condition` is true, or only where it is not: false or
/// null.
pub(super) fn branch(table: &Table, condition: &Expr, holds: bool) -> Table {
    let mut table = table.clone();
    if holds {
        narrow_all(&mut table, condition)
    } else {
        not_true(&mut table, condition)
    }
    table
}

fn narrow_all(table: &mut Table, predicate: &Expr) {
    match &predicate.kind {
        ExprKind::Binary { op: BinaryOp::And, left, right } => {
            narrow_all(table, left);
            narrow_all(table, right);
        }
        ExprKind::Binary { op, left, right } if is_comparison(*op) => {
            not_null(table, left);
            not_null(table, right);
            bound(table, left, *op, right);
            bound(table, right, op.mirrored(), left);
        }
        ExprKind::InList { value, items } => {
            not_null(table, value);
            let ranges: Option<Vec<Range>> = items.iter().map(constant).map(|c| c.map(Range::exactly)).collect();
            if let Some(range) = ranges.and_then(|r| r.into_iter().reduce(Range::or)) {
                narrow(table, value, range);
            }
        }
        ExprKind::InRange { value, low, high, inclusive } => {
            not_null(table, value);
            let end = |e: &Option<Box<Expr>>, or: f64| e.as_deref().map_or(Some(or), constant);
            if let (Some(low), Some(high_end)) = (end(low, f64::NEG_INFINITY), end(high, f64::INFINITY)) {
                let below = high.is_some() && !inclusive;
                narrow(table, value, Range { low, high: high_end, above: false, below });
            }
        }
        ExprKind::Not(inner) => not_at_all(table, inner),
        ExprKind::Column(_) if predicate.dtype == DataType::Bool => not_null(table, predicate),
        ExprKind::Call { .. } => not_null(table, predicate),
        _ => {}
    }
}

/// What holds where a predicate is false.
fn not_at_all(table: &mut Table, predicate: &Expr) {
    not_true(table, predicate);
    match &predicate.kind {
        ExprKind::Not(inner) => narrow_all(table, inner),
        ExprKind::Binary { op: BinaryOp::Or, left, right } => {
            not_at_all(table, left);
            not_at_all(table, right);
        }
        ExprKind::Binary { op, left, right } if is_comparison(*op) => {
            not_null(table, left);
            not_null(table, right);
        }
        ExprKind::InList { value, .. } | ExprKind::InRange { value, .. } => not_null(table, value),
        ExprKind::Column(_) => not_null(table, predicate),
        _ => {}
    }
}

/// What holds where a predicate is false or null. Of null a range says nothing, so that ranges hold then too.
fn not_true(table: &mut Table, predicate: &Expr) {
    match &predicate.kind {
        ExprKind::IsNull(value) => not_null(table, value),
        ExprKind::Not(inner) if !predicate.nullable => narrow_all(table, inner),
        ExprKind::Binary { op: BinaryOp::Or, left, right } => {
            not_true(table, left);
            not_true(table, right);
        }
        ExprKind::Binary { op, left, right } => {
            if let Some(op) = opposite(*op) {
                bound(table, left, op, right);
                bound(table, right, op.mirrored(), left);
            }
        }
        _ => {}
    }
}

/// The comparison that is true where this one is false.
fn opposite(op: BinaryOp) -> Option<BinaryOp> {
    Some(match op {
        BinaryOp::Eq => BinaryOp::Ne,
        BinaryOp::Ne => BinaryOp::Eq,
        BinaryOp::Lt => BinaryOp::Ge,
        BinaryOp::Le => BinaryOp::Gt,
        BinaryOp::Gt => BinaryOp::Le,
        BinaryOp::Ge => BinaryOp::Lt,
        _ => return None,
    })
}

fn is_comparison(op: BinaryOp) -> bool {
    use BinaryOp::*;
    matches!(op, Eq | Ne | Lt | Le | Gt | Ge)
}

/// The columns whose null would make the expression null.
fn not_null(table: &mut Table, expr: &Expr) {
    match &expr.kind {
        ExprKind::Column(name) => {
            if let Some(column) = table.get_mut(name) {
                column.nullable = false;
            }
        }
        ExprKind::Negate(x) | ExprKind::Not(x) => not_null(table, x),
        ExprKind::Binary { op, left, right } if !matches!(op, BinaryOp::Coalesce | BinaryOp::And | BinaryOp::Or) => {
            not_null(table, left);
            not_null(table, right);
        }
        ExprKind::Call { function, args } => {
            let strict = function::find(function).is_some_and(|f| matches!(f.nulls, Nulls::FromAny | Nulls::Domain(_)));
            // A failing `try_int` gives null too, so that its argument is not null where it is not.
            if strict || function.starts_with("try_") {
                args.iter().for_each(|arg| not_null(table, arg));
            }
        }
        _ => {}
    }
}

fn constant(expr: &Expr) -> Option<f64> {
    match &expr.kind {
        ExprKind::Literal(value) => value.as_f64(),
        ExprKind::Negate(x) => constant(x).map(|c| -c),
        _ => None,
    }
}

fn bound(table: &mut Table, value: &Expr, op: BinaryOp, limit: &Expr) {
    let Some(c) = constant(limit) else { return };
    let range = match op {
        BinaryOp::Eq => Range::exactly(c),
        BinaryOp::Lt => Range { high: c, below: true, ..Range::ALL },
        BinaryOp::Le => Range { high: c, ..Range::ALL },
        BinaryOp::Gt => Range { low: c, above: true, ..Range::ALL },
        BinaryOp::Ge => Range { low: c, ..Range::ALL },
        BinaryOp::Ne if c == 0.0 => return exclude_zero(table, value),
        _ => return,
    };
    narrow(table, value, range);
}

/// `x != 0` of what is not negative means that it is positive.
fn exclude_zero(table: &mut Table, value: &Expr) {
    if let ExprKind::Column(name) = &value.kind
        && let Some(column) = table.get_mut(name)
        && column.range.is_non_negative()
    {
        column.range = column.range.and(Range { low: 0.0, above: true, ..Range::ALL });
    }
}

fn narrow(table: &mut Table, value: &Expr, range: Range) {
    match &value.kind {
        ExprKind::Column(name) => {
            if let Some(column) = table.get_mut(name) {
                column.range = column.range.and(range);
            }
        }
        ExprKind::Call { function, args } if function == "float" => narrow(table, &args[0], range),
        _ => {}
    }
}
