//! Literals. What is not one is told (E0003) and read as a value of the kind that was meant, so that one mistake has one
//! error.

use dbjob_plan::{Span, Value, days_from_civil};

use super::{Pair, Reader, Rule};
use crate::diagnostic::{Code, Diagnostic, Fix};

const DAY: i64 = 86_400_000_000;
const DURATIONS: [(&str, i64); 6] =
    [("ms", 1_000), ("s", 1_000_000), ("min", 60_000_000), ("h", 3_600_000_000), ("d", DAY), ("w", 7 * DAY)];
const SIZES: [(&str, i64); 11] = [
    ("B", 1),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("PB", 1_000_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

impl Reader<'_> {
    /// A `literal` pair.
    pub(super) fn literal(&mut self, pair: Pair<'_>) -> Value {
        let inner = pair.into_inner().next().expect("a literal is something");
        let span = self.span(&inner);
        let text = inner.as_str().trim_ascii_end();
        match inner.as_rule() {
            Rule::kw_true => Value::Bool(true),
            Rule::kw_false => Value::Bool(false),
            Rule::kw_null => Value::Null,
            Rule::string => Value::String(self.unescape(text, span)),
            Rule::date => self.date(text, span),
            _ => self.number(text, span),
        }
    }

    fn not_a_literal(
        &mut self,
        span: Span,
        message: impl Into<String>,
        label: &str,
        help: impl Into<String>,
    ) -> &mut Diagnostic {
        self.error(Code::E0003, span, message, label, help)
    }

    /// The text of a string in its quotes.
    pub(super) fn unescape(&mut self, quoted: &str, span: Span) -> String {
        let quoted = quoted.trim_ascii_end();
        let inner = quoted.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(quoted);
        let mut value = String::with_capacity(inner.len());
        let mut rest = inner;
        while let Some(backslash) = rest.find('\\') {
            value.push_str(&rest[..backslash]);
            let start = span.start as usize + 1 + inner.len() - rest.len() + backslash;
            rest = &rest[backslash + 1..];
            let escape = rest.chars().next();
            rest = &rest[escape.map_or(0, char::len_utf8)..];
            match escape {
                Some('n') => value.push('\n'),
                Some('t') => value.push('\t'),
                Some(c @ ('"' | '\\')) => value.push(c),
                Some('u') => {
                    let code = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).map(|(code, _)| code);
                    let length = code.map_or(0, |code| code.len() + 2);
                    rest = &rest[length..];
                    let hexadecimal = code.filter(|code| (1..=6).contains(&code.len()));
                    match hexadecimal.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32) {
                        Some(c) => value.push(c),
                        None => {
                            self.not_a_literal(
                                Span::new(span.file, start, start + 2 + length),
                                "this is not a character",
                                "no such code",
                                "write its code in hexadecimal: `\\u{e9}` is é",
                            );
                        }
                    }
                }
                other => {
                    let written = other.map(String::from).unwrap_or_default();
                    let backslash = Span::new(span.file, start, start + 1);
                    let fix = (!written.is_empty()).then(|| Box::new(Fix::write(backslash, "\\\\")));
                    self.not_a_literal(
                        Span::new(span.file, start, start + 1 + written.len()),
                        format!("`\\{written}` is not an escape"),
                        "unknown",
                        "the escapes are `\\n`, `\\t`, `\\\"`, `\\\\` and `\\u{…}`; a backslash itself is `\\\\`",
                    )
                    .fix = fix;
                }
            }
        }
        value + rest
    }

    fn number(&mut self, text: &str, span: Span) -> Value {
        let (digits, suffix) = split_suffix(text);
        if digits.ends_with('.') {
            self.not_a_literal(
                span,
                "a number does not end with its point",
                "a digit is missing",
                format!("write `{digits}0`, or `{}` for a whole number", digits.trim_end_matches('.')),
            )
            .set_fix(Fix::write(span, format!("{digits}0{suffix}")));
            return Value::Float(0.0);
        }
        let bytes = digits.as_bytes();
        let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
        if (0..bytes.len()).any(|at| bytes[at] == b'_' && !(digit(at.checked_sub(1)) && digit(Some(at + 1)))) {
            self.not_a_literal(
                span,
                "`_` stands between two digits only",
                "here",
                "leave the `_` out, or write `1_000`",
            );
        }
        let digits = digits.replace('_', "");
        match suffix {
            "" if digits.contains(['.', 'e', 'E']) => Value::Float(self.float(&digits, span)),
            "" => Value::Int(digits.parse().unwrap_or_else(|_| {
                self.not_a_literal(
                    span,
                    "this whole number does not fit in 64 bits",
                    "too large",
                    format!("the largest is {}; a float is written `{digits}.0`", i64::MAX),
                );
                i64::MAX
            })),
            "%" => Value::Float(self.float(&digits, span) / 100.0),
            unit => self.quantity(text, &digits, unit, span),
        }
    }

    fn float(&mut self, digits: &str, span: Span) -> f64 {
        let value: f64 = digits.parse().unwrap_or(f64::INFINITY);
        if !value.is_finite() {
            self.not_a_literal(
                span,
                "this number is too large for a float",
                "too large",
                "the largest is about 1.8e308",
            );
            return 0.0;
        }
        value
    }

    /// `7d`, `1.5h`, `4GiB`.
    fn quantity(&mut self, text: &str, digits: &str, unit: &str, span: Span) -> Value {
        let known = |units: &[(&str, i64)]| units.iter().find(|(name, _)| *name == unit).map(|(_, size)| *size);
        let duration = known(&DURATIONS);
        let Some(size) = duration.or_else(|| known(&SIZES)) else {
            let span = Span { start: span.end - unit.len() as u32, ..span };
            let names = DURATIONS.iter().chain(&SIZES).map(|(name, _)| *name);
            let error = Diagnostic::error(Code::E0003, span, format!("`{unit}` is not a unit"))
                .label("unknown unit")
                .help("units of time are ms, s, min, h, d, w; of size B, kB, MB, GB, KiB, MiB, GiB");
            let error = match alias(unit) {
                Some(unit) => {
                    let whole = format!("{}{unit}", text.trim_end_matches(|c: char| c.is_alphabetic()));
                    error.help(format!("write `{whole}`")).fix(Fix::write(span, unit))
                }
                None => error.near(unit, names),
            };
            self.errors.push(error);
            return if alias(unit).is_some() { Value::Duration(0) } else { Value::Int(0) };
        };
        let exact = scaled(digits, size);
        if exact.is_none() {
            let what = if duration.is_some() { "microseconds" } else { "bytes" };
            self.not_a_literal(
                span,
                format!("this is not a whole number of {what} within 64 bits"),
                "cannot be kept exactly",
                "write a whole number of a smaller unit",
            );
        }
        let exact = exact.unwrap_or(0);
        if duration.is_some() { Value::Duration(exact) } else { Value::Size(exact.unsigned_abs()) }
    }

    fn date(&mut self, text: &str, span: Span) -> Value {
        match read_date(text) {
            Ok(value) => value,
            Err(help) => {
                self.not_a_literal(span, "there is no such date", "not a date", help);
                if text.contains(['T', 't']) { Value::Datetime(0) } else { Value::Date(0) }
            }
        }
    }
}

/// A number with its exponent, and what stands right after it.
fn split_suffix(text: &str) -> (&str, &str) {
    let bytes = text.as_bytes();
    let mut end = bytes.iter().take_while(|b| b.is_ascii_digit() || matches!(b, b'_' | b'.')).count();
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let digits = bytes[end + 1 + sign..].iter().take_while(|b| b.is_ascii_digit()).count();
        if digits > 0 {
            end += 1 + sign + digits;
        }
    }
    text.split_at(end)
}

/// `digits` (with a point perhaps) times `size`, if that is a whole number.
fn scaled(digits: &str, size: i64) -> Option<i64> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mantissa: i128 = format!("{whole}{fraction}").parse().ok()?;
    let divisor = 10i128.checked_pow(fraction.len() as u32)?;
    let product = mantissa.checked_mul(size.into())?;
    (product % divisor == 0).then_some(product / divisor)?.try_into().ok()
}

fn alias(unit: &str) -> Option<&'static str> {
    Some(match unit {
        "m" | "mins" | "minute" | "minutes" => "min",
        "sec" | "secs" | "second" | "seconds" => "s",
        "hr" | "hrs" | "hour" | "hours" => "h",
        "D" | "day" | "days" => "d",
        "W" | "week" | "weeks" => "w",
        "millis" | "msec" => "ms",
        _ => return None,
    })
}

/// Whether it is a date or datetime but for its `@`.
pub fn is_date(text: &str) -> bool {
    read_date(text).is_ok()
}

/// `@Y-M-D[Th:m[:s[.f]][Z|±hh:mm]]`; the error is the help line.
fn read_date(text: &str) -> Result<Value, String> {
    const FORM: &str = "write `@2024-01-31` or `@2024-01-31T09:30:00`, with `Z` or `+02:00` after it";
    let text = text.strip_prefix('@').unwrap_or(text);
    let (date, time) = match text.split_once(['T', 't']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts[..] else { return Err(FORM.into()) };
    let (year, month, day) = match (digits(year, 4), digits(month, 2), digits(day, 2)) {
        (Some(year), Some(month), Some(day)) if year > 0 => (year, month, day),
        _ => return Err(FORM.into()),
    };
    let Some(days) = days_from_civil(year as i32, month, day) else {
        let last = (28..=31).rev().find(|day| days_from_civil(year as i32, month, *day).is_some());
        return Err(match last {
            Some(last) => format!("{year:04}-{month:02} has {last} days"),
            None => "months are 01 to 12".to_owned(),
        });
    };
    let Some(time) = time else { return Ok(Value::Date(days)) };
    let (clock, offset) = match time.find(['Z', 'z', '+', '-']) {
        Some(at) => (&time[..at], read_offset(&time[at..]).ok_or(FORM)?),
        None => (time, 0),
    };
    let micros =
        read_clock(clock).ok_or("a time is `09:30`, `09:30:00` or `09:30:00.250`, from 00:00 to 23:59:59.999999")?;
    Ok(Value::Datetime(i64::from(days) * DAY + micros - offset))
}

/// Exactly `count` digits.
fn digits(text: &str, count: usize) -> Option<u32> {
    (text.len() == count && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

fn read_clock(text: &str) -> Option<i64> {
    let (text, fraction) = text.split_once('.').map_or((text, None), |(text, fraction)| (text, Some(fraction)));
    let parts: Vec<&str> = text.split(':').collect();
    let (hour, minute, second) = match parts[..] {
        [hour, minute] if fraction.is_none() => (digits(hour, 2)?, digits(minute, 2)?, 0),
        [hour, minute, second] => (digits(hour, 2)?, digits(minute, 2)?, digits(second, 2)?),
        _ => return None,
    };
    let micros = match fraction {
        Some(fraction) => digits(fraction, fraction.len().clamp(1, 6))? * 10u32.pow(6 - fraction.len() as u32),
        None => 0,
    };
    let seconds = hour * 3600 + minute * 60 + second;
    (hour < 24 && minute < 60 && second < 60).then_some(i64::from(seconds) * 1_000_000 + i64::from(micros))
}

/// Microseconds east of UTC.
fn read_offset(text: &str) -> Option<i64> {
    if matches!(text, "Z" | "z") {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    (hours < 24 && minutes < 60).then(|| sign * i64::from(hours * 60 + minutes) * 60_000_000)
}
