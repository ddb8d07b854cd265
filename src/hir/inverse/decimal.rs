//! Undoing decimal arithmetic without rounding.

use dbjob_plan::{BinaryOp, DataType, Decimal, Expr, Value};

use super::{binary, cast};
use crate::hir::decimal;
use crate::hir::expr::Typed;

/// `left op c` of decimals, in the type that the language gives it; `None` if it has none.
fn of(op: BinaryOp, left: Expr, right: Expr) -> Option<Expr> {
    let (left, right) = (Typed::of(left), Typed::of(right));
    let (l, r, result) = decimal::operands(op, &left, &right)?;
    Some(binary(op, left.convert(&l).expr, right.convert(&r).expr, result.ok()?))
}

/// The sum or difference as a decimal of the type that it came from.
pub(super) fn moved(op: BinaryOp, y: Expr, c: &Expr, to: &DataType) -> Option<Expr> {
    of(op, y, c.clone()).map(|x| fitted(x, to))
}

/// `y / c` where that is a decimal of the type `to`: in units of its last digit it is a whole number, and `//` is exact.
pub(super) fn quotient(y: Expr, c: &Expr, to: &DataType) -> Option<Expr> {
    let DataType::Decimal { scale, .. } = *to else { return None };
    let span = y.span;
    let constant = |number: Decimal| Expr::literal(Value::Decimal(number), decimal::least(number), span);
    let units = Decimal { unscaled: dbjob_plan::power_of_ten(scale)?, scale: 0 };
    let whole = of(BinaryOp::FloorDiv, of(BinaryOp::Mul, y, constant(units))?, c.clone())?;
    let x = of(BinaryOp::Mul, whole, constant(Decimal { unscaled: 1, scale }))?;
    Some(fitted(x, to))
}

/// The number in another decimal type that has room for it.
pub(super) fn fitted(x: Expr, to: &DataType) -> Expr {
    if x.dtype == *to { x } else { cast("try_decimal", x, to.clone()) }
}
