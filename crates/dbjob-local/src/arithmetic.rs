//! `+ - * / // % **` and unary minus. Integer results are checked: an overflow is E0709, never a wrap.

use dbjob_plan::{BinaryOp, DataType, Expr, ExprKind, Value};
use polars::prelude::{self as pl, ChunkApply, ChunkedArray, Column, Int64Type, IntoColumn, PolarsResult, TimeUnit};

use crate::bounds::bounds;
use crate::expr::{Reporter, Scope};
use crate::types::polars_type;
use crate::{decimal, udf};

type Operand<'a> = (&'a Expr, pl::Expr);

/// Lowers an arithmetic operator; comparison and logic are the caller's.
pub(crate) fn lower(op: BinaryOp, left: Operand<'_>, right: Operand<'_>, whole: &Expr, scope: &Scope<'_>) -> pl::Expr {
    let (l, r) = (left.1.clone(), right.1.clone());
    match (&left.0.dtype, &right.0.dtype) {
        _ if op == BinaryOp::Div => divide(l, r, right.0),
        _ if op == BinaryOp::Pow => udf::map_n(vec![l, r], pl::DataType::Float64, |c| {
            Ok(pl::arity::broadcast_binary_elementwise::<_, _, pl::Float64Type, _>(
                c[0].f64()?,
                c[1].f64()?,
                |a: Option<f64>, b: Option<f64>| Some(a?.powf(b?)),
            )
            .into_column())
        }),
        (DataType::Decimal { .. }, DataType::Decimal { .. }) => decimal::arithmetic(op, left, right, whole, scope),
        (DataType::Int, DataType::Int) => int(op, left, right, whole, scope),
        (DataType::Float, DataType::Float) => float(op, l, r, right.0),
        (a, b) if a.is_text() && b.is_text() => pl::concat_str([l, r], "", false),
        _ => temporal(op, left, right, whole, scope),
    }
}

/// Unary minus.
pub(crate) fn negate(operand: &Expr, x: pl::Expr, scope: &Scope<'_>) -> pl::Expr {
    if let DataType::Decimal { .. } = operand.dtype {
        return decimal::unary(x, &operand.dtype, |v| -v);
    }
    let safe = bounds(operand, scope.schema).is_some_and(|(low, _)| low > i128::from(i64::MIN));
    if operand.dtype != DataType::Int || safe {
        return -x;
    }
    let reporter = scope.reporter();
    udf::fallible(vec![scope.guard(x)], pl::DataType::Int64, move |c| {
        checked_unary(&c[0], i64::checked_neg, "-", &reporter)
    })
}

/// Applies a partial function to an integer column; a missing result is an overflow.
pub(crate) fn checked_unary(
    x: &Column,
    f: impl Fn(i64) -> Option<i64>,
    what: &str,
    reporter: &Reporter,
) -> PolarsResult<Column> {
    let x = x.i64()?;
    if let Some(value) = x.iter().flatten().find(|v| f(*v).is_none()) {
        let text = format!("{what}({value})");
        return Err(reporter.fail("E0709", format!("{text} does not fit a 64-bit int"), Some(text)));
    }
    Ok(x.apply_values(|v| f(v).unwrap_or_default()).into_column())
}

fn is_zero_free(divisor: &Expr) -> bool {
    !divisor.nullable
        && match &divisor.kind {
            ExprKind::Literal(value) => value.as_f64().is_some_and(|x| x != 0.0),
            ExprKind::Call { function, args } if function == "float" => is_zero_free(&args[0]),
            _ => false,
        }
}

/// Floats; `x / 0` is null.
fn divide(l: pl::Expr, r: pl::Expr, divisor: &Expr) -> pl::Expr {
    let (l, r) = (l.cast(pl::DataType::Float64), r.cast(pl::DataType::Float64));
    if is_zero_free(divisor) {
        return l / r;
    }
    pl::when(r.clone().neq(pl::lit(0.0))).then(l / r).otherwise(pl::lit(pl::NULL))
}

fn float(op: BinaryOp, l: pl::Expr, r: pl::Expr, divisor: &Expr) -> pl::Expr {
    match op {
        BinaryOp::Add => l + r,
        BinaryOp::Sub => l - r,
        BinaryOp::Mul => l * r,
        BinaryOp::FloorDiv => udf::float1(divide(l, r, divisor), f64::floor),
        // The remainder of the floored division: its sign is the divisor's.
        BinaryOp::Mod => udf::map_n(vec![l, r], pl::DataType::Float64, |c| {
            let f = |a: Option<f64>, b: Option<f64>| {
                let (a, b) = (a?, b?);
                let rest = a % b;
                (b != 0.0).then_some(if rest != 0.0 && (rest < 0.0) != (b < 0.0) { rest + b } else { rest })
            };
            Ok(pl::arity::binary_elementwise::<_, _, pl::Float64Type, _>(c[0].f64()?, c[1].f64()?, f).into_column())
        }),
        _ => unreachable!("`/` and `**` are lowered before"),
    }
}

fn int(op: BinaryOp, left: Operand<'_>, right: Operand<'_>, whole: &Expr, scope: &Scope<'_>) -> pl::Expr {
    let (l, r) = (left.1, right.1);
    if matches!(op, BinaryOp::FloorDiv | BinaryOp::Mod) {
        // The one pair that overflows is MIN // -1; a literal divisor other than -1 and 0 needs no check of its own.
        let plain = matches!(&right.0.kind, ExprKind::Literal(Value::Int(d)) if *d > 0);
        return match (plain, op) {
            (true, BinaryOp::FloorDiv) => l.floor_div(r),
            (true, _) => l % r,
            _ => checked(op, l, r, scope),
        };
    }
    let fits = bounds(whole, scope.schema).is_some();
    match op {
        BinaryOp::Add if fits => l + r,
        BinaryOp::Sub if fits => l - r,
        BinaryOp::Mul if fits => l * r,
        _ => checked(op, l, r, scope),
    }
}

fn checked(op: BinaryOp, l: pl::Expr, r: pl::Expr, scope: &Scope<'_>) -> pl::Expr {
    let reporter = scope.reporter();
    udf::fallible(vec![scope.guard(l), scope.guard(r)], pl::DataType::Int64, move |c| {
        let (a, b) = (c[0].i64()?, c[1].i64()?);
        let out = match op {
            BinaryOp::Add => kernel(a, b, i64::overflowing_add),
            BinaryOp::Sub => kernel(a, b, i64::overflowing_sub),
            BinaryOp::Mul => kernel(a, b, i64::overflowing_mul),
            _ => None,
        };
        if let Some(out) = out {
            return Ok(out.into_column());
        }
        exact(op, a, b, &reporter)
    })
}

/// The fast path: both columns in one chunk each, no row overflows (rows that are null count too, which only sends
/// some batches to [`exact`] needlessly).
fn kernel(
    a: &ChunkedArray<Int64Type>,
    b: &ChunkedArray<Int64Type>,
    f: impl Fn(i64, i64) -> (i64, bool),
) -> Option<ChunkedArray<Int64Type>> {
    let (a, b) = (a.rechunk(), b.rechunk());
    let (x, y) = (a.downcast_as_array(), b.downcast_as_array());
    let mut overflow = false;
    let values: Vec<i64> = x
        .values()
        .iter()
        .zip(y.values().iter())
        .map(|(x, y)| {
            let (value, wrapped) = f(*x, *y);
            overflow |= wrapped;
            value
        })
        .collect();
    if overflow {
        return None;
    }
    let validity = match (x.validity(), y.validity()) {
        (Some(v), Some(w)) => Some(v & w),
        (one, other) => one.or(other).cloned(),
    };
    Some(ChunkedArray::from_vec_validity("".into(), values, validity))
}

fn exact(
    op: BinaryOp,
    a: &ChunkedArray<Int64Type>,
    b: &ChunkedArray<Int64Type>,
    reporter: &Reporter,
) -> PolarsResult<Column> {
    let (sign, f): (&str, fn(i64, i64) -> Option<i64>) = match op {
        BinaryOp::Add => ("+", i64::checked_add),
        BinaryOp::Sub => ("-", i64::checked_sub),
        BinaryOp::Mul => ("*", i64::checked_mul),
        BinaryOp::FloorDiv => ("//", |a, b| {
            let q = a.checked_div(b)?;
            Some(if a % b != 0 && (a < 0) != (b < 0) { q - 1 } else { q })
        }),
        // MIN % -1 is 0; only the machine's instruction overflows.
        _ => ("%", |a, b| Some(a.wrapping_rem(b)).map(|r| if r != 0 && (r < 0) != (b < 0) { r + b } else { r })),
    };
    let by_zero_is_null = matches!(op, BinaryOp::FloorDiv | BinaryOp::Mod);
    let mut out = Vec::with_capacity(a.len());
    for (x, y) in a.iter().zip(b.iter()) {
        out.push(match (x, y) {
            (Some(_), Some(0)) if by_zero_is_null => None,
            (Some(x), Some(y)) => match f(x, y) {
                Some(value) => Some(value),
                None => {
                    let text = format!("{x} {sign} {y}");
                    let message = format!("{text} does not fit a 64-bit int");
                    return Err(reporter.fail("E0709", message, Some(text)));
                }
            },
            _ => None,
        });
    }
    Ok(pl::Int64Chunked::from_iter(out).into_column())
}

/// Dates, datetimes and durations; all arithmetic is on microseconds.
fn temporal(op: BinaryOp, left: Operand<'_>, right: Operand<'_>, whole: &Expr, scope: &Scope<'_>) -> pl::Expr {
    let micros = |(expr, x): Operand<'_>| match expr.dtype {
        DataType::Date => x.cast(pl::DataType::Datetime(TimeUnit::Microseconds, None)).cast(pl::DataType::Int64),
        DataType::Float => x,
        _ => x.cast(pl::DataType::Int64),
    };
    let floats = left.0.dtype == DataType::Float || right.0.dtype == DataType::Float;
    let (l, r) = (micros(left), micros(right));
    let out = polars_type(&whole.dtype);
    if floats {
        // A duration times a number.
        let product = float(op, l.cast(pl::DataType::Float64), r.cast(pl::DataType::Float64), whole);
        return crate::function::math::to_int(product, f64::round, "duration", scope).cast(out);
    }
    let value = checked(op, l, r, scope);
    match whole.dtype {
        DataType::Date => value.cast(pl::DataType::Datetime(TimeUnit::Microseconds, None)).cast(out),
        _ => value.cast(out),
    }
}
