//! What is wrong with constants: it would fail in every row, so it is told before there are rows.

use std::str::FromStr;

use chrono_tz::Tz;
use dbjob_plan::{DECIMAL_DIGITS, DataType, Decimal, Expr, ExprKind, Span, Value, parse};

use super::expr::Typed;
use super::value::holds_nothing;
use crate::catalog::function::Accepts;

/// Whether a constant (or what is none) is what a literal parameter takes; `None` for other parameters.
pub(super) fn fits(accepts: Accepts, constant: Option<&Value>) -> Option<bool> {
    let int = |low: i64, high: i64| matches!(constant, Some(Value::Int(i)) if (low..=high).contains(i));
    Some(match accepts {
        Accepts::LiteralText([]) | Accepts::Regex | Accepts::TimeFormat | Accepts::DayFormat | Accepts::Zone => {
            matches!(constant, Some(Value::String(_)))
        }
        Accepts::LiteralText(words) => constant.and_then(Value::as_str).is_some_and(|text| words.contains(&text)),
        Accepts::LiteralInt => int(i64::MIN, i64::MAX),
        Accepts::Digits => int(1, i64::from(DECIMAL_DIGITS)),
        Accepts::Scale => int(0, i64::from(DECIMAL_DIGITS)),
        Accepts::LiteralCount => int(1, i64::MAX),
        Accepts::Width => int(1, 1_000_000),
        Accepts::LiteralShare => constant.and_then(Value::as_f64).is_some_and(|x| (0.0..=1.0).contains(&x)),
        _ => return None,
    })
}

/// Why a literal text is not what the parameter takes.
pub(super) fn wrong_text(accepts: Accepts, constant: Option<&Value>) -> Option<String> {
    let text = constant?.as_str()?;
    match accepts {
        Accepts::Regex => regex::Regex::new(text).err().map(|e| {
            // The message is a picture of the expression; its last line is the reason.
            let reason = e.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            format!("{text:?} is no regular expression: {reason}")
        }),
        Accepts::TimeFormat => parse::wrong_format(text).map(|why| format!("{text:?} is no format: {why}")),
        Accepts::DayFormat => parse::wrong_reading_format(text).map(|why| format!("{text:?} is no format: {why}")),
        Accepts::Zone => Tz::from_str(text).err().map(|_| format!("there is no time zone {text:?}")),
        _ => None,
    }
}

/// The names of all time zones.
pub(super) fn zones() -> impl Iterator<Item = &'static str> {
    chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())
}

/// Constants that are wrong together, each right by itself: where, why, and what to write.
pub(super) fn wrong_together(function: &str, args: &[Typed]) -> Option<(Span, String, &'static str)> {
    let value = |i: usize| value_of(&args.get(i)?.expr);
    match function {
        "clip" => {
            let (low, high) = (value(1)?, value(2)?);
            let what = format!("no value lies from {low} to {high}");
            holds_nothing(&low, &high, true)
                .then(|| (args[2].expr.span, what, "the lower end comes first: `clip(x, 0, 10)`"))
        }
        "extract" => {
            let (regex, group) = (value(1)?, value(2)?.as_i64()?);
            let there = regex::Regex::new(regex.as_str()?).ok()?.captures_len() as i64 - 1;
            let what = format!("the regular expression has no group {group}: there are {there}");
            (group > there)
                .then(|| (args[2].expr.span, what, "groups stand in `( )` and count from 1; 0 is all that matches"))
        }
        _ => None,
    }
}

/// Why a cast of a constant fails.
pub(super) fn cast_failure(function: &str, args: &[Typed]) -> Option<String> {
    let digits = |i: usize| match args.get(i).map(|a| &a.expr.kind) {
        Some(ExprKind::Literal(Value::Int(n))) => u8::try_from(*n).ok(),
        _ => None,
    };
    if let ("decimal" | "try_decimal", Some(precision), Some(scale)) = (function, digits(1), digits(2))
        && scale > precision
    {
        return Some(format!("a decimal of {precision} digits has no {scale} digits after the point"));
    }
    let value = value_of(&args.first()?.expr)?;
    let text = |i: usize| match args.get(i).map(|a| &a.expr.kind) {
        Some(ExprKind::Literal(Value::String(text))) => Some(text.as_str()),
        _ => None,
    };
    let read = match (function, &value) {
        (_, Value::Null) => true,
        ("int", Value::String(s)) => parse::int(s).is_some(),
        ("int" | "floor" | "ceil" | "trunc", Value::Float(x)) => x.abs() < 9_223_372_036_854_775_808.0,
        ("int" | "floor" | "ceil" | "trunc", Value::Decimal(d)) => {
            i64::try_from(d.unscaled / 10_i128.pow(u32::from(d.scale))).is_ok()
        }
        ("float", Value::String(s)) => parse::float(s).is_some(),
        ("bool", Value::String(s)) => parse::bool(s).is_some(),
        ("date", Value::String(s)) => {
            text(1).map_or_else(|| parse::date(s), |format| parse::date_as(s, format)).is_some()
        }
        ("datetime", Value::String(s)) => {
            text(1).map_or_else(|| parse::datetime(s), |format| parse::datetime_as(s, format)).is_some()
        }
        ("decimal", value) => {
            let (Some(precision), Some(scale)) = (digits(1), digits(2)) else { return None };
            match value {
                Value::String(s) => parse::decimal(s, precision, scale).is_some(),
                Value::Float(x) => Decimal::of_float_rounded(*x, scale).is_some_and(|d| d.fits(precision)),
                Value::Int(i) => Decimal::of_int(*i).with_scale(scale).is_some_and(|d| d.fits(precision)),
                Value::Decimal(d) => d.rounded(scale).is_some_and(|d| d.fits(precision)),
                _ => true,
            }
        }
        _ => true,
    };
    let target = match (function, digits(1), digits(2)) {
        ("decimal", Some(precision), Some(scale)) => format!(" as decimal({precision}, {scale})"),
        _ => String::new(),
    };
    (!read).then(|| format!("`{function}` cannot read {value}{target}"))
}

/// The constant that an expression is.
pub(super) fn value_of(expr: &Expr) -> Option<Value> {
    match &expr.kind {
        ExprKind::Literal(value) => Some(value.clone()),
        ExprKind::Negate(x) => match value_of(x)? {
            Value::Int(i) => i.checked_neg().map(Value::Int),
            Value::Float(x) => Some(Value::Float(-x)),
            Value::Decimal(d) => Some(Value::Decimal(Decimal { unscaled: -d.unscaled, ..d })),
            _ => None,
        },
        _ => None,
    }
}

/// The exact value of `+ - *` and `-` over int constants, for what leaves 64 bits.
pub(super) fn int_of(expr: &Expr) -> Option<i128> {
    if expr.dtype != DataType::Int {
        return None;
    }
    match &expr.kind {
        ExprKind::Literal(Value::Int(i)) => Some(i128::from(*i)),
        ExprKind::Negate(x) => int_of(x).map(|i| -i),
        ExprKind::Binary { op, left, right } => {
            let (a, b) = (int_of(left)?, int_of(right)?);
            match op {
                dbjob_plan::BinaryOp::Add => Some(a + b),
                dbjob_plan::BinaryOp::Sub => Some(a - b),
                dbjob_plan::BinaryOp::Mul => a.checked_mul(b),
                _ => None,
            }
        }
        _ => None,
    }
}
