use dbjob_plan::{BinaryOp, DataType, Expr, ExprKind};

use super::{floor_by, of_all, refuse};
use crate::column::{Column, FLOAT, INT, any_null, either};
use crate::graph::{Element, Graph, Tensor};
use crate::refused::Refused;

/// Microseconds of a day.
pub(super) const DAY: i64 = 86_400_000_000;

pub(super) fn lower(
    op: BinaryOp,
    left: (&Expr, &Column),
    right: (&Expr, &Column),
    whole: &Expr,
    g: &mut Graph,
) -> Result<Column, Refused> {
    let (l, r) = (left.1, right.1);
    let types = (&left.0.dtype, &right.0.dtype);
    let word = match op {
        BinaryOp::Add => "Add",
        BinaryOp::Sub => "Sub",
        BinaryOp::Mul => "Mul",
        _ => "",
    };
    Ok(match (op, types) {
        (_, (DataType::Decimal { .. }, _) | (_, DataType::Decimal { .. })) => {
            return Err(refuse(whole, "decimals").help("make it a float: `float(x)`"));
        }
        (BinaryOp::Div, (DataType::Int | DataType::Float, DataType::Int | DataType::Float)) => {
            let (x, y) = (l.float(g), r.float(g));
            let value = g.op("Div", &[&x, &y]);
            by_zero(value, FLOAT, &y, left, right, g)
        }
        (BinaryOp::Pow, (DataType::Int | DataType::Float, DataType::Int | DataType::Float)) => {
            of_all(&[l, r], FLOAT, g, |g| {
                let (x, y) = (l.float(g), r.float(g));
                g.op("Pow", &[&x, &y])
            })
        }
        (BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul, (DataType::Int, DataType::Int)) => {
            of_all(&[l, r], INT, g, |g| g.op(word, &[&l.value, &r.value]))
        }
        (BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul, (DataType::Float, DataType::Float)) => {
            of_all(&[l, r], FLOAT, g, |g| g.op(word, &[&l.value, &r.value]))
        }
        (BinaryOp::FloorDiv | BinaryOp::Mod, (DataType::Int, DataType::Int)) => {
            // The machine stops at a division by 0.
            let (zero, one) = (g.int(0), g.int(1));
            let is_zero = g.op("Equal", &[&r.value, &zero]);
            let divisor = g.select(&is_zero, &one, &r.value);
            let mut value = floor_div(&l.value, &divisor, g);
            if op == BinaryOp::Mod {
                let back = g.op("Mul", &[&value, &divisor]);
                value = g.op("Sub", &[&l.value, &back]);
            }
            by_zero(value, INT, &r.value, left, right, g)
        }
        (BinaryOp::FloorDiv, (DataType::Float, DataType::Float)) => {
            let value = g.op("Div", &[&l.value, &r.value]);
            let value = g.op("Floor", &[&value]);
            by_zero(value, FLOAT, &r.value, left, right, g)
        }
        (BinaryOp::Mod, (DataType::Float, DataType::Float)) => {
            let value = float_mod(&l.value, &r.value, g);
            by_zero(value, FLOAT, &r.value, left, right, g)
        }
        (BinaryOp::Add | BinaryOp::Sub, (a, b)) if is_time(a) && is_time(b) => {
            let (x, y) = (micros(a, l, g), micros(b, r, g));
            let value = g.op(word, &[&x, &y]);
            let value = if whole.dtype == DataType::Date { floor_by(&value, DAY, g) } else { value };
            let null = any_null(g, &[l, r]);
            Column::new(value, INT).with_null(null)
        }
        (_, (a, b)) if a.is_text() && b.is_text() => return Err(refuse(whole, "joined texts")),
        (_, (a, b)) => return Err(refuse(whole, format!("arithmetic of {a} and {b}"))),
    })
}

impl Refused {
    pub(super) fn help(self, help: &str) -> Self {
        Self { help: help.to_owned(), ..self }
    }
}

fn is_time(dtype: &DataType) -> bool {
    dtype.is_temporal() || *dtype == DataType::Duration
}

fn micros(dtype: &DataType, x: &Column, g: &mut Graph) -> Tensor {
    if *dtype != DataType::Date {
        return x.value.clone();
    }
    let day = g.int(DAY);
    g.op("Mul", &[&x.value, &day])
}

/// Null where the divisor is 0, unless it is a constant that is not.
fn by_zero(
    value: Tensor,
    form: crate::column::Form,
    divisor: &Tensor,
    left: (&Expr, &Column),
    right: (&Expr, &Column),
    g: &mut Graph,
) -> Column {
    let null = any_null(g, &[left.1, right.1]);
    if is_zero_free(right.0) {
        return Column::new(value, form).with_null(null);
    }
    let zero = if right.1.form == INT && form == INT { g.int(0) } else { g.float(0.0) };
    let is_zero = g.op("Equal", &[divisor, &zero]);
    let null = either(g, null, Some(is_zero));
    Column::new(value, form).with_null(null)
}

fn is_zero_free(divisor: &Expr) -> bool {
    match &divisor.kind {
        ExprKind::Literal(value) => value.as_f64().is_some_and(|x| x != 0.0),
        ExprKind::Call { function, args } if function == "float" => is_zero_free(&args[0]),
        _ => false,
    }
}

/// Of ints, the divisor not 0. The operator rounds towards 0.
pub(super) fn floor_div(x: &Tensor, divisor: &Tensor, g: &mut Graph) -> Tensor {
    let quotient = g.op("Div", &[x, divisor]);
    let back = g.op("Mul", &[&quotient, divisor]);
    let rest = g.op("Sub", &[x, &back]);
    // One too many where a rest is left whose sign is not the divisor's.
    let product_sign = {
        let (a, b) = (g.op("Sign", &[&rest]), g.op("Sign", &[divisor]));
        g.op("Mul", &[&a, &b])
    };
    let zero = g.int(0);
    let over = g.op("Less", &[&product_sign, &zero]);
    let over = g.cast(&over, Element::Int);
    g.op("Sub", &[&quotient, &over])
}

/// The remainder with the divisor's sign.
pub(crate) fn float_mod(x: &Tensor, divisor: &Tensor, g: &mut Graph) -> Tensor {
    let rest = g.op_with("Mod", &[x, divisor], vec![("fmod", crate::graph::Attribute::Int(1))]);
    let signs = {
        let (a, b) = (g.op("Sign", &[&rest]), g.op("Sign", &[divisor]));
        g.op("Mul", &[&a, &b])
    };
    let zero = g.float(0.0);
    let other = g.op("Less", &[&signs, &zero]);
    let moved = g.op("Add", &[&rest, divisor]);
    g.select(&other, &moved, &rest)
}
