use super::Accepts::{Datetime, Duration, Int, LiteralText, Temporal};
use super::{Function, Nulls, ResultType, one, row};

const UNITS: &[&str] = &["year", "quarter", "month", "week", "day", "hour", "minute"];

pub const DATE: &[Function] = &[
    row("year", &[one("t", Temporal)], ResultType::Int, Nulls::FromAny, "The year", "year(@2024-02-29) == 2024"),
    row("quarter", &[one("t", Temporal)], ResultType::Int, Nulls::FromAny, "1 to 4", "quarter(@2024-02-29) == 1"),
    row("month", &[one("t", Temporal)], ResultType::Int, Nulls::FromAny, "1 to 12", "month(@2024-02-29) == 2"),
    row("week", &[one("t", Temporal)], ResultType::Int, Nulls::FromAny, "The ISO week, 1 to 53", "week(@2024-01-01) == 1"),
    row("day", &[one("t", Temporal)], ResultType::Int, Nulls::FromAny, "Day of the month", "day(@2024-02-29) == 29"),
    row("day_of_year", &[one("t", Temporal)], ResultType::Int, Nulls::FromAny, "1 to 366", "day_of_year(@2024-02-29) == 60"),
    row("weekday", &[one("t", Temporal)], ResultType::Int, Nulls::FromAny, "1 (Monday) to 7 (Sunday)", "weekday(@2024-01-01) == 1"),
    row("hour", &[one("t", Datetime)], ResultType::Int, Nulls::FromAny, "0 to 23, UTC", "hour(@2024-01-01T09:30:00) == 9"),
    row("minute", &[one("t", Datetime)], ResultType::Int, Nulls::FromAny, "0 to 59", "minute(@2024-01-01T09:30:00) == 30"),
    row("second", &[one("t", Datetime)], ResultType::Int, Nulls::FromAny, "0 to 59", "second(@2024-01-01T09:30:07) == 7"),
    row("truncate", &[one("t", Temporal), one("unit", LiteralText(UNITS))], ResultType::Same, Nulls::FromAny, "The begin of its year, quarter, month, (ISO) week, day, hour or minute", "truncate(@2024-02-29, \"month\") == @2024-02-01"),
    row("add_months", &[one("t", Temporal), one("n", Int)], ResultType::Same, Nulls::FromAny, "So many months later; a day that the month lacks becomes its last", "add_months(@2024-01-31, 1) == @2024-02-29"),
    row("make_date", &[one("year", Int), one("month", Int), one("day", Int)], ResultType::Date, Nulls::Always, "A date from its parts; null if there is no such day", "make_date(2024, 2, 29) == @2024-02-29"),
    row("days", &[one("d", Duration)], ResultType::Float, Nulls::FromAny, "A duration in days", "days(36h) == 1.5"),
    row("hours", &[one("d", Duration)], ResultType::Float, Nulls::FromAny, "A duration in hours", "hours(90min) == 1.5"),
    row("minutes", &[one("d", Duration)], ResultType::Float, Nulls::FromAny, "A duration in minutes", "minutes(90s) == 1.5"),
    row("seconds", &[one("d", Duration)], ResultType::Float, Nulls::FromAny, "A duration in seconds", "seconds(1500ms) == 1.5"),
];
