use crate::{BinaryOp, Expr, ExprKind, Value};

/// Evaluates an expression of numbers and booleans without a table: the gates of `require`.
/// `lookup` gives the value of a name. `None` is null, as in the language: a comparison with it is null.
pub fn evaluate_scalar(expr: &Expr, lookup: &dyn Fn(&str) -> Option<f64>) -> Option<Value> {
    let number = |e: &Expr| evaluate_scalar(e, lookup).and_then(|v| v.as_f64());
    let truth = |e: &Expr| evaluate_scalar(e, lookup).and_then(|v| v.as_bool());
    match &expr.kind {
        ExprKind::Column(name) => lookup(name).map(Value::Float),
        ExprKind::Literal(Value::Null) => None,
        ExprKind::Literal(value) => Some(value.clone()),
        ExprKind::Not(x) => truth(x).map(|b| Value::Bool(!b)),
        ExprKind::Negate(x) => number(x).map(|n| Value::Float(-n)),
        ExprKind::Call { function, args } if function == "float" => number(&args[0]).map(Value::Float),
        ExprKind::InRange { value, low, high, inclusive } => {
            let x = number(value)?;
            let above = low.as_ref().map_or(Some(true), |e| number(e).map(|n| x >= n))?;
            let below =
                high.as_ref().map_or(Some(true), |e| number(e).map(|n| if *inclusive { x <= n } else { x < n }))?;
            Some(Value::Bool(above && below))
        }
        ExprKind::Binary { op, left, right } => match op {
            BinaryOp::And | BinaryOp::Or => {
                let decisive = *op == BinaryOp::Or;
                match (truth(left), truth(right)) {
                    (Some(a), _) if a == decisive => Some(Value::Bool(decisive)),
                    (_, Some(b)) if b == decisive => Some(Value::Bool(decisive)),
                    (Some(_), Some(_)) => Some(Value::Bool(!decisive)),
                    _ => None,
                }
            }
            _ => {
                let (a, b) = (number(left)?, number(right)?);
                Some(match op {
                    BinaryOp::Eq => Value::Bool(a == b),
                    BinaryOp::Ne => Value::Bool(a != b),
                    BinaryOp::Lt => Value::Bool(a < b),
                    BinaryOp::Le => Value::Bool(a <= b),
                    BinaryOp::Gt => Value::Bool(a > b),
                    BinaryOp::Ge => Value::Bool(a >= b),
                    BinaryOp::Add => Value::Float(a + b),
                    BinaryOp::Sub => Value::Float(a - b),
                    BinaryOp::Mul => Value::Float(a * b),
                    BinaryOp::Div if b != 0.0 => Value::Float(a / b),
                    _ => return None,
                })
            }
        },
        _ => None,
    }
}
