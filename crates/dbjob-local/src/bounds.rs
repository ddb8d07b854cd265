//! What an integer expression can be at most, from literals, refinements and a few functions. Arithmetic that cannot
//! leave 64 bits needs no overflow check.

use dbjob_plan::{BinaryOp, DataType, Expr, ExprKind, Refinement, Schema, Value};

/// Bounds (both inclusive) of an `Int` expression if they are known and fit 64 bits.
pub(crate) fn bounds(expr: &Expr, schema: &Schema) -> Option<(i128, i128)> {
    let (low, high) = interval(expr, schema)?;
    (low >= i128::from(i64::MIN) && high <= i128::from(i64::MAX)).then_some((low, high))
}

fn interval(expr: &Expr, schema: &Schema) -> Option<(i128, i128)> {
    if expr.dtype != DataType::Int {
        return None;
    }
    match &expr.kind {
        ExprKind::Literal(Value::Int(i)) => Some((i128::from(*i), i128::from(*i))),
        ExprKind::Column(name) => column(name, schema),
        ExprKind::Negate(x) => bounds(x, schema).map(|(low, high)| (-high, -low)),
        ExprKind::If { then, otherwise, .. } => hull(bounds(then, schema)?, bounds(otherwise, schema)?),
        ExprKind::Binary { op, left, right } => {
            let (a, b) = (bounds(left, schema)?, bounds(right, schema)?);
            match op {
                BinaryOp::Add => Some((a.0 + b.0, a.1 + b.1)),
                BinaryOp::Sub => Some((a.0 - b.1, a.1 - b.0)),
                BinaryOp::Mul => {
                    let corners = [a.0 * b.0, a.0 * b.1, a.1 * b.0, a.1 * b.1];
                    Some((*corners.iter().min()?, *corners.iter().max()?))
                }
                BinaryOp::Coalesce => hull(a, b),
                _ => None,
            }
        }
        ExprKind::Call { function, .. } => match function.as_str() {
            "month" | "day" | "hour" | "minute" | "second" | "weekday" | "week" | "quarter" | "day_of_year" => {
                Some((0, 366))
            }
            // Years of the dates that 32-bit days can hold, lengths of strings that 32 bits can count.
            "year" | "length" => Some((-6_000_000, i128::from(u32::MAX))),
            _ => None,
        },
        _ => None,
    }
}

fn hull(a: (i128, i128), b: (i128, i128)) -> Option<(i128, i128)> {
    Some((a.0.min(b.0), a.1.max(b.1)))
}

/// The declared range of a column; it is checked on load, so it can be relied on.
pub(crate) fn column(name: &str, schema: &Schema) -> Option<(i128, i128)> {
    match schema.get(name)?.refinement.as_ref()? {
        Refinement::Range { low: Some(low), high: Some(high), inclusive } => {
            let (low, high) = (low.as_i64()?, high.as_i64()?);
            Some((i128::from(low), i128::from(high) - i128::from(!*inclusive)))
        }
        Refinement::Range { .. } => None,
        Refinement::OneOf(values) => {
            let values: Option<Vec<i64>> = values.iter().map(Value::as_i64).collect();
            let values = values?;
            Some((i128::from(*values.iter().min()?), i128::from(*values.iter().max()?)))
        }
    }
}
