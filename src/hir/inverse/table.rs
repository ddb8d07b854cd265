//! Undoing by a table: of few values each is looked at.

use dbjob_plan::{DataType, Expr, ExprKind, Value};

use super::{Known, Lost};
use crate::hir::fold::fold;

/// More levels than any job writes down; a table of them would be slow.
const MOST: usize = 1_000;

/// The levels whose results are all different come back by a choice; what is no result becomes null. `lost` says why the
/// expression was not solved, where a table does not help either.
pub(super) fn invert(forward: &Expr, levels: &[Value], known: &Known<'_>, y: Expr, lost: Lost) -> Result<Expr, Lost> {
    let mut inputs = levels.to_vec();
    if known.nullable {
        inputs.push(Value::Null);
    }
    if inputs.len() > MOST {
        return Err(lost);
    }
    let mut pairs: Vec<(Value, Value)> = Vec::new();
    for level in inputs {
        let Some(result) = fold(forward, &|_| Some(level.clone())) else { return Err(lost) };
        if matches!(result, Value::Float(x) if x.is_nan()) {
            return Err(lost);
        }
        if let Some((other, _)) = pairs.iter().find(|(_, r)| *r == result) {
            return Err(Lost { span: forward.span, why: format!("{other} and {level} both become {result}") });
        }
        if result == Value::Null && level != Value::Null {
            return Err(Lost { span: forward.span, why: format!("{level} becomes null") });
        }
        pairs.push((level, result));
    }
    pairs.retain(|(level, _)| *level != Value::Null);
    Ok(choose(&y, &pairs, known.dtype, false))
}

/// The level whose result `y` is, else null: halved until one is left, so that it is as deep as their number has binary
/// digits. `sure`: `y` is one of these results.
fn choose(y: &Expr, pairs: &[(Value, Value)], dtype: &DataType, sure: bool) -> Expr {
    let of = |kind: ExprKind, dtype: &DataType| Expr { kind, dtype: dtype.clone(), nullable: true, span: y.span };
    let (here, there) = match pairs {
        [] => return Expr::literal(Value::Null, dtype.clone(), y.span),
        [(level, _)] if sure => return Expr::literal(level.clone(), dtype.clone(), y.span),
        [_] => (pairs, &[][..]),
        _ => pairs.split_at(pairs.len() / 2),
    };
    let results = here.iter().map(|(_, r)| Expr::literal(r.clone(), y.dtype.clone(), y.span)).collect();
    let condition = Box::new(of(ExprKind::InList { value: Box::new(y.clone()), items: results }, &DataType::Bool));
    let then = Box::new(choose(y, here, dtype, true));
    let otherwise = Box::new(choose(y, there, dtype, sure));
    of(ExprKind::If { condition, then, otherwise }, dtype)
}
