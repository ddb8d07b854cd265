//! The value of an expression whose columns have known values. Only what every engine computes to the bit: no logarithms.

use std::cmp::Ordering;

use dbjob_plan::{BinaryOp, DataType, Decimal, Expr, ExprKind, Value};

/// The value; `None` where it is not known here. `column` gives the value of a column.
pub(super) fn fold(expr: &Expr, column: &dyn Fn(&str) -> Option<Value>) -> Option<Value> {
    let below = |e: &Expr| fold(e, column);
    match &expr.kind {
        ExprKind::Column(name) => column(name),
        ExprKind::Literal(value) => Some(value.clone()),
        ExprKind::IsNull(x) => Some(Value::Bool(below(x)? == Value::Null)),
        ExprKind::Not(x) => Some(match below(x)? {
            Value::Bool(b) => Value::Bool(!b),
            _ => Value::Null,
        }),
        ExprKind::Negate(x) => match below(x)? {
            Value::Int(i) => i.checked_neg().map(Value::Int),
            Value::Float(x) => Some(Value::Float(-x)),
            Value::Decimal(d) => Some(Value::Decimal(Decimal { unscaled: -d.unscaled, ..d })),
            Value::Duration(us) => us.checked_neg().map(Value::Duration),
            Value::Null => Some(Value::Null),
            _ => None,
        },
        ExprKind::Binary { op: BinaryOp::Coalesce, left, right } => match below(left)? {
            Value::Null => below(right),
            value => Some(value),
        },
        ExprKind::Binary { op, left, right } => binary(*op, below(left)?, below(right)?),
        ExprKind::InList { value, items } => {
            let value = below(value)?;
            let items: Vec<Value> = items.iter().map(below).collect::<Option<_>>()?;
            if value == Value::Null {
                return Some(Value::Null);
            }
            let equal: Vec<Value> =
                items.into_iter().map(|item| binary(BinaryOp::Eq, value.clone(), item)).collect::<Option<_>>()?;
            Some(if equal.contains(&Value::Bool(true)) {
                Value::Bool(true)
            } else if equal.contains(&Value::Null) {
                Value::Null
            } else {
                Value::Bool(false)
            })
        }
        ExprKind::InRange { value, low, high, inclusive } => {
            let value = below(value)?;
            let end = |end: &Option<Box<Expr>>, op| match end {
                Some(end) => binary(op, value.clone(), below(end)?),
                None if value == Value::Null => Some(Value::Null),
                None => Some(Value::Bool(true)),
            };
            let high_op = if *inclusive { BinaryOp::Le } else { BinaryOp::Lt };
            binary(BinaryOp::And, end(low, BinaryOp::Ge)?, end(high, high_op)?)
        }
        ExprKind::If { condition, then, otherwise } => {
            if below(condition)? == Value::Bool(true) {
                below(then)
            } else {
                below(otherwise)
            }
        }
        ExprKind::Call { function, args } => {
            let args: Vec<Value> = args.iter().map(below).collect::<Option<_>>()?;
            call(function, &args, &expr.dtype)
        }
        ExprKind::List(_) | ExprKind::Aggregate { .. } => None,
    }
}

fn binary(op: BinaryOp, a: Value, b: Value) -> Option<Value> {
    use BinaryOp as B;
    match (op, &a, &b) {
        (B::And, Value::Bool(false), _) | (B::And, _, Value::Bool(false)) => return Some(Value::Bool(false)),
        (B::Or, Value::Bool(true), _) | (B::Or, _, Value::Bool(true)) => return Some(Value::Bool(true)),
        (_, Value::Null, _) | (_, _, Value::Null) => return Some(Value::Null),
        (B::And | B::Or, _, _) => return Some(Value::Bool(op == B::And)),
        _ => {}
    }
    if let Some(holds) = comparison(op) {
        return Some(Value::Bool(holds(compare(&a, &b)?)));
    }
    match (op, a, b) {
        (B::Add, Value::Int(a), Value::Int(b)) => a.checked_add(b).map(Value::Int),
        (B::Sub, Value::Int(a), Value::Int(b)) => a.checked_sub(b).map(Value::Int),
        (B::Mul, Value::Int(a), Value::Int(b)) => a.checked_mul(b).map(Value::Int),
        (B::Add, Value::Float(a), Value::Float(b)) => Some(Value::Float(a + b)),
        (B::Sub, Value::Float(a), Value::Float(b)) => Some(Value::Float(a - b)),
        (B::Mul, Value::Float(a), Value::Float(b)) => Some(Value::Float(a * b)),
        (B::Div, Value::Float(_), Value::Float(0.0)) => Some(Value::Null),
        (B::Div, Value::Float(a), Value::Float(b)) => Some(Value::Float(a / b)),
        (B::Add, Value::String(a), Value::String(b)) => Some(Value::String(a + &b)),
        (B::Add, Value::Duration(a), Value::Duration(b)) => a.checked_add(b).map(Value::Duration),
        (B::Sub, Value::Duration(a), Value::Duration(b)) => a.checked_sub(b).map(Value::Duration),
        _ => None,
    }
}

fn comparison(op: BinaryOp) -> Option<fn(Ordering) -> bool> {
    Some(match op {
        BinaryOp::Eq => Ordering::is_eq,
        BinaryOp::Ne => Ordering::is_ne,
        BinaryOp::Lt => Ordering::is_lt,
        BinaryOp::Le => Ordering::is_le,
        BinaryOp::Gt => Ordering::is_gt,
        BinaryOp::Ge => Ordering::is_ge,
        _ => return None,
    })
}

/// The order of two values of one type, neither null nor NaN.
fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
        (Value::Decimal(a), Value::Decimal(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        // Strings compare by code point, which is the order of their UTF-8 bytes.
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Date(a), Value::Date(b)) => Some(a.cmp(b)),
        (Value::Datetime(a), Value::Datetime(b)) | (Value::Duration(a), Value::Duration(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

fn call(function: &str, args: &[Value], dtype: &DataType) -> Option<Value> {
    Some(match (function, args) {
        ("coalesce", _) => args.iter().find(|v| **v != Value::Null).cloned().unwrap_or(Value::Null),
        (_, [Value::Null]) => Value::Null,
        ("float", [Value::Int(i)]) => Value::Float(*i as f64),
        ("float", [Value::Bool(b)]) => Value::Float(f64::from(u8::from(*b))),
        ("int", [Value::Bool(b)]) => Value::Int(i64::from(*b)),
        ("bool", [Value::Int(i)]) => Value::Bool(*i != 0),
        ("string", [value @ (Value::Int(_) | Value::Bool(_))]) => Value::String(value.to_string()),
        ("int" | "float" | "bool" | "string", [value]) if of_type(value, dtype) => value.clone(),
        _ => return None,
    })
}

fn of_type(value: &Value, dtype: &DataType) -> bool {
    matches!(
        (value, dtype),
        (Value::Int(_), DataType::Int)
            | (Value::Float(_), DataType::Float)
            | (Value::Bool(_), DataType::Bool)
            | (Value::String(_), DataType::String | DataType::Category { .. })
    )
}
