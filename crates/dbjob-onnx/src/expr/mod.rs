//! Expressions as operators, with the one meaning of the language: logic of three values, null where a division by 0 is,
//! NaN equal to itself and above every number. What the language refuses with an error, a graph cannot: an overflow wraps.

mod arithmetic;
mod compare;
mod date;
mod function;
mod math;

use dbjob_plan::{BinaryOp, DataType, Expr, ExprKind, Value};

use crate::column::{BOOL, Column, Columns, FLOAT, Form, INT, TEXT, any_null, form_of};
use crate::graph::{Element, Graph, Tensor};
use crate::refused::Refused;

pub(crate) use arithmetic::float_mod;
pub(crate) use date::rest;
pub(crate) use math::{expm1, log1p, round};

pub(crate) const BEFORE: &str =
    "compute it before the rows that callers send: in the dataset's source, or let the deployment `accept inputs`";

/// The column that an expression over `columns` gives, of the form of its type.
pub(crate) fn lower(expr: &Expr, columns: &Columns, g: &mut Graph) -> Result<Column, Refused> {
    let mut below = |e: &Expr| lower(e, columns, g);
    Ok(match &expr.kind {
        ExprKind::Column(name) => {
            return columns.get(name).cloned().ok_or_else(|| refuse(expr, format!("the column `{name}`")));
        }
        ExprKind::Literal(value) => literal(value, expr, g)?,
        ExprKind::Not(x) => {
            let x = below(x)?;
            Column { value: g.op("Not", &[&x.value]), ..x }
        }
        ExprKind::Negate(x) => {
            let x = below(x)?;
            if !matches!(x.form, INT | FLOAT) {
                return Err(refuse(expr, format!("minus of a {}", expr.dtype)));
            }
            Column { value: g.op("Neg", &[&x.value]), ..x }
        }
        ExprKind::IsNull(x) => {
            let x = below(x)?;
            let null = x.null.unwrap_or_else(|| g.bool(false));
            Column::new(null, BOOL)
        }
        ExprKind::Binary { op, left, right } => {
            let (l, r) = (below(left)?, below(right)?);
            match op {
                BinaryOp::And => and(g, &l, &r),
                BinaryOp::Or => {
                    let both = [&l, &r].map(|x| Column { value: g.op("Not", &[&x.value]), ..x.clone() });
                    let none = and(g, &both[0], &both[1]);
                    Column { value: g.op("Not", &[&none.value]), ..none }
                }
                BinaryOp::Coalesce => coalesce(g, &l, &r),
                BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => {
                    compare::lower(*op, (left, &l), (right, &r), g).ok_or_else(|| {
                        let what = format!("a comparison of {} values with each other", left.dtype);
                        refuse(expr, what)
                    })?
                }
                _ => arithmetic::lower(*op, (left, &l), (right, &r), expr, g)?,
            }
        }
        ExprKind::InList { value, items } => {
            let x = below(value)?;
            let (mut found, mut with_null) = (None, false);
            for item in items {
                if matches!(item.kind, ExprKind::Literal(Value::Null)) {
                    with_null = true;
                    continue;
                }
                let y = lower(item, columns, g)?;
                let equal = compare::lower(BinaryOp::Eq, (value, &x), (item, &y), g)
                    .ok_or_else(|| refuse(item, format!("a comparison of {} values with each other", value.dtype)))?;
                found = Some(match found {
                    None => equal,
                    Some(sofar) => {
                        let both = [sofar, equal].map(|x: Column| Column { value: g.op("Not", &[&x.value]), ..x });
                        let none = and(g, &both[0], &both[1]);
                        Column { value: g.op("Not", &[&none.value]), ..none }
                    }
                });
            }
            let found = match found {
                Some(found) => found,
                None => Column::new(g.bool(false), BOOL).with_null(x.null.clone()),
            };
            if with_null {
                // Not among them, and perhaps it is the one that is not known.
                let miss = g.op("Not", &[&found.value]);
                let null = match &found.null {
                    Some(null) => g.op("Or", &[null, &miss]),
                    None => miss,
                };
                found.with_null(Some(null))
            } else {
                found
            }
        }
        ExprKind::InRange { value, low, high, inclusive } => {
            let x = below(value)?;
            let mut within = Column::new(g.bool(true), BOOL).with_null(x.null.clone());
            let bounds = [(low, BinaryOp::Ge), (high, if *inclusive { BinaryOp::Le } else { BinaryOp::Lt })];
            for (bound, op) in bounds {
                let Some(bound) = bound else { continue };
                let y = lower(bound, columns, g)?;
                let side = compare::lower(op, (value, &x), (bound, &y), g)
                    .ok_or_else(|| refuse(expr, format!("an order of {} values", value.dtype)))?;
                within = and(g, &within, &side);
            }
            within
        }
        ExprKind::If { condition, then, otherwise } => {
            let (c, a, b) = (below(condition)?, below(then)?, below(otherwise)?);
            let holds = c.holds(g);
            choose(g, &holds, &a, &b)
        }
        ExprKind::Call { function, args } => {
            let lowered = args.iter().map(below).collect::<Result<Vec<_>, _>>()?;
            function::lower(function, args, &lowered, expr, g)?
        }
        ExprKind::List(_) => return Err(refuse(expr, "a list")),
        ExprKind::Aggregate { function, .. } => return Err(refuse(expr, format!("`{function}` of several rows"))),
    })
}

pub(super) fn refuse(expr: &Expr, what: impl Into<String>) -> Refused {
    Refused::new(expr.span, what, BEFORE)
}

fn literal(value: &Value, expr: &Expr, g: &mut Graph) -> Result<Column, Refused> {
    let form = form_of(&expr.dtype).unwrap_or(FLOAT);
    Ok(match value {
        Value::Int(i) if form == FLOAT => Column::new(g.float(*i as f64), FLOAT),
        Value::Int(i) | Value::Datetime(i) | Value::Duration(i) => Column::new(g.int(*i), INT),
        Value::Date(days) => Column::new(g.int(i64::from(*days)), INT),
        Value::Float(x) => Column::new(g.float(*x), FLOAT),
        Value::Bool(b) => Column::new(g.bool(*b), BOOL),
        Value::String(text) | Value::Word(text) => Column::new(g.text(text), TEXT),
        Value::Null => {
            let null = g.bool(true);
            Column::in_place(g, &expr.dtype).with_null(Some(null))
        }
        other => return Err(refuse(expr, format!("the value {other}"))),
    })
}

/// True if both are, false if one is false, else null.
pub(crate) fn and(g: &mut Graph, a: &Column, b: &Column) -> Column {
    let value = g.op("And", &[&a.value, &b.value]);
    if a.null.is_none() && b.null.is_none() {
        return Column::new(value, BOOL);
    }
    let (a_holds, b_holds) = (a.holds(g), b.holds(g));
    let value = g.op("And", &[&a_holds, &b_holds]);
    let (a_fails, b_fails) = (a.fails(g), b.fails(g));
    let fails = g.op("Or", &[&a_fails, &b_fails]);
    let known = g.op("Or", &[&value, &fails]);
    let null = g.op("Not", &[&known]);
    Column::new(value, BOOL).with_null(Some(null))
}

fn coalesce(g: &mut Graph, a: &Column, b: &Column) -> Column {
    let Some(null) = a.null.clone() else { return a.clone() };
    let chosen = choose(g, &null, &Column { null: None, ..b.clone() }, &Column { null: None, ..a.clone() });
    let both = b.null.as_ref().map(|other| g.op("And", &[&null, other]));
    chosen.with_null(both)
}

/// `a` where the condition holds, else `b`. An int beside a float becomes one: it is the value of a null there.
pub(crate) fn choose(g: &mut Graph, condition: &Tensor, a: &Column, b: &Column) -> Column {
    let (a, b) = match (a.form, b.form) {
        (x, y) if x == y => (a.clone(), b.clone()),
        (_, form @ Form::One(element)) if a.null.is_some() => {
            let value = if form == TEXT { g.text("") } else { g.cast(&a.value, element) };
            (Column { value, form, null: a.null.clone() }, b.clone())
        }
        (form @ Form::One(element), _) => {
            let value = if form == TEXT { g.text("") } else { g.cast(&b.value, element) };
            (a.clone(), Column { value, form, null: b.null.clone() })
        }
        _ => (a.clone(), b.clone()),
    };
    let value = match a.form {
        BOOL => g.select_bool(condition, &a.value, &b.value),
        Form::Many => {
            let condition = g.as_column(condition);
            g.select(&condition, &a.value, &b.value)
        }
        _ => g.select(condition, &a.value, &b.value),
    };
    let null = match (&a.null, &b.null) {
        (None, None) => None,
        _ => {
            let (x, y) = (a.null.unwrap_or_else(|| g.bool(false)), b.null.unwrap_or_else(|| g.bool(false)));
            Some(g.select_bool(condition, &x, &y))
        }
    };
    Column { value, form: a.form, null }
}

/// Where a float is no number and its column can hold that.
pub(super) fn nan(expr: &Expr, column: &Column, g: &mut Graph) -> Option<Tensor> {
    let is_constant = matches!(&expr.kind, ExprKind::Literal(value) if value.as_f64().is_some_and(|x| !x.is_nan()));
    let of_int = matches!(&expr.kind, ExprKind::Call { function, args }
        if function == "float" && args[0].dtype != DataType::Float);
    (column.form == FLOAT && !is_constant && !of_int).then(|| g.op("IsNaN", &[&column.value]))
}

/// A function of one float.
pub(super) fn of_float(op: &str, x: &Column, g: &mut Graph) -> Column {
    let value = x.float(g);
    Column::new(g.op(op, &[&value]), FLOAT).with_null(x.null.clone())
}

/// What `make` makes of the values of columns; null where one of them is.
pub(super) fn of_all(
    columns: &[&Column],
    form: Form,
    g: &mut Graph,
    make: impl FnOnce(&mut Graph) -> Tensor,
) -> Column {
    let value = make(g);
    let null = any_null(g, columns);
    Column::new(value, form).with_null(null)
}

/// An int column's floor of a division by a constant above 0.
pub(super) fn floor_by(x: &Tensor, divisor: i64, g: &mut Graph) -> Tensor {
    let divisor = g.int(divisor);
    arithmetic::floor_div(x, &divisor, g)
}

pub(super) fn bool_as_int(x: &Tensor, g: &mut Graph) -> Tensor {
    g.cast(x, Element::Int)
}
