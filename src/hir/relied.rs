//! What the steps of a request rely on because a step of training that a request does not pass made it so: a filter that
//! keeps a divisor from being 0, or a column from being null. It becomes a rule of the request.

use std::collections::BTreeSet;

use dbjob_plan::{BinaryOp, DataType, ExpectAction, Expectation, Expr, ExprKind, Op, Span, Value};

use super::table::{Column, Table};
use super::{Served, Shape, Step, facts};
use crate::catalog::function::{self, Domain, Nulls};

/// For each step, the columns above it that may be more narrow than a request's: what a filter above said of them counts
/// for training rows only.
pub(super) fn narrowed(steps: &[Step]) -> Vec<BTreeSet<String>> {
    let mut now: BTreeSet<String> = BTreeSet::new();
    let mut before: Option<&Shape> = None;
    let mut out = Vec::new();
    for step in steps {
        out.push(now.clone());
        match &step.op {
            Op::Derive { columns } => columns.iter().for_each(|c| made(&mut now, &c.name, &c.expr.columns())),
            Op::Project { columns } => {
                now = columns.iter().filter(|c| now.contains(&c.from)).map(|c| c.to.clone()).collect();
            }
            Op::Map { columns } => columns.iter().for_each(|c| made(&mut now, &c.out, &[&c.column])),
            // A rule that a request is held to counts for it.
            Op::Expect(rule) if step.served == Served::Computed && rule.action != ExpectAction::Warn => {}
            _ => {
                let less = |name: &str| match before.and_then(|b| b.columns.get(name)).zip(step.shape.columns.get(name))
                {
                    Some((a, b)) => a.range != b.range,
                    None => false,
                };
                now.extend(step.shape.columns.iter().filter(|c| less(&c.name)).map(|c| c.name.clone()));
            }
        }
        before = Some(&step.shape);
    }
    out
}

/// A column that is made of narrowed ones is so too.
fn made(narrowed: &mut BTreeSet<String>, column: &str, of: &[&str]) {
    if of.iter().any(|name| narrowed.contains(*name)) {
        narrowed.insert(column.to_owned());
    } else {
        narrowed.remove(column);
    }
}

/// Continues [`narrowed`] within a step: the columns that it has made so far.
pub(super) fn derived(narrowed: &mut BTreeSet<String>, column: &str, expr: &Expr) {
    made(narrowed, column, &expr.columns());
}

/// The conditions under which an expression has the value that its type promises, where narrowed columns decide it.
pub(super) fn conditions(expr: &Expr, narrowed: &BTreeSet<String>) -> Vec<Expr> {
    let mut found: Vec<Expr> = Vec::new();
    // What may be null anyway promises nothing.
    let own = if expr.nullable { None } else { condition(expr) };
    found.extend(own.filter(|c| c.columns().iter().any(|name| narrowed.contains(*name))));
    let add = |found: &mut Vec<Expr>, condition| {
        if !found.contains(&condition) {
            found.push(condition);
        }
    };
    match &expr.kind {
        ExprKind::If { condition: of, then, otherwise } => {
            conditions(of, narrowed).into_iter().for_each(|c| add(&mut found, c));
            for (part, holds) in [(then, true), (otherwise, false)] {
                for condition in conditions(part, narrowed) {
                    if !follows(&condition, of, holds) {
                        add(&mut found, guarded(condition, of, holds));
                    }
                }
            }
        }
        _ => {
            let parts = expr.operands().into_iter().flat_map(|e| conditions(e, narrowed));
            parts.for_each(|c| add(&mut found, c));
        }
    }
    found
}

/// Whether a condition holds by itself where a branch is taken.
fn follows(condition: &Expr, of: &Expr, holds: bool) -> bool {
    let ExprKind::Binary { op, left, right } = &condition.kind else { return false };
    let ExprKind::Literal(bound) = &right.kind else {
        return *op == BinaryOp::And && follows(left, of, holds) && follows(right, of, holds);
    };
    let (ExprKind::Column(name), Some(bound)) = (&left.kind, bound.as_f64()) else { return false };
    let mut table = Table::default();
    table.put(Column::new(name.clone(), left.dtype.clone(), true, left.span));
    let table = facts::branch(&table, of, holds);
    table.get(name).map(|c| c.range).is_some_and(|range| match op {
        BinaryOp::Gt => range.is_above(bound),
        BinaryOp::Ge => range.low >= bound,
        BinaryOp::Le => range.high <= bound,
        BinaryOp::Ne => bound == 0.0 && !range.has_zero(),
        _ => false,
    })
}

/// A condition that counts only where a branch is taken.
fn guarded(condition: Expr, of: &Expr, holds: bool) -> Expr {
    let (nullable, span) = (condition.nullable, condition.span);
    let free = Expr::literal(Value::Bool(true), DataType::Bool, span);
    let (then, otherwise) = if holds { (condition, free) } else { (free, condition) };
    let kind = ExprKind::If { condition: Box::new(of.clone()), then: Box::new(then), otherwise: Box::new(otherwise) };
    Expr { kind, dtype: DataType::Bool, nullable, span }
}

fn condition(expr: &Expr) -> Option<Expr> {
    match &expr.kind {
        ExprKind::Call { function, args } => {
            let Nulls::Domain(domain) = function::find(function)?.nulls else { return None };
            let x = args.first()?;
            match domain {
                Domain::Positive => compare(x, BinaryOp::Gt, 0, expr.span),
                Domain::NonNegative => compare(x, BinaryOp::Ge, 0, expr.span),
                Domain::AboveMinusOne => compare(x, BinaryOp::Gt, -1, expr.span),
                Domain::Unit => {
                    let (low, high) =
                        (compare(x, BinaryOp::Ge, -1, expr.span)?, compare(x, BinaryOp::Le, 1, expr.span)?);
                    Some(both(low, high, expr.span))
                }
            }
        }
        ExprKind::Binary { op: BinaryOp::Div | BinaryOp::FloorDiv | BinaryOp::Mod, right, .. } => {
            compare(right, BinaryOp::Ne, 0, expr.span)
        }
        _ => None,
    }
}

fn compare(value: &Expr, op: BinaryOp, bound: i64, span: Span) -> Option<Expr> {
    // An int that only became a float for the function is compared as it is.
    let value = match &value.kind {
        ExprKind::Call { function, args } if function == "float" && args[0].dtype == DataType::Int => &args[0],
        _ => value,
    };
    let bound = match value.dtype {
        DataType::Int => Value::Int(bound),
        DataType::Float => Value::Float(bound as f64),
        _ => return None,
    };
    let right = Expr::literal(bound, value.dtype.clone(), span);
    let kind = ExprKind::Binary { op, left: Box::new(value.clone()), right: Box::new(right) };
    Some(Expr { kind, dtype: DataType::Bool, nullable: false, span })
}

fn both(a: Expr, b: Expr, span: Span) -> Expr {
    let nullable = a.nullable || b.nullable;
    let kind = ExprKind::Binary { op: BinaryOp::And, left: Box::new(a), right: Box::new(b) };
    Expr { kind, dtype: DataType::Bool, nullable, span }
}

/// That a column is not null.
pub(super) fn not_null(column: &str, dtype: &DataType, span: Span) -> Expr {
    let bool = |kind| Expr { kind, dtype: DataType::Bool, nullable: false, span };
    let value = Expr::column(column, dtype.clone(), true, span);
    bool(ExprKind::Not(Box::new(bool(ExprKind::IsNull(Box::new(value))))))
}

/// A row of a request for which it is not true is refused.
pub(super) fn rule(predicate: Expr) -> Op {
    let text = match &predicate.kind {
        ExprKind::Not(inner) => match &inner.kind {
            ExprKind::IsNull(value) => format!("{value} is not null"),
            _ => predicate.to_string(),
        },
        _ => predicate.to_string(),
    };
    Op::Expect(Expectation { predicate, unique: Vec::new(), action: ExpectAction::Fail, quarantine: None, text })
}

/// What a rule says of these columns alone: of `a > 0 and b > 0` the half that is known. `None` if nothing is left.
pub(super) fn part_of(rule: &Expectation, known: impl Fn(&str) -> bool) -> Option<Expectation> {
    let all = conjuncts(&rule.predicate);
    let count = all.len();
    let here: Vec<&Expr> = all.into_iter().filter(|c| c.columns().into_iter().all(&known)).collect();
    if here.len() == count {
        return (count > 0).then(|| rule.clone());
    }
    let (first, rest) = here.split_first()?;
    let predicate = rest.iter().fold((*first).clone(), |all, c| both(all, (*c).clone(), rule.predicate.span));
    Some(Expectation { text: predicate.to_string(), predicate, ..rule.clone() })
}

fn conjuncts(predicate: &Expr) -> Vec<&Expr> {
    match &predicate.kind {
        ExprKind::Binary { op: BinaryOp::And, left, right } => {
            conjuncts(left).into_iter().chain(conjuncts(right)).collect()
        }
        _ => vec![predicate],
    }
}
