//! An expression as text, for reports of rules and gates.

use crate::name;
use crate::syntax::ast::{Arg, Call, Expr, ExprKind};

pub(super) fn of(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Name(name) => name::written(name),
        ExprKind::Field { base, name } => format!("{}.{}", base.name, name.name),
        ExprKind::Literal(value) => value.to_string(),
        ExprKind::List(items) => format!("[{}]", items.iter().map(of).collect::<Vec<_>>().join(", ")),
        ExprKind::Range { low, high, inclusive } => {
            let end = |e: &Option<Box<Expr>>| e.as_deref().map(of).unwrap_or_default();
            format!("{}{}{}", end(low), if *inclusive { "..=" } else { ".." }, end(high))
        }
        ExprKind::Call(written) => call(written),
        ExprKind::Not(x) => format!("not {}", operand(x)),
        ExprKind::Negate(x) => format!("-{}", operand(x)),
        ExprKind::Binary { op, left, right, .. } => {
            format!("{} {} {}", operand_of(left, *op), op.sign(), operand_of(right, *op))
        }
        ExprKind::In { value, set, negated } => {
            format!("{} {}in {}", operand(value), if *negated { "not " } else { "" }, of(set))
        }
        ExprKind::IsNull { value, negated } => {
            format!("{} is {}null", operand(value), if *negated { "not " } else { "" })
        }
        ExprKind::If { condition, then, otherwise } => {
            format!("if {} then {} else {}", of(condition), of(then), of(otherwise))
        }
        ExprKind::Match { value, arms, otherwise } => {
            let mut arms: Vec<_> = arms.iter().map(|(p, o)| format!("{} => {}", of(p), of(o))).collect();
            arms.extend(otherwise.as_ref().map(|o| format!("else => {}", of(o))));
            format!("match {} {{ {} }}", of(value), arms.join(", "))
        }
    }
}

pub(super) fn call(call: &Call) -> String {
    let arg = |a: &Arg| match &a.name {
        Some(name) => format!("{} = {}", name.name, of(&a.value)),
        None => of(&a.value),
    };
    let args: Vec<_> = call.args.iter().map(arg).collect();
    let mut text = format!("{}({})", call.name.name, args.join(", "));
    if let Some(over) = &call.over {
        text += &format!(" over {}", over.direction.name);
        text += &over.size.as_ref().map(|size| format!(" {}", of(size))).unwrap_or_default();
        text += if over.rows.is_some() { " rows" } else { "" };
    }
    text
}

/// With parentheses where the operators would bind otherwise.
fn operand(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Binary { .. }
        | ExprKind::In { .. }
        | ExprKind::IsNull { .. }
        | ExprKind::If { .. }
        | ExprKind::Not(_) => format!("({})", of(expr)),
        _ => of(expr),
    }
}

fn operand_of(expr: &Expr, outer: dbjob_plan::BinaryOp) -> String {
    use dbjob_plan::BinaryOp::{And, Or};
    match &expr.kind {
        ExprKind::Binary { op, .. } if *op == outer && matches!(op, And | Or) => of(expr),
        ExprKind::Binary { op, .. } if matches!(outer, And | Or) && !matches!(op, And | Or) => of(expr),
        ExprKind::In { .. } | ExprKind::IsNull { .. } if matches!(outer, And | Or) => of(expr),
        _ => operand(expr),
    }
}
