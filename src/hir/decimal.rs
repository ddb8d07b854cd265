//! How many digits decimal results have. `decimal(p, s)` has `p` digits in all and `s` of them after the point; a result
//! never loses digits after the point, and never has more than [`DECIMAL_DIGITS`]: what has no room in them stops the run.

use dbjob_plan::{BinaryOp, DECIMAL_DIGITS, DataType, Decimal, Expr, ExprKind, Value};

use super::expr::Typed;
use super::range::Range;

/// Digits in all, digits after the point.
type Digits = (u8, u8);

/// Those of every 64-bit int.
const INT: Digits = (19, 0);

fn of(whole: u8, scale: u8) -> DataType {
    let precision = whole.saturating_add(scale).clamp(1, DECIMAL_DIGITS);
    DataType::Decimal { precision, scale }
}

/// The least type of a number.
pub fn least(number: Decimal) -> DataType {
    let (whole, scale) = number.digits();
    of(whole, scale)
}

fn digits(dtype: &DataType) -> Option<Digits> {
    match dtype {
        DataType::Decimal { precision, scale } => Some((*precision, *scale)),
        DataType::Int => Some(INT),
        _ => None,
    }
}

/// The type that holds the values of both, as far as there is room; `None` unless one is a decimal and the other a decimal
/// or an int.
pub fn common(a: &DataType, b: &DataType) -> Option<DataType> {
    let ((pa, sa), (pb, sb)) = (digits(a)?, digits(b)?);
    Some(of((pa - sa).max(pb - sb), sa.max(sb)))
}

/// What a sum of values of a decimal type is.
pub fn sum(scale: u8) -> DataType {
    DataType::Decimal { precision: DECIMAL_DIGITS, scale }
}

/// What `round(x, digits)` of a decimal is: rounding up may need a digit more before the point.
pub fn rounded(precision: u8, scale: u8, to: i64) -> DataType {
    match u8::try_from(to) {
        Ok(to) if to >= scale => DataType::Decimal { precision, scale },
        Ok(to) => of(precision - scale + 1, to),
        Err(_) => of(precision - scale + 1, 0),
    }
}

/// Why `a op b` has no decimal result, or its type.
pub fn arithmetic(op: BinaryOp, a: &Operand, b: &Operand) -> Result<DataType, String> {
    let ((pa, sa), (pb, sb)) = (a.0, b.0);
    match op {
        BinaryOp::Mul if sa + sb > DECIMAL_DIGITS => {
            Err(format!("the product has {} digits after the point, and {DECIMAL_DIGITS} is the most", sa + sb))
        }
        BinaryOp::Mul => Ok(of((pa - sa) + (pb - sb), sa + sb)),
        BinaryOp::FloorDiv | BinaryOp::Mod => Ok(of((pa - sa).max(pb - sb), sa.max(sb))),
        _ => Ok(of((pa - sa).max(pb - sb) + 1, sa.max(sb))),
    }
}

/// The digits of an operand beside a decimal; what is known of an int spares digits.
pub struct Operand(Digits);

impl Operand {
    pub fn of(expr: &Expr, range: Range) -> Option<Self> {
        let known = match &expr.dtype {
            DataType::Int if range.low.abs().max(range.high.abs()) < 1e15 => {
                let most = range.low.abs().max(range.high.abs()) as u64;
                (if most == 0 { 1 } else { most.ilog10() as u8 + 1 }, 0)
            }
            dtype => digits(dtype)?,
        };
        Some(Self(known))
    }

    pub fn dtype(&self) -> DataType {
        DataType::Decimal { precision: self.0.0, scale: self.0.1 }
    }
}

/// The types that the operands of `+ - * // %` become where one is a decimal, and the result's or why there is none.
pub(super) fn operands(op: BinaryOp, l: &Typed, r: &Typed) -> Option<(DataType, DataType, Result<DataType, String>)> {
    let is_decimal = |t: &Typed| matches!(t.dtype(), DataType::Decimal { .. });
    if !is_decimal(l) && !is_decimal(r) {
        return None;
    }
    let (a, b) = (Operand::of(&l.expr, l.range)?, Operand::of(&r.expr, r.range)?);
    let result = arithmetic(op, &a, &b);
    Some((a.dtype(), b.dtype(), result))
}

/// A float as written beside a decimal is that decimal, to the digit: `price > 9.99`.
pub(super) fn meet(l: &mut Typed, r: &mut Typed) {
    meet_type(&l.expr.dtype, r);
    meet_type(&r.expr.dtype, l);
}

/// [`meet`] with something of that type.
pub(super) fn meet_type(dtype: &DataType, typed: &mut Typed) {
    if let (DataType::Decimal { .. }, Some(number)) = (dtype, written(&typed.expr)) {
        typed.expr = number;
    }
}

fn written(expr: &Expr) -> Option<Expr> {
    let number = match &expr.kind {
        ExprKind::Literal(Value::Float(x)) => Decimal::of_float(*x)?,
        ExprKind::Negate(inner) => match &inner.kind {
            ExprKind::Literal(Value::Float(x)) => Decimal::of_float(-x)?,
            _ => return None,
        },
        _ => return None,
    };
    Some(Expr::literal(Value::Decimal(number), least(number), expr.span))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(precision: u8, scale: u8) -> DataType {
        DataType::Decimal { precision, scale }
    }

    fn result(op: BinaryOp, a: Digits, b: Digits) -> DataType {
        arithmetic(op, &Operand(a), &Operand(b)).unwrap()
    }

    #[test]
    fn no_digit_after_the_point_is_lost() {
        assert_eq!(result(BinaryOp::Add, (10, 2), (5, 3)), dec(12, 3));
        assert_eq!(result(BinaryOp::Sub, (38, 2), (38, 2)), dec(38, 2));
        assert_eq!(result(BinaryOp::Mul, (10, 2), (5, 3)), dec(15, 5));
        assert_eq!(result(BinaryOp::Mul, (38, 2), (19, 0)), dec(38, 2));
        assert_eq!(result(BinaryOp::Mod, (10, 2), (19, 0)), dec(21, 2));
        assert!(arithmetic(BinaryOp::Mul, &Operand((38, 20)), &Operand((38, 19))).is_err());
        assert_eq!(common(&dec(10, 2), &DataType::Int), Some(dec(21, 2)));
        assert_eq!(common(&dec(38, 2), &dec(10, 4)), Some(dec(38, 4)));
        assert_eq!(common(&dec(10, 2), &DataType::Float), None);
    }

    #[test]
    fn rounding_makes_room_for_the_carry() {
        assert_eq!(rounded(3, 2, 1), dec(3, 1));
        assert_eq!(rounded(2, 2, 0), dec(1, 0));
        assert_eq!(rounded(10, 2, 4), dec(10, 2));
        assert_eq!(rounded(10, 2, -1), dec(9, 0));
    }
}
