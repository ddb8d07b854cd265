//! Conditions that are true of no row, by what is known of its columns.

use dbjob_plan::{BinaryOp, DataType, Expr, ExprKind, Refinement, Value};

use super::facts;
use super::table::{Column, Table};

/// What makes the condition true of no row: the column, and what is known of it in words. `None`: it may be true.
pub(super) fn true_of<'t>(table: &'t Table, predicate: &Expr) -> Option<(&'t Column, String)> {
    match &predicate.kind {
        ExprKind::Binary { op: BinaryOp::Or, left, right } => {
            true_of(table, left).and_then(|found| true_of(table, right).map(|_| found))
        }
        ExprKind::Binary { op: BinaryOp::And, left, right } => {
            true_of(table, left).or_else(|| true_of(table, right)).or_else(|| out_of_range(table, predicate))
        }
        ExprKind::Binary { op: BinaryOp::Eq, left, right } => out_of_range(table, predicate)
            .or_else(|| not_listed(table, left, std::slice::from_ref(right)))
            .or_else(|| not_listed(table, right, std::slice::from_ref(left))),
        ExprKind::InList { value, items } => out_of_range(table, predicate).or_else(|| not_listed(table, value, items)),
        ExprKind::IsNull(value) => {
            let column = promised(table, value).filter(|c| !c.nullable)?;
            Some((column, "never null".into()))
        }
        _ => out_of_range(table, predicate),
    }
}

/// A column of which somebody promises what it is.
fn promised<'t>(table: &'t Table, value: &Expr) -> Option<&'t Column> {
    let ExprKind::Column(name) = &value.kind else { return None };
    table.get(name).filter(|column| !column.unchecked)
}

/// A column that has no value left where the condition holds.
fn out_of_range<'t>(table: &'t Table, predicate: &Expr) -> Option<(&'t Column, String)> {
    let after = facts::branch(table, predicate, true);
    predicate.columns().into_iter().find_map(|name| {
        let column = table.get(name).filter(|c| !c.unchecked && !is_empty(c))?;
        is_empty(after.get(name)?).then(|| (column, column.range.words()))
    })
}

/// Whether no number is in the range, not only none that a float tells apart from its ends.
fn is_empty(column: &Column) -> bool {
    const EXACT: f64 = (1_u64 << 53) as f64;
    let range = column.range;
    if range.low > range.high {
        return true;
    }
    let exact = range.low.abs() < EXACT && range.high.abs() < EXACT;
    match column.dtype {
        DataType::Int if exact => range.of_ints().low > range.of_ints().high,
        DataType::Float => range.low == range.high && (range.above || range.below),
        _ => false,
    }
}

/// A column of listed values, none of which is among the constants.
fn not_listed<'t, E: std::borrow::Borrow<Expr>>(
    table: &'t Table,
    value: &Expr,
    constants: &[E],
) -> Option<(&'t Column, String)> {
    let column = promised(table, value)?;
    let Some(Refinement::OneOf(values)) = &column.refinement else { return None };
    let missing = |constant: &E| match &constant.borrow().kind {
        ExprKind::Literal(text @ Value::String(_)) => !values.contains(text),
        _ => false,
    };
    constants.iter().all(missing).then(|| (column, format!("one of {}", Value::List(values.clone()))))
}
