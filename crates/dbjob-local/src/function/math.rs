use dbjob_plan::{DataType, Decimal, RunError};
use polars::prelude::{self as pl, ChunkApply, IntoColumn};

use super::Call;
use crate::arithmetic::checked_unary;
use crate::decimal;
use crate::expr::Scope;
use crate::udf::{fallible, float1, float1_partial, map_n, map1};

pub(super) const NAMES: &[&str] = &[
    "abs",
    "sign",
    "sqrt",
    "cbrt",
    "exp",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "hypot",
    "floor",
    "ceil",
    "trunc",
    "round",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "atan2",
    "sinh",
    "cosh",
    "tanh",
    "degrees",
    "radians",
    "pi",
    "clip",
    "is_nan",
    "is_finite",
    "is_infinite",
];

pub(super) fn lower(call: &Call<'_>) -> Result<Option<pl::Expr>, RunError> {
    let int = call.args.first().is_some_and(|a| a.dtype == DataType::Int);
    let x = || {
        let x = call.arg(0);
        if int { x.cast(pl::DataType::Float64) } else { x }
    };
    if let Some(DataType::Decimal { scale, .. }) = call.args.first().map(|a| &a.dtype) {
        return Ok(of_decimal(call, *scale));
    }
    Ok(Some(match call.name {
        "abs" if int => {
            let reporter = call.scope.reporter();
            fallible(vec![call.scope.guard(call.arg(0))], pl::DataType::Int64, move |c| {
                checked_unary(&c[0], i64::checked_abs, "abs", &reporter)
            })
        }
        "abs" => call.arg(0).abs(),
        "sign" if int => {
            map1(call.arg(0), pl::DataType::Int64, |c| Ok(c.i64()?.apply_values(i64::signum).into_column()))
        }
        "sign" => float1(x(), |x| if x == 0.0 || x.is_nan() { x } else { x.signum() }),
        "sqrt" => float1_partial(x(), |x| (x >= 0.0 || x.is_nan()).then(|| x.sqrt())),
        "exp" => float1(x(), f64::exp),
        "expm1" => float1(x(), f64::exp_m1),
        "log" if call.args.len() == 2 => {
            let base = call.arg(1).cast(pl::DataType::Float64);
            map_n(vec![x(), base], pl::DataType::Float64, |c| {
                let f = |x: Option<f64>, b: Option<f64>| Some(ln(x?)? / ln(b?).filter(|b| *b != 0.0)?);
                Ok(pl::arity::binary_elementwise::<_, _, pl::Float64Type, _>(c[0].f64()?, c[1].f64()?, f).into_column())
            })
        }
        "log" => float1_partial(x(), ln),
        "log1p" => float1_partial(x(), |x| (x > -1.0 || x.is_nan()).then(|| x.ln_1p())),
        "log2" => float1_partial(x(), |x| (x > 0.0 || x.is_nan()).then(|| x.log2())),
        "log10" => float1_partial(x(), |x| (x > 0.0 || x.is_nan()).then(|| x.log10())),
        "cbrt" => float1(x(), f64::cbrt),
        "hypot" => float2(x(), call.arg(1), f64::hypot),
        "atan2" => float2(x(), call.arg(1), f64::atan2),
        "asin" => float1_partial(x(), |x| (x.abs() <= 1.0 || x.is_nan()).then(|| x.asin())),
        "acos" => float1_partial(x(), |x| (x.abs() <= 1.0 || x.is_nan()).then(|| x.acos())),
        "atan" => float1(x(), f64::atan),
        "sinh" => float1(x(), f64::sinh),
        "cosh" => float1(x(), f64::cosh),
        "tanh" => float1(x(), f64::tanh),
        "degrees" => float1(x(), f64::to_degrees),
        "radians" => float1(x(), f64::to_radians),
        "pi" => pl::lit(std::f64::consts::PI),
        "sin" => float1(x(), f64::sin),
        "cos" => float1(x(), f64::cos),
        "tan" => float1(x(), f64::tan),
        "floor" | "ceil" | "trunc" if int => call.arg(0),
        "trunc" => to_int(call.arg(0), f64::trunc, "trunc", call.scope),
        "floor" => to_int(call.arg(0), f64::floor, "floor", call.scope),
        "ceil" => to_int(call.arg(0), f64::ceil, "ceil", call.scope),
        "round" => round(call, int),
        "clip" => clip(call),
        "is_nan" if int => pl::when(call.arg(0).is_null()).then(pl::lit(pl::NULL)).otherwise(pl::lit(false)),
        "is_nan" => call.arg(0).is_nan(),
        "is_finite" => x().is_finite(),
        "is_infinite" => x().is_infinite(),
        _ => return Ok(None),
    }))
}

/// The functions that keep a decimal one, or make it an int.
fn of_decimal(call: &Call<'_>, scale: u8) -> Option<pl::Expr> {
    let (x, dtype) = (call.arg(0), &call.args[0].dtype);
    Some(match call.name {
        "abs" => decimal::unary(x, dtype, i128::abs),
        "sign" => decimal::to_int(x, dtype, |v, _| v.signum(), "sign", call.scope),
        "floor" => decimal::to_int(x, dtype, |v, unit| v.div_euclid(unit), "floor", call.scope),
        "ceil" => decimal::to_int(x, dtype, |v, unit| -(-v).div_euclid(unit), "ceil", call.scope),
        "trunc" => decimal::to_int(x, dtype, |v, unit| v / unit, "trunc", call.scope),
        "clip" => clip(call),
        "round" => {
            let (out, digits) = (decimal::digits(&call.whole.dtype)?, call.int(1));
            // Below 0 the digits before the point are rounded, to a number without digits after it.
            let unit = dbjob_plan::power_of_ten(u8::try_from(-digits.min(0)).unwrap_or(u8::MAX));
            let keep = u8::try_from(digits.max(0)).unwrap_or(scale).min(scale);
            map1(x, crate::types::polars_type(&call.whole.dtype), move |c| {
                let round = |unscaled: i128| match unit {
                    Some(1) => Decimal { unscaled, scale }.rounded(keep).map_or(0, |d| d.unscaled),
                    Some(unit) => {
                        let whole = unscaled.unsigned_abs() / 10_u128.pow(u32::from(scale));
                        let unit = unit.unsigned_abs();
                        let up = whole % unit >= unit - whole % unit;
                        ((whole / unit + u128::from(up)) * unit) as i128 * unscaled.signum()
                    }
                    None => 0,
                };
                Ok(decimal::column(decimal::unscaled(c)?.apply_values(round), out))
            })
        }
        _ => return None,
    })
}

fn clip(call: &Call<'_>) -> pl::Expr {
    let (x, low, high) = (call.arg(0), call.arg(1), call.arg(2));
    // No comparison with null is true, and a value of unknown bounds is not known.
    let known = low.clone().is_not_null().and(high.clone().is_not_null());
    let inside = pl::when(x.clone().lt(low.clone())).then(low).when(x.clone().gt(high.clone())).then(high).otherwise(x);
    if call.args[1..].iter().any(|bound| bound.nullable) {
        return pl::when(known).then(inside).otherwise(pl::lit(pl::NULL));
    }
    inside
}

fn float2(x: pl::Expr, y: pl::Expr, f: fn(f64, f64) -> f64) -> pl::Expr {
    map_n(vec![x, y.cast(pl::DataType::Float64)], pl::DataType::Float64, move |c| {
        let f = |x: Option<f64>, y: Option<f64>| Some(f(x?, y?));
        Ok(pl::arity::binary_elementwise::<_, _, pl::Float64Type, _>(c[0].f64()?, c[1].f64()?, f).into_column())
    })
}

fn ln(x: f64) -> Option<f64> {
    (x > 0.0 || x.is_nan()).then(|| x.ln())
}

/// Half away from zero, at a number of decimals (negative: before the point).
fn round(call: &Call<'_>, int: bool) -> pl::Expr {
    let x = call.arg(0);
    let digits = match call.args.get(1) {
        None if int => return x,
        None => return float1(x, f64::round),
        Some(_) => call.arg(1),
    };
    if int {
        let reporter = call.scope.reporter();
        return fallible(vec![call.scope.guard(x), digits], pl::DataType::Int64, move |c| {
            let mut out = Vec::with_capacity(c[0].len());
            for (x, d) in c[0].i64()?.iter().zip(c[1].i64()?.iter()) {
                let (Some(x), Some(d)) = (x, d) else {
                    out.push(None);
                    continue;
                };
                match round_int(x, d) {
                    Some(value) => out.push(Some(value)),
                    None => {
                        let text = format!("round({x}, {d})");
                        let message = format!("{text} does not fit a 64-bit int");
                        return Err(reporter.fail("E0709", message, Some(text)));
                    }
                }
            }
            Ok(pl::Int64Chunked::from_iter(out).into_column())
        });
    }
    map_n(vec![x, digits], pl::DataType::Float64, |c| {
        let out: pl::Float64Chunked =
            c[0].f64()?.iter().zip(c[1].i64()?.iter()).map(|(x, d)| Some(round_float(x?, d?))).collect();
        Ok(out.into_column())
    })
}

fn round_int(x: i64, digits: i64) -> Option<i64> {
    if digits >= 0 {
        return Some(x);
    }
    let Some(unit) = u32::try_from(-digits).ok().and_then(|d| 10_i128.checked_pow(d)) else { return Some(0) };
    let x = i128::from(x);
    i64::try_from((x.abs() + unit / 2) / unit * unit * x.signum()).ok()
}

/// 2^53: from here on a float has no fraction.
const WHOLE: f64 = 9_007_199_254_740_992.0;

fn round_float(x: f64, digits: i64) -> f64 {
    if digits == 0 {
        return x.round();
    }
    let scale = 10_f64.powi(digits.abs().min(400) as i32);
    let out = if digits > 0 { (x * scale).round() / scale } else { (x / scale).round() * scale };
    let fine = digits > 0 && (x.abs() >= WHOLE || !out.is_finite());
    if fine || x.is_nan() {
        x
    } else if out.is_nan() {
        0.0
    } else {
        out
    }
}

/// `f` of a float as an int. NaN and what does not fit is E0709.
pub(crate) fn to_int(x: pl::Expr, f: fn(f64) -> f64, what: &'static str, scope: &Scope<'_>) -> pl::Expr {
    let reporter = scope.reporter();
    fallible(vec![scope.guard(x)], pl::DataType::Int64, move |c| {
        let mut out = Vec::with_capacity(c[0].len());
        for x in c[0].f64()?.iter() {
            out.push(match x {
                None => None,
                Some(x) => match int_of(f(x)) {
                    Some(i) => Some(i),
                    None => {
                        let text = format!("{what}({x:?})");
                        let message = format!("{text} does not fit a 64-bit int");
                        return Err(reporter.fail("E0709", message, Some(text)));
                    }
                },
            });
        }
        Ok(pl::Int64Chunked::from_iter(out).into_column())
    })
}

/// A float without a fraction as an int, if it is one.
pub(crate) fn int_of(x: f64) -> Option<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    (x >= -LIMIT && x < LIMIT).then_some(x as i64)
}
