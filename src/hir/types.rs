//! Which types go together.

use dbjob_plan::{DataType, Decimal, Expr, ExprKind, Value};

use super::decimal;

/// The type that both sides become in an operation that wants one type; `None` if there is none.
/// Int and float meet in float, int and decimal in decimal, text types in string, date and datetime in datetime (a date is its midnight).
pub fn common(a: &DataType, b: &DataType) -> Option<DataType> {
    use DataType::*;
    Some(match (a, b) {
        (Unknown, other) | (other, Unknown) => other.clone(),
        (a, b) if a == b => a.clone(),
        (Int, Float) | (Float, Int) => Float,
        (Category { .. } | String, Category { .. } | String) => String,
        (Date, Datetime) | (Datetime, Date) => Datetime,
        (Decimal { .. }, Decimal { .. } | Int) | (Int, Decimal { .. }) => decimal::common(a, b)?,
        (List { item: a }, List { item: b }) => List { item: Box::new(common(a, b)?) },
        _ => return None,
    })
}

/// Whether values of `from` may stand where `to` is wanted. An int goes into every decimal type; what has no room in it
/// stops the run.
pub fn converts(from: &DataType, to: &DataType) -> bool {
    if let (DataType::Int, DataType::Decimal { .. }) = (from, to) {
        return true;
    }
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
            (Value::Decimal(d), DataType::Float) => Some(Value::Float(d.to_float())),
            (value, DataType::Decimal { precision, scale }) => fitted(value, *precision, *scale).map(Value::Decimal),
            _ => None,
        };
        if let Some(value) = value {
            return Expr { kind: ExprKind::Literal(value), dtype: to.clone(), ..expr };
        }
    }
    let expr = match (expr.kind, to) {
        (ExprKind::List(items), DataType::List { item }) => {
            let kind = ExprKind::List(items.into_iter().map(|i| convert(i, item)).collect());
            return Expr { kind, dtype: to.clone(), ..expr };
        }
        (ExprKind::Literal(Value::List(values)), DataType::List { item }) => {
            let of = item_type(&expr.dtype).cloned().unwrap_or(DataType::Unknown);
            let constant = |v: &Value| match convert(Expr::literal(v.clone(), of.clone(), expr.span), item).kind {
                ExprKind::Literal(value) => Some(value),
                _ => None,
            };
            if let Some(values) = values.iter().map(constant).collect() {
                return Expr { kind: ExprKind::Literal(Value::List(values)), dtype: to.clone(), ..expr };
            }
            Expr { kind: ExprKind::Literal(Value::List(values)), ..expr }
        }
        (kind, _) => Expr { kind, ..expr },
    };
    let function = match to {
        DataType::Float => "float",
        DataType::Datetime => "datetime",
        DataType::Decimal { .. } => "decimal",
        DataType::List { .. } if expr.dtype != DataType::Unknown => "convert_items",
        // An `Unknown` that is no literal was reported already.
        _ => return Expr { dtype: to.clone(), ..expr },
    };
    let (nullable, span) = (expr.nullable, expr.span);
    Expr { kind: ExprKind::Call { function: function.into(), args: vec![expr] }, dtype: to.clone(), nullable, span }
}

/// What to write where two types do not go together.
pub fn bridge(a: &DataType, b: &DataType) -> Option<&'static str> {
    use DataType::Duration;
    let any = |is: fn(&DataType) -> bool| is(a) || is(b);
    let number = any(DataType::is_numeric);
    Some(match (any(DataType::is_text), any(DataType::is_temporal)) {
        (true, false) if number => "convert one of them: `float(s)` reads a number, `string(x)` writes one",
        (true, true) => "convert the text: `date(s)` or `datetime(s)`",
        (true, false) if any(|t| *t == DataType::Bool) => "convert the text: `bool(s)`",
        (false, true) if number => "a time is moved by a duration: `t + 1d`, `t + n * 1d`",
        (false, true) if any(|t| *t == Duration) => "two times less each other are a duration: `t - u`",
        (false, false) if number && any(|t| *t == Duration) => {
            "make a number of the duration: `d / 1h`; or a duration of the number: `n * 1h`"
        }
        (false, false) if number && any(|t| *t == DataType::Bool) => "make a number of the bool: `int(b)`",
        (false, true) if a.is_temporal() && b.is_temporal() => "two times may be subtracted, which gives a duration",
        _ => return None,
    })
}

/// The type of the items of a list or vector.
pub fn item_type(dtype: &DataType) -> Option<&DataType> {
    match dtype {
        DataType::List { item } => Some(item),
        DataType::Vector { .. } => Some(&DataType::Float),
        _ => None,
    }
}

/// A constant as a decimal of exactly that type, if it is one.
pub fn fitted(value: &Value, precision: u8, scale: u8) -> Option<Decimal> {
    let number = match value {
        Value::Int(i) => Decimal::of_int(*i),
        Value::Float(x) => Decimal::of_float(*x)?,
        Value::Decimal(d) => *d,
        _ => return None,
    };
    number.with_scale(scale).filter(|d| d.fits(precision))
}

/// The type of a constant by itself.
pub fn of_value(value: &Value) -> DataType {
    match value {
        Value::Int(_) | Value::Size(_) => DataType::Int,
        Value::Float(_) => DataType::Float,
        Value::Decimal(d) => decimal::least(*d),
        Value::Bool(_) => DataType::Bool,
        Value::String(_) | Value::Word(_) => DataType::String,
        Value::Date(_) => DataType::Date,
        Value::Datetime(_) => DataType::Datetime,
        Value::Duration(_) => DataType::Duration,
        Value::Null => DataType::Unknown,
        Value::List(items) => {
            let item = items.iter().try_fold(DataType::Unknown, |t, v| common(&t, &of_value(v)));
            DataType::List { item: Box::new(item.unwrap_or(DataType::Unknown)) }
        }
    }
}
