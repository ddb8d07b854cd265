use dbjob_plan::{BinaryOp, Expr, ExprKind};

use super::{bool_as_int, nan};
use crate::column::{BOOL, Column, FLOAT, Form, INT, TEXT, any_null};
use crate::graph::{Graph, Tensor};

/// `None`: the graph cannot compare such values.
pub(super) fn lower(op: BinaryOp, left: (&Expr, &Column), right: (&Expr, &Column), g: &mut Graph) -> Option<Column> {
    let (l, r) = (left.1, right.1);
    let negated = matches!(op, BinaryOp::Ne | BinaryOp::Le | BinaryOp::Ge);
    let value = match (op, l.form, r.form) {
        (BinaryOp::Eq | BinaryOp::Ne, TEXT, TEXT) => text_equal(left, right, g)?,
        (_, TEXT | Form::Many, _) | (_, _, TEXT | Form::Many) => return None,
        (BinaryOp::Eq | BinaryOp::Ne, ..) => {
            let equal = g.op("Equal", &[&l.value, &r.value]);
            match (nan(left.0, l, g), nan(right.0, r, g)) {
                (Some(a), Some(b)) => {
                    let both = g.op("And", &[&a, &b]);
                    g.op("Or", &[&equal, &both])
                }
                _ => equal,
            }
        }
        // a <= b where b < a is not.
        (BinaryOp::Lt | BinaryOp::Ge, ..) => less(left, right, g),
        _ => less(right, left, g),
    };
    let value = if negated { g.op("Not", &[&value]) } else { value };
    let null = any_null(g, &[l, r]);
    Some(Column::new(value, BOOL).with_null(null))
}

/// NaN is above every number.
fn less(left: (&Expr, &Column), right: (&Expr, &Column), g: &mut Graph) -> Tensor {
    let number = |c: &Column, g: &mut Graph| if c.form == BOOL { bool_as_int(&c.value, g) } else { c.value.clone() };
    let (l, r) = (number(left.1, g), number(right.1, g));
    let less = g.op("Less", &[&l, &r]);
    let Some(above) = nan(right.0, right.1, g) else { return less };
    let above = match nan(left.0, left.1, g) {
        Some(also) => {
            let not = g.op("Not", &[&also]);
            g.op("And", &[&above, &not])
        }
        None => above,
    };
    g.op("Or", &[&less, &above])
}

/// Texts are told apart by a table: one side must be constant.
fn text_equal(left: (&Expr, &Column), right: (&Expr, &Column), g: &mut Graph) -> Option<Tensor> {
    let constant = |e: &Expr| match &e.kind {
        ExprKind::Literal(value) => value.as_str().map(str::to_owned),
        _ => None,
    };
    let (column, text) = match (constant(left.0), constant(right.0)) {
        (_, Some(text)) => (left.1, text),
        (Some(text), None) => (right.1, text),
        (None, None) => return None,
    };
    let code = g.code_of_text(&column.value, &[text]);
    let zero = g.int(0);
    Some(g.op("Equal", &[&code, &zero]))
}

/// Where a float or int is below a constant.
pub(crate) fn below(x: &Column, bound: f64, g: &mut Graph) -> Tensor {
    let (x, bound) = match x.form {
        INT if bound.fract() == 0.0 && bound.abs() < 9e18 => (x.value.clone(), g.int(bound as i64)),
        FLOAT => (x.value.clone(), g.float(bound)),
        _ => (x.float(g), g.float(bound)),
    };
    g.op("Less", &[&x, &bound])
}
