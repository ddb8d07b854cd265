//! Text to values and back: the one reading of numbers, truth values, dates and times, shared by casts and sources.

use chrono::{NaiveDate, NaiveDateTime};
use dbjob_plan::days_from_civil;

const DAY: i64 = 86_400_000_000;

/// Decimal digits with an optional sign; white space around is ignored.
pub(crate) fn int(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

/// A decimal number, with exponent if need be, `inf` or `nan`; white space around is ignored.
pub(crate) fn float(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

/// `true` or `false` in any case, `1` or `0`; white space around is ignored.
pub(crate) fn bool(text: &str) -> Option<bool> {
    let text = text.trim();
    if text == "1" || text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text == "0" || text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Exactly `YYYY-MM-DD`, as days since 1970-01-01.
pub(crate) fn date(text: &str) -> Option<i32> {
    let b = text.trim().as_bytes();
    if b.len() != 10 || b[4] != b'-' || b[7] != b'-' {
        return None;
    }
    days_from_civil(digits(&b[0..4])? as i32, digits(&b[5..7])?, digits(&b[8..10])?)
}

/// `YYYY-MM-DD` with `T` or a space and `hh:mm[:ss[.ffffff]]`, and `Z` or an offset that is taken off; a bare date is
/// its midnight. Microseconds since 1970-01-01T00:00:00Z; digits beyond microseconds are cut off.
pub(crate) fn datetime(text: &str) -> Option<i64> {
    let text = text.trim();
    let days = i64::from(date(text.get(..10)?)?);
    let rest = &text[10..];
    if rest.is_empty() {
        return Some(days * DAY);
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (clock, offset) = zone(rest)?;
    let b = clock.as_bytes();
    if b.len() < 5 || b[2] != b':' {
        return None;
    }
    let (hour, minute) = (digits(&b[0..2])?, digits(&b[3..5])?);
    let (second, fraction) = match b.get(5) {
        None => (0, 0),
        Some(b':') if b.len() >= 8 => (digits(&b[6..8])?, micros(&b[8..])?),
        Some(_) => return None,
    };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    Some(days * DAY + seconds * 1_000_000 + fraction - offset)
}

/// The clock part and the offset from UTC in microseconds.
fn zone(text: &str) -> Option<(&str, i64)> {
    if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let Some(at) = text.rfind(['+', '-']) else { return Some((text, 0)) };
    let sign = if text.as_bytes()[at] == b'-' { -1 } else { 1 };
    let b = &text.as_bytes()[at + 1..];
    let (hours, minutes) = match b {
        [h1, h2] => (digits(&[*h1, *h2])?, 0),
        [h1, h2, b':', m1, m2] | [h1, h2, m1, m2] => (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then_some((&text[..at], sign * i64::from(hours * 60 + minutes) * 60_000_000))
}

fn micros(fraction: &[u8]) -> Option<i64> {
    let Some(digits) = fraction.strip_prefix(b".") else { return fraction.is_empty().then_some(0) };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some((0..6).fold(0, |value, i| value * 10 + digits.get(i).map_or(0, |d| i64::from(d - b'0'))))
}

fn digits(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0, |value, b| b.is_ascii_digit().then(|| value * 10 + u32::from(b - b'0')))
}

/// A date in a format of strftime's style.
pub(crate) fn date_as(text: &str, format: &str) -> Option<i32> {
    let day = NaiveDate::parse_from_str(text.trim(), format)
        .or_else(|_| NaiveDateTime::parse_from_str(text.trim(), format).map(|t| t.date()))
        .ok()?;
    Some((day - NaiveDate::default()).num_days() as i32)
}

/// A datetime in a format of strftime's style; without a time of day, midnight.
pub(crate) fn datetime_as(text: &str, format: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(moment) = chrono::DateTime::parse_from_str(text, format) {
        return Some(moment.timestamp_micros());
    }
    if let Ok(moment) = NaiveDateTime::parse_from_str(text, format) {
        return Some(moment.and_utc().timestamp_micros());
    }
    date_as(text, format).map(|days| i64::from(days) * DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_strict() {
        assert_eq!(date("1970-01-02"), Some(1));
        assert_eq!(date("1969-12-31"), Some(-1));
        for wrong in ["1970-1-2", "1970-02-30", "70-01-02", "1970-01-02x", "1970/01/02", ""] {
            assert_eq!(date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn datetimes_know_zones_and_fractions() {
        assert_eq!(datetime("1970-01-01"), Some(0));
        assert_eq!(datetime("1970-01-01T00:00:01.5"), Some(1_500_000));
        assert_eq!(datetime("1970-01-01 01:00+01:00"), Some(0));
        assert_eq!(datetime("1970-01-01T00:00:00.1234567Z"), Some(123_456));
        for wrong in ["1970-01-01T24:00", "1970-01-01T00", "1970-01-01T00:00:00.", "1970-01-01T00:00+25:00", "x"] {
            assert_eq!(datetime(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn formats() {
        assert_eq!(date_as("31.01.2024", "%d.%m.%Y"), date("2024-01-31"));
        assert_eq!(datetime_as("31.01.2024 09:30", "%d.%m.%Y %H:%M"), datetime("2024-01-31T09:30"));
        assert_eq!(date_as("2024", "%d.%m.%Y"), None);
    }
}
