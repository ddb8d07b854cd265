//! Which types go together.

use dbjob_plan::{DataType, Expr, ExprKind, Value};

/// The type that both sides become in an operation that wants one type; `None` if there is none.
/// Int and float meet in float, text types in string, date and datetime in datetime (a date is its midnight).
pub fn common(a: &DataType, b: &DataType) -> Option<DataType> {
    use DataType::*;
    Some(match (a, b) {
        (Unknown, other) | (other, Unknown) => other.clone(),
        (a, b) if a == b => a.clone(),
        (Int, Float) | (Float, Int) => Float,
        (Category { .. } | String, Category { .. } | String) => String,
        (Date, Datetime) | (Datetime, Date) => Datetime,
        _ => return None,
    })
}

/// Whether values of `from` may stand where `to` is wanted.
pub fn converts(from: &DataType, to: &DataType) -> bool {
    common(from, to).as_ref() == Some(to) || (from.is_text() && to.is_text())
}

/// Makes an expression of the wanted type; `converts` must hold. Literals change in place, the rest is wrapped in a cast.
pub fn convert(expr: Expr, to: &DataType) -> Expr {
    if expr.dtype == *to || (expr.dtype.is_text() && to.is_text()) {
        return expr;
    }
    if let ExprKind::Literal(value) = &expr.kind {
        let value = match (value, to) {
            (Value::Null, _) => Some(Value::Null),
            (Value::Int(i), DataType::Float) => Some(Value::Float(*i as f64)),
            (Value::Date(d), DataType::Datetime) => Some(Value::Datetime(i64::from(*d) * 86_400_000_000)),
            _ => None,
        };
        if let Some(value) = value {
            return Expr { kind: ExprKind::Literal(value), dtype: to.clone(), ..expr };
        }
    }
    let function = match to {
        DataType::Float => "float",
        DataType::Datetime => "datetime",
        // An `Unknown` that is no literal was reported already.
        _ => return Expr { dtype: to.clone(), ..expr },
    };
    let (nullable, span) = (expr.nullable, expr.span);
    Expr { kind: ExprKind::Call { function: function.into(), args: vec![expr] }, dtype: to.clone(), nullable, span }
}

/// The type of a constant by itself.
pub fn of_value(value: &Value) -> DataType {
    match value {
        Value::Int(_) | Value::Size(_) => DataType::Int,
        Value::Float(_) => DataType::Float,
        Value::Bool(_) => DataType::Bool,
        Value::String(_) | Value::Word(_) => DataType::String,
        Value::Date(_) => DataType::Date,
        Value::Datetime(_) => DataType::Datetime,
        Value::Duration(_) => DataType::Duration,
        Value::Null | Value::List(_) => DataType::Unknown,
    }
}
