use std::cell::Cell;

use dbjob_plan::{DataType, RunError, civil_from_days};
use polars::prelude::{self as pl, ChunkApply, IntoColumn, TimeUnit};

use super::Call;
use super::calendar::DAY;
use crate::arithmetic::checked_unary;
use crate::udf::{fallible, map1};

pub(super) const NAMES: &[&str] = &[
    "year",
    "month",
    "day",
    "hour",
    "minute",
    "second",
    "weekday",
    "week",
    "quarter",
    "day_of_year",
    "iso_year",
    "is_leap_year",
    "microsecond",
    "truncate",
    "epoch",
    "from_epoch",
    "days",
    "hours",
    "minutes",
    "seconds",
];

/// The microseconds of a call's unit of time.
fn ticks(call: &Call<'_>) -> i64 {
    match call.text(1) {
        Some("us") => 1,
        Some("ms") => 1_000,
        _ => 1_000_000,
    }
}

/// A part of a date's or datetime's day. By integers alone: a third of the time that a calendar library takes. Moments
/// often stand in order, so that the day of one is mostly that of the one before.
fn civil(moment: pl::Expr, part: fn((i64, u32, u32)) -> i64) -> pl::Expr {
    map1(moment, pl::DataType::Int64, move |c| {
        let length = if c.dtype() == &pl::DataType::Date { 1 } else { DAY };
        let moments = c.to_physical_repr().cast(&pl::DataType::Int64)?;
        // The moments from the first to before the second have the third.
        let known = Cell::new((0, 0, 0));
        let of = |x: i64| {
            let (begin, end, value) = known.get();
            if begin <= x && x < end {
                return value;
            }
            // The days of all 64-bit microseconds fit 32 bits.
            let day = x.div_euclid(length);
            let value = part(civil_from_days(day as i32));
            known.set((day.saturating_mul(length), (day + 1).saturating_mul(length), value));
            value
        };
        Ok(moments.i64()?.apply_values(of).into_column())
    })
}

pub(super) fn lower(call: &Call<'_>) -> Result<Option<pl::Expr>, RunError> {
    let moment = || call.arg(0).cast(pl::DataType::Datetime(TimeUnit::Microseconds, None)).dt();
    let part = |x: pl::Expr| x.cast(pl::DataType::Int64);
    let span = |unit: i64| call.arg(0).cast(pl::DataType::Int64).cast(pl::DataType::Float64) / pl::lit(unit as f64);
    Ok(Some(match call.name {
        "year" => civil(call.arg(0), |(year, _, _)| year),
        "month" => civil(call.arg(0), |(_, month, _)| i64::from(month)),
        "day" => civil(call.arg(0), |(_, _, day)| i64::from(day)),
        "weekday" => part(call.arg(0).dt().weekday()),
        "week" => part(call.arg(0).dt().week()),
        "quarter" => part(call.arg(0).dt().quarter()),
        "day_of_year" => part(call.arg(0).dt().ordinal_day()),
        "hour" => part(moment().hour()),
        "minute" => part(moment().minute()),
        "second" => part(moment().second()),
        "days" => span(DAY),
        "hours" => span(DAY / 24),
        "minutes" => span(60_000_000),
        "seconds" => span(1_000_000),
        "truncate" => {
            let every = match call.text(1) {
                Some("year") => "1y",
                Some("quarter") => "1q",
                Some("month") => "1mo",
                Some("week") => "1w",
                Some("day") => "1d",
                Some("hour") => "1h",
                Some("minute") => "1m",
                Some("second") => "1s",
                other => {
                    let unit = other.unwrap_or("a computed unit");
                    return Err(RunError::new("E0799", format!("`truncate` knows no unit {unit:?}"))
                        .help("write one of \"year\", \"quarter\", \"month\", \"week\", \"day\", \"hour\", \"minute\", \"second\"")
                        .or_span(call.whole.span));
                }
            };
            // Below a day a date has nothing to cut off.
            let nothing = call.args[0].dtype == DataType::Date && matches!(every, "1h" | "1m" | "1s");
            if nothing { call.arg(0) } else { call.arg(0).dt().truncate(pl::lit(every)) }
        }
        "iso_year" => part(call.arg(0).dt().iso_year()),
        "is_leap_year" => call.arg(0).dt().is_leap_year(),
        "microsecond" => part(moment().microsecond()),
        "epoch" => {
            let us = call.arg(0).cast(pl::DataType::Datetime(TimeUnit::Microseconds, None)).cast(pl::DataType::Int64);
            match ticks(call) {
                1 => us,
                unit => us.floor_div(pl::lit(unit)),
            }
        }
        "from_epoch" => {
            let (unit, reporter) = (ticks(call), call.scope.reporter());
            let out = pl::DataType::Datetime(TimeUnit::Microseconds, None);
            let inner = out.clone();
            fallible(vec![call.scope.guard(call.arg(0))], out, move |c| {
                let scaled = checked_unary(&c[0], move |n| n.checked_mul(unit), "from_epoch", &reporter)?;
                scaled.cast(&inner)
            })
        }
        _ => return Ok(None),
    }))
}
