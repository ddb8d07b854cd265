//! Moving over the calendar, and counting on it.

use dbjob_plan::{DataType, RunError, civil_from_days, days_from_civil, days_in_month};
use polars::prelude::{self as pl, Column, IntoColumn, PolarsResult};

use super::Call;
use crate::expr::Reporter;
use crate::types::polars_type;
use crate::udf::{fallible, map_n, map1};

pub(super) const NAMES: &[&str] = &[
    "add_days",
    "add_months",
    "add_years",
    "days_between",
    "months_between",
    "years_between",
    "last_day",
    "days_in_month",
    "make_date",
    "make_datetime",
];

pub(super) const DAY: i64 = 86_400_000_000;

pub(super) fn lower(call: &Call<'_>) -> Result<Option<pl::Expr>, RunError> {
    let between = |count: fn(i64, i64) -> i64| {
        map_n(vec![call.arg(0), call.arg(1)], pl::DataType::Int64, move |c| {
            let (from, to) = (days(&c[0])?, days(&c[1])?);
            let out: pl::Int64Chunked = from.into_iter().zip(to).map(|(a, b)| Some(count(a?, b?))).collect();
            Ok(out.into_column())
        })
    };
    Ok(Some(match call.name {
        "add_days" => moved(call, |days, n| days.checked_add(n)),
        "add_months" => moved(call, add_months),
        "add_years" => moved(call, |days, n| add_months(days, n.checked_mul(12)?)),
        "days_between" => between(|a, b| b - a),
        "months_between" => between(months),
        "years_between" => between(|a, b| months(a, b) / 12),
        "last_day" => map1(call.arg(0), pl::DataType::Date, |c| {
            let last = |day: i64| {
                let (year, month, _) = civil_from_days(i32::try_from(day).ok()?);
                days_from_civil(i32::try_from(year).ok()?, month, days_in_month(year, month))
            };
            let out: pl::Int32Chunked = days(c)?.into_iter().map(|day| last(day?)).collect();
            out.into_column().cast(&pl::DataType::Date)
        }),
        "days_in_month" => map1(call.arg(0), pl::DataType::Int64, |c| {
            let length = |day: i64| {
                let (year, month, _) = civil_from_days(i32::try_from(day).ok()?);
                Some(i64::from(days_in_month(year, month)))
            };
            let out: pl::Int64Chunked = days(c)?.into_iter().map(|day| length(day?)).collect();
            Ok(out.into_column())
        }),
        "make_date" => map_n(call.lowered.clone(), pl::DataType::Date, |c| {
            let days: pl::Int32Chunked = parts(c, 3)?.into_iter().map(|p| day_of(&p?)).collect();
            days.into_column().cast(&pl::DataType::Date)
        }),
        "make_datetime" => {
            let out = polars_type(&DataType::Datetime);
            let target = out.clone();
            map_n(call.lowered.clone(), out, move |c| {
                let moment = |p: &[i64]| {
                    let (day, clock) = (day_of(p)?, (p[3], p[4], p[5]));
                    let valid = (0..24).contains(&clock.0) && (0..60).contains(&clock.1) && (0..60).contains(&clock.2);
                    valid.then(|| i64::from(day) * DAY + (clock.0 * 3600 + clock.1 * 60 + clock.2) * 1_000_000)
                };
                let out: pl::Int64Chunked = parts(c, 6)?.into_iter().map(|p| moment(&p?)).collect();
                out.into_column().cast(&target)
            })
        }
        _ => return Ok(None),
    }))
}

/// The days since 1970-01-01 of dates, or those on which datetimes lie.
fn days(c: &Column) -> PolarsResult<Vec<Option<i64>>> {
    let dates = *c.dtype() == pl::DataType::Date;
    let physical = c.to_physical_repr().cast(&pl::DataType::Int64)?;
    Ok(physical.i64()?.iter().map(|x| x.map(|x| if dates { x } else { x.div_euclid(DAY) })).collect())
}

/// The ints of `n` columns, row by row; `None` where one is null.
fn parts(c: &[Column], n: usize) -> PolarsResult<Vec<Option<Vec<i64>>>> {
    let columns = c[..n].iter().map(Column::i64).collect::<PolarsResult<Vec<_>>>()?;
    Ok((0..c[0].len()).map(|row| columns.iter().map(|c| c.get(row)).collect()).collect())
}

fn day_of(parts: &[i64]) -> Option<i32> {
    let year = i32::try_from(parts[0]).ok().filter(|y| (-9_999..=9_999).contains(y))?;
    days_from_civil(year, u32::try_from(parts[1]).ok()?, u32::try_from(parts[2]).ok()?)
}

/// A date or datetime by `shift` of (its day, n); the time of day stays.
fn moved(call: &Call<'_>, shift: fn(i64, i64) -> Option<i64>) -> pl::Expr {
    let (reporter, name) = (call.scope.reporter(), call.name.to_owned());
    let out = polars_type(&call.args[0].dtype);
    let inner = out.clone();
    fallible(vec![call.scope.guard(call.arg(0)), call.arg(1)], out, move |c| {
        shifted(c, &inner, shift, &name, &reporter)
    })
}

fn shifted(
    c: &[Column],
    out: &pl::DataType,
    shift: fn(i64, i64) -> Option<i64>,
    name: &str,
    reporter: &Reporter,
) -> PolarsResult<Column> {
    // The days of the years -9999 to 9999.
    const CALENDAR: std::ops::RangeInclusive<i64> = -4_371_587..=2_932_896;
    let dates = *out == pl::DataType::Date;
    let physical = c[0].to_physical_repr().cast(&pl::DataType::Int64)?;
    let mut values = Vec::with_capacity(physical.len());
    for (x, n) in physical.i64()?.iter().zip(c[1].i64()?.iter()) {
        let (Some(x), Some(n)) = (x, n) else {
            values.push(None);
            continue;
        };
        let (days, rest) = if dates { (x, 0) } else { (x.div_euclid(DAY), x.rem_euclid(DAY)) };
        match shift(days, n).filter(|days| CALENDAR.contains(days)) {
            Some(days) => values.push(Some(if dates { days } else { days * DAY + rest })),
            None => {
                let message = format!("{name} by {n} leaves the calendar (years -9999 to 9999)");
                return Err(reporter.fail("E0709", message, Some(n.to_string())));
            }
        }
    }
    let values = pl::Int64Chunked::from_iter(values).into_column();
    if dates { values.cast(&pl::DataType::Int32)?.cast(out) } else { values.cast(out) }
}

/// The same day `n` months on, or the last day of that month if it is shorter.
fn add_months(days: i64, n: i64) -> Option<i64> {
    let (year, month, day) = civil_from_days(i32::try_from(days).ok()?);
    let total = (year * 12 + i64::from(month) - 1).checked_add(n)?;
    let (year, month) = (total.div_euclid(12), total.rem_euclid(12) as u32 + 1);
    let year = i32::try_from(year).ok().filter(|y| (-9_999..=9_999).contains(y))?;
    days_from_civil(year, month, day.min(days_in_month(i64::from(year), month))).map(i64::from)
}

/// The most months that can be added to the earlier day without passing the later one; negative if `b` is earlier.
fn months(a: i64, b: i64) -> i64 {
    if b < a {
        return -months(b, a);
    }
    let civil = |days: i64| i32::try_from(days).map_or((0, 1, 1), civil_from_days);
    let ((y1, m1, d1), (y2, m2, d2)) = (civil(a), civil(b));
    let months = (y2 - y1) * 12 + i64::from(m2) - i64::from(m1);
    months - i64::from(d2 < d1.min(days_in_month(y2, m2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_months() {
        let day = |y, m, d| i64::from(days_from_civil(y, m, d).unwrap());
        assert_eq!(months(day(2024, 1, 31), day(2024, 2, 29)), 1);
        assert_eq!(months(day(2024, 1, 31), day(2024, 2, 28)), 0);
        assert_eq!(months(day(2024, 1, 31), day(2024, 3, 30)), 1);
        assert_eq!(months(day(2024, 3, 1), day(2024, 1, 31)), -1);
        assert_eq!(months(day(2000, 2, 29), day(2001, 2, 28)) / 12, 1);
        for (a, n) in [(day(2023, 12, 31), 14), (day(2024, 2, 29), 12), (day(2024, 5, 5), 1)] {
            let b = add_months(a, n).unwrap();
            assert_eq!(months(a, b), n);
            assert_eq!(months(a, b - 1), n - 1);
        }
        assert_eq!((civil_from_days(-4_371_587).0, civil_from_days(2_932_896)), (-9_999, (9_999, 12, 31)));
    }
}
