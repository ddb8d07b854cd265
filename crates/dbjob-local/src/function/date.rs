use dbjob_plan::{DataType, RunError, days_from_civil};
use polars::prelude::{self as pl, Column, IntoColumn, PolarsResult, TimeUnit};

use super::Call;
use crate::expr::Reporter;
use crate::udf::{fallible, map_n};

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
    "truncate",
    "add_months",
    "make_date",
    "days",
    "hours",
    "minutes",
    "seconds",
];

const DAY: i64 = 86_400_000_000;

pub(super) fn lower(call: &Call<'_>) -> Result<Option<pl::Expr>, RunError> {
    let moment = || call.arg(0).cast(pl::DataType::Datetime(TimeUnit::Microseconds, None)).dt();
    let part = |x: pl::Expr| x.cast(pl::DataType::Int64);
    let span = |unit: i64| call.arg(0).cast(pl::DataType::Int64).cast(pl::DataType::Float64) / pl::lit(unit as f64);
    Ok(Some(match call.name {
        "year" => part(call.arg(0).dt().year()),
        "month" => part(call.arg(0).dt().month()),
        "day" => part(call.arg(0).dt().day()),
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
                other => {
                    let unit = other.unwrap_or("a computed unit");
                    return Err(RunError::new("E0799", format!("`truncate` knows no unit {unit:?}"))
                        .help("write one of \"year\", \"quarter\", \"month\", \"week\", \"day\", \"hour\", \"minute\"")
                        .or_span(call.whole.span));
                }
            };
            // Below a day a date has nothing to cut off.
            let nothing = call.args[0].dtype == DataType::Date && matches!(every, "1h" | "1m");
            if nothing { call.arg(0) } else { call.arg(0).dt().truncate(pl::lit(every)) }
        }
        "add_months" => {
            let reporter = call.scope.reporter();
            let out = crate::types::polars_type(&call.args[0].dtype);
            let inner = out.clone();
            fallible(vec![call.scope.guard(call.arg(0)), call.arg(1)], out, move |c| add_months(c, &inner, &reporter))
        }
        "make_date" => map_n(call.lowered.clone(), pl::DataType::Date, |c| {
            let (y, m, d) = (c[0].i64()?, c[1].i64()?, c[2].i64()?);
            let days: pl::Int32Chunked = y
                .iter()
                .zip(m.iter())
                .zip(d.iter())
                .map(|((y, m), d)| {
                    let year = i32::try_from(y?).ok().filter(|y| (-9_999..=9_999).contains(y))?;
                    days_from_civil(year, u32::try_from(m?).ok()?, u32::try_from(d?).ok()?)
                })
                .collect();
            days.into_column().cast(&pl::DataType::Date)
        }),
        _ => return Ok(None),
    }))
}

/// The same day `n` months on, or the last day of that month if it is shorter; the time of day stays.
fn add_months(c: &[Column], out: &pl::DataType, reporter: &Reporter) -> PolarsResult<Column> {
    let dates = *out == pl::DataType::Date;
    let physical = c[0].to_physical_repr().cast(&pl::DataType::Int64)?;
    let mut values = Vec::with_capacity(physical.len());
    for (x, n) in physical.i64()?.iter().zip(c[1].i64()?.iter()) {
        let (Some(x), Some(n)) = (x, n) else {
            values.push(None);
            continue;
        };
        let (days, rest) = if dates { (x, 0) } else { (x.div_euclid(DAY), x.rem_euclid(DAY)) };
        let moved = i32::try_from(days).ok().and_then(|d| shift(d, n)).map(i64::from);
        match moved {
            Some(days) => values.push(Some(if dates { days } else { days * DAY + rest })),
            None => {
                let message = format!("add_months by {n} leaves the calendar (years -9999 to 9999)");
                return Err(reporter.fail("E0709", message, Some(n.to_string())));
            }
        }
    }
    let values = pl::Int64Chunked::from_iter(values).into_column();
    if dates { values.cast(&pl::DataType::Int32)?.cast(out) } else { values.cast(out) }
}

fn shift(days: i32, months: i64) -> Option<i32> {
    let text = dbjob_plan::civil_date(days);
    let (rest, day) = text.rsplit_once('-')?;
    let (year, month) = rest.rsplit_once('-')?;
    let (year, month, day): (i64, i64, u32) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    let total = (year * 12 + month - 1).checked_add(months)?;
    let year = i32::try_from(total.div_euclid(12)).ok().filter(|y| (-9_999..=9_999).contains(y))?;
    let month = total.rem_euclid(12) as u32 + 1;
    (0..4).find_map(|back| days_from_civil(year, month, day - back))
}
