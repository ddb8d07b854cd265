//! Time zones, and texts in given formats.

use std::fmt::Write as _;
use std::str::FromStr;

use chrono::{DateTime, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use dbjob_plan::{DataType, RunError};
use polars::prelude::{self as pl, IntoColumn, StringChunked, TimeUnit};

use super::Call;
use super::calendar::DAY;
use crate::udf::{fallible, map1};

pub(super) const NAMES: &[&str] = &["local", "from_local", "format"];

pub(super) fn lower(call: &Call<'_>) -> Result<Option<pl::Expr>, RunError> {
    if !NAMES.contains(&call.name) {
        return Ok(None);
    }
    let moment = pl::DataType::Datetime(TimeUnit::Microseconds, None);
    let text = call.text(1).unwrap_or_default().to_owned();
    if call.name == "format" {
        return Ok(Some(format(call, text)));
    }
    let zone = Tz::from_str(&text)
        .map_err(|_| RunError::new("E0710", format!("there is no time zone {text:?}")).or_span(call.whole.span))?;
    let out = moment.clone();
    Ok(Some(if call.name == "local" {
        let reporter = call.scope.reporter();
        fallible(vec![call.scope.guard(call.arg(0))], moment, move |c| {
            let mut values = Vec::with_capacity(c[0].len());
            for us in c[0].to_physical_repr().i64()?.iter() {
                values.push(match us.map(|us| (us, DateTime::from_timestamp_micros(us))) {
                    None => None,
                    Some((_, Some(t))) => Some(t.with_timezone(&zone).naive_local().and_utc().timestamp_micros()),
                    Some((us, None)) => {
                        let shown = dbjob_plan::civil_datetime(us);
                        let message = format!("{shown} is beyond the calendar of time zones");
                        return Err(reporter.fail("E0709", message, Some(shown)));
                    }
                });
            }
            pl::Int64Chunked::from_iter(values).into_column().cast(&out)
        })
    } else {
        map1(call.arg(0), moment, move |c| {
            let instant = |us: i64| {
                let wall: NaiveDateTime = DateTime::from_timestamp_micros(us)?.naive_utc();
                zone.from_local_datetime(&wall).earliest().map(|t| t.timestamp_micros())
            };
            let values: pl::Int64Chunked = c.to_physical_repr().i64()?.iter().map(|us| us.and_then(instant)).collect();
            values.into_column().cast(&out)
        })
    }))
}

/// A date is its midnight, and every moment is UTC.
fn format(call: &Call<'_>, format: String) -> pl::Expr {
    let dates = call.args[0].dtype == DataType::Date;
    map1(call.arg(0), pl::DataType::String, move |c| {
        let shown = |us: i64| {
            let moment: DateTime<Utc> = DateTime::from_timestamp_micros(us)?;
            let mut text = String::new();
            write!(text, "{}", moment.format(&format)).ok().map(|()| text)
        };
        let physical = c.to_physical_repr().cast(&pl::DataType::Int64)?;
        let unit = if dates { DAY } else { 1 };
        let out: StringChunked = physical.i64()?.iter().map(|x| x.and_then(|x| shown(x.checked_mul(unit)?))).collect();
        Ok(out.into_column())
    })
}
