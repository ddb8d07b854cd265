//! Text to values: the one reading of numbers, truth values, dates and times, shared by the checker (constants), casts
//! and sources.

use chrono::format::{Item, StrftimeItems};
use chrono::{NaiveDate, NaiveDateTime};

use crate::{Decimal, days_from_civil};

const DAY: i64 = 86_400_000_000;

/// Decimal digits with an optional sign; white space around is ignored.
pub fn int(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

/// A decimal number, with exponent if need be, `inf` or `nan`; white space around is ignored.
pub fn float(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

/// A decimal number with at most `scale` digits after the point (zeros at the end do not count) and `precision` in all,
/// with exponent if need be; white space around is ignored.
pub fn decimal(text: &str, precision: u8, scale: u8) -> Option<Decimal> {
    let number: Decimal = text.parse().ok()?;
    number.with_scale(scale).filter(|number| number.fits(precision))
}

/// `true` or `false` in any case, `1` or `0`; white space around is ignored.
pub fn bool(text: &str) -> Option<bool> {
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
pub fn date(text: &str) -> Option<i32> {
    let b = text.trim().as_bytes();
    if b.len() != 10 || b[4] != b'-' || b[7] != b'-' {
        return None;
    }
    days_from_civil(digits(&b[0..4])? as i32, digits(&b[5..7])?, digits(&b[8..10])?)
}

/// `YYYY-MM-DD` with `T` or a space and `hh:mm[:ss[.ffffff]]`, and `Z` or an offset that is taken off; a bare date is
/// its midnight. Microseconds since 1970-01-01T00:00:00Z; digits beyond microseconds are cut off.
pub fn datetime(text: &str) -> Option<i64> {
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

/// Why a text is no format of strftime's style: a directive that does not exist, or none at all.
pub fn wrong_format(format: &str) -> Option<String> {
    let mut rest = format;
    let mut directives = 0;
    while let Some(at) = rest.find('%') {
        rest = &rest[at..];
        let length = directive(rest);
        match StrftimeItems::new(&rest[..length]).next() {
            None | Some(Item::Error) => return Some(format!("there is no directive `{}`", &rest[..length])),
            Some(Item::Literal(_) | Item::Space(_)) => {}
            Some(_) => directives += 1,
        }
        rest = &rest[length..];
    }
    (directives == 0).then(|| "it has no directive such as `%Y`".to_owned())
}

/// The length of the directive that a text begins with: `%`, flags, a width, a letter.
fn directive(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    chars.find(|(_, c)| !(c.is_ascii_digit() || "-_.:#".contains(*c))).map_or(text.len(), |(i, c)| i + c.len_utf8())
}

/// Like [`wrong_format`] for a format by which a text is read as a date or datetime: it must tell the day.
pub fn wrong_reading_format(format: &str) -> Option<String> {
    use std::fmt::Write as _;
    if let Some(wrong) = wrong_format(format) {
        return Some(wrong);
    }
    let sample = chrono::DateTime::from_timestamp(1_709_212_455, 0)?.fixed_offset();
    let mut text = String::new();
    let back = write!(text, "{}", sample.format(format)).ok().and_then(|()| date_as(&text, format));
    (back != Some((sample.date_naive() - NaiveDate::default()).num_days() as i32))
        .then(|| "it does not tell which day is meant".to_owned())
}

/// A date in a format of strftime's style.
pub fn date_as(text: &str, format: &str) -> Option<i32> {
    let day = NaiveDate::parse_from_str(text.trim(), format)
        .or_else(|_| NaiveDateTime::parse_from_str(text.trim(), format).map(|t| t.date()))
        .ok()?;
    Some((day - NaiveDate::default()).num_days() as i32)
}

/// A datetime in a format of strftime's style; without a time of day, midnight.
pub fn datetime_as(text: &str, format: &str) -> Option<i64> {
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

    #[test]
    fn wrong_formats() {
        for fine in [
            "%Y-%m-%d",
            "%d.%m.%y %H:%M",
            "%-d/%-m/%Y",
            "%Y%m%d",
            "%FT%T%.3f",
            "%s",
            "%a, %d %b %Y %T %z",
            "%j %Y",
            "%%%F",
        ] {
            assert_eq!(wrong_reading_format(fine), None, "{fine}");
        }
        assert_eq!(wrong_format("%d.%Q.%Y").as_deref(), Some("there is no directive `%Q`"));
        assert_eq!(wrong_format("100%").as_deref(), Some("there is no directive `%`"));
        assert!(wrong_format("YYYY-MM-DD").is_some());
        assert_eq!(wrong_format("%H:%M"), None);
        for dayless in ["%H:%M", "%Y", "%d.%m."] {
            assert!(wrong_reading_format(dayless).is_some(), "{dayless}");
        }
    }

    #[test]
    fn decimals() {
        let shown = |text, p, s| decimal(text, p, s).map(|d| d.to_string());
        assert_eq!(shown("12.5", 4, 2).as_deref(), Some("12.50"));
        assert_eq!(shown("12.500", 4, 2).as_deref(), Some("12.50"));
        assert_eq!((shown("12.505", 9, 2), shown("123.5", 4, 2), shown("x", 4, 2)), (None, None, None));
    }
}
