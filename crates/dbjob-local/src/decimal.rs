//! Arithmetic and conversions of decimals, on their 128-bit integers. A result that has no room in its type is E0709.

use dbjob_plan::{BinaryOp, DataType, Decimal, Expr, power_of_ten};
use polars::prelude::{self as pl, ChunkApply, Column, Int128Chunked, IntoColumn, IntoSeries, PolarsResult};

use crate::expr::{Reporter, Scope};
use crate::types::polars_type;
use crate::udf;

/// Digits in all, digits after the point.
pub(crate) type Digits = (u8, u8);

pub(crate) fn digits(dtype: &DataType) -> Option<Digits> {
    match dtype {
        DataType::Decimal { precision, scale } => Some((*precision, *scale)),
        _ => None,
    }
}

/// The integers of a decimal column.
pub(crate) fn unscaled(c: &Column) -> PolarsResult<Int128Chunked> {
    Ok(c.decimal()?.physical().clone())
}

/// Integers that fit the type, as a decimal column.
pub(crate) fn column(values: Int128Chunked, (precision, scale): Digits) -> Column {
    values.into_decimal_unchecked(usize::from(precision), usize::from(scale)).into_series().into_column()
}

fn limit(precision: u8) -> i128 {
    power_of_ten(precision).unwrap_or(i128::MAX)
}

fn shown(unscaled: i128, scale: u8) -> String {
    Decimal { unscaled, scale }.to_string()
}

/// `+ - * // %` of two decimals; the checker has made them of types for which `whole` has all digits after the point.
pub(crate) fn arithmetic(
    op: BinaryOp,
    left: (&Expr, pl::Expr),
    right: (&Expr, pl::Expr),
    whole: &Expr,
    scope: &Scope<'_>,
) -> pl::Expr {
    let (Some(a), Some(b), Some(out)) = (digits(&left.0.dtype), digits(&right.0.dtype), digits(&whole.dtype)) else {
        unreachable!("the checker makes both operands decimals")
    };
    let reporter = scope.reporter();
    let inputs = vec![scope.guard(left.1), scope.guard(right.1)];
    let run = move |c: &[Column]| binary(op, c, a, b, out, &reporter);
    // The digits that the result may need, were there no end to them.
    let needed = match op {
        BinaryOp::Mul => a.0 + b.0,
        BinaryOp::Mod => 0,
        BinaryOp::FloorDiv => u8::MAX,
        _ => (a.0 - a.1).max(b.0 - b.1) + 1 + out.1,
    };
    if needed <= out.0 {
        udf::map_n(inputs, polars_type(&whole.dtype), run)
    } else {
        udf::fallible(inputs, polars_type(&whole.dtype), run)
    }
}

fn binary(op: BinaryOp, c: &[Column], a: Digits, b: Digits, out: Digits, reporter: &Reporter) -> PolarsResult<Column> {
    let unit = |scale: u8| power_of_ten(out.1.saturating_sub(scale)).unwrap_or(i128::MAX);
    let (left_unit, right_unit, one) = (unit(a.1), unit(b.1), limit(out.1));
    let compute = |x: i128, y: i128| -> Option<Option<i128>> {
        if op == BinaryOp::Mul {
            return x.checked_mul(y).map(Some);
        }
        let (x, y) = (x.checked_mul(left_unit)?, y.checked_mul(right_unit)?);
        match op {
            BinaryOp::Add => x.checked_add(y).map(Some),
            BinaryOp::Sub => x.checked_sub(y).map(Some),
            _ if y == 0 => Some(None),
            BinaryOp::Mod => {
                let rest = x % y;
                Some(Some(if rest != 0 && (rest < 0) != (y < 0) { rest + y } else { rest }))
            }
            _ => {
                let quotient = x / y - i128::from(x % y != 0 && (x < 0) != (y < 0));
                quotient.checked_mul(one).map(Some)
            }
        }
    };
    let sign = match op {
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::FloorDiv => "//",
        _ => "%",
    };
    let (x, y, limit) = (unscaled(&c[0])?, unscaled(&c[1])?, limit(out.0));
    let mut values = Vec::with_capacity(x.len());
    for (x, y) in x.iter().zip(y.iter()) {
        let (Some(x), Some(y)) = (x, y) else {
            values.push(None);
            continue;
        };
        match compute(x, y) {
            Some(value) if value.is_none_or(|v| v > -limit && v < limit) => values.push(value),
            _ => {
                let text = format!("{} {sign} {}", shown(x, a.1), shown(y, b.1));
                let message = format!("{text} does not fit a decimal({}, {})", out.0, out.1);
                return Err(reporter.fail("E0709", message, Some(text)));
            }
        }
    }
    Ok(column(Int128Chunked::from_iter(values), out))
}

/// `f` over the integers; the result is of the same type.
pub(crate) fn unary(x: pl::Expr, dtype: &DataType, f: fn(i128) -> i128) -> pl::Expr {
    let out = digits(dtype).expect("a decimal");
    udf::map1(x, polars_type(dtype), move |c| Ok(column(unscaled(c)?.apply_values(f), out)))
}

/// A decimal as an int by `f` of (integer, its unit). What does not fit is E0709.
pub(crate) fn to_int(
    x: pl::Expr,
    dtype: &DataType,
    f: fn(i128, i128) -> i128,
    what: &'static str,
    scope: &Scope<'_>,
) -> pl::Expr {
    let ((_, scale), reporter) = (digits(dtype).expect("a decimal"), scope.reporter());
    let unit = limit(scale);
    udf::fallible(vec![scope.guard(x)], pl::DataType::Int64, move |c| {
        let mut out = Vec::with_capacity(c[0].len());
        for value in unscaled(&c[0])?.iter() {
            out.push(match value.map(|v| (v, i64::try_from(f(v, unit)))) {
                None => None,
                Some((_, Ok(i))) => Some(i),
                Some((v, Err(_))) => {
                    let text = format!("{what}({})", shown(v, scale));
                    let message = format!("{text} does not fit a 64-bit int");
                    return Err(reporter.fail("E0709", message, Some(text)));
                }
            });
        }
        Ok(pl::Int64Chunked::from_iter(out).into_column())
    })
}

/// Towards zero; null where it does not fit.
pub(crate) fn try_int(x: pl::Expr, scale: u8) -> pl::Expr {
    let unit = limit(scale);
    udf::map1(x, pl::DataType::Int64, move |c| {
        let out: pl::Int64Chunked = unscaled(c)?.iter().map(|v| v.and_then(|v| i64::try_from(v / unit).ok())).collect();
        Ok(out.into_column())
    })
}

/// The nearest float.
pub(crate) fn to_float(x: pl::Expr, scale: u8) -> pl::Expr {
    udf::map1(x, pl::DataType::Float64, move |c| {
        let values = unscaled(c)?;
        let out: pl::Float64Chunked =
            values.iter().map(|v| v.map(|v| Decimal { unscaled: v, scale }.to_float())).collect();
        Ok(out.into_column())
    })
}

/// All digits after the point.
pub(crate) fn to_text(x: pl::Expr, scale: u8) -> pl::Expr {
    udf::map1(x, pl::DataType::String, move |c| {
        let values = unscaled(c)?;
        let out: pl::StringChunked = values.iter().map(|v| v.map(|v| shown(v, scale))).collect();
        Ok(out.into_column())
    })
}

/// Numbers as decimals of the type, rounded half away from zero; what has no room is null if lenient, else E0710. A
/// conversion that only adds digits costs nothing to check.
pub(crate) fn of_number(x: pl::Expr, from: &DataType, to: &DataType, lenient: bool, scope: &Scope<'_>) -> pl::Expr {
    let (out, target) = (digits(to).expect("a decimal"), polars_type(to));
    let whole = match from {
        DataType::Int => Some((19, 0)),
        other => digits(other),
    };
    if whole.is_some_and(|(p, s)| s <= out.1 && p - s <= out.0 - out.1) {
        return x.cast(target);
    }
    let (from, reporter) = (from.clone(), scope.reporter());
    let run = move |c: &Column| -> PolarsResult<Column> {
        let made: Vec<(Option<Option<Decimal>>, usize)> = match &from {
            DataType::Int => numbers(c.i64()?.iter(), |i| Decimal::of_int(i).with_scale(out.1)),
            DataType::Float => numbers(c.f64()?.iter(), |x| Decimal::of_float_rounded(x, out.1)),
            _ => {
                let scale = digits(&from).map_or(0, |(_, s)| s);
                numbers(unscaled(c)?.iter(), |unscaled| Decimal { unscaled, scale }.rounded(out.1))
            }
        };
        let mut values = Vec::with_capacity(made.len());
        for (number, row) in made {
            values.push(match number {
                None => None,
                Some(Some(d)) if d.fits(out.0) => Some(d.unscaled),
                Some(_) if lenient => None,
                Some(_) => {
                    let text = crate::types::value_of(&c.get(row)?).to_string();
                    let message = format!("{text} does not fit a decimal({}, {})", out.0, out.1);
                    return Err(reporter.fail("E0710", message, Some(text)));
                }
            });
        }
        Ok(column(Int128Chunked::from_iter(values), out))
    };
    if lenient { udf::map1(x, target, run) } else { udf::fallible(vec![scope.guard(x)], target, move |c| run(&c[0])) }
}

/// Each value made a decimal (inner `None`: it has none), with its row.
fn numbers<T>(
    values: impl Iterator<Item = Option<T>>,
    make: impl Fn(T) -> Option<Decimal>,
) -> Vec<(Option<Option<Decimal>>, usize)> {
    values.enumerate().map(|(row, value)| (value.map(&make), row)).collect()
}

/// The sum of a group. `x` has so few digits that 2^32 of them fit, or every step is checked.
pub(crate) fn sum(x: pl::Expr, from: Digits, scope: &Scope<'_>) -> pl::Expr {
    const SAFE: u8 = 28;
    let out = pl::DataType::Decimal(38, usize::from(from.1));
    if from.0 <= SAFE {
        return x.sum().cast(out);
    }
    let reporter = scope.reporter();
    udf::aggregate_n(vec![x], out, move |c| {
        let mut sum = 0_i128;
        for value in unscaled(&c[0])?.iter().flatten() {
            sum = match sum.checked_add(value).filter(|s| s.abs() < limit(38)) {
                Some(sum) => sum,
                None => {
                    let message = format!("the sum does not fit a decimal(38, {})", from.1);
                    return Err(reporter.fail("E0709", message, Some(shown(sum, from.1))));
                }
            };
        }
        Ok(column(Int128Chunked::from_iter([Some(sum)]), (38, from.1)))
    })
}
