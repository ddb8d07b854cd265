//! Durations of ISO 8601, as JSON Schema's format `duration` has them, in microseconds: `P1DT2H`, `PT0.5S`, `-PT1M`. Not
//! years and months, which are of no length.

const SECOND: i64 = 1_000_000;

pub fn read(text: &str) -> Option<i64> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let rest = rest.strip_prefix('P')?;
    let (date, time) = match rest.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None => (rest, ""),
    };
    if rest.is_empty() {
        return None;
    }
    let day = 86_400 * SECOND;
    let parts = part(date, &[('W', 7 * day), ('D', day)])?;
    let total = parts.checked_add(part(time, &[('H', 3600 * SECOND), ('M', 60 * SECOND), ('S', SECOND)])?)?;
    Some(sign * total)
}

/// The sum of the numbers before these letters, each at most once and in this order.
fn part(mut text: &str, units: &[(char, i64)]) -> Option<i64> {
    let mut total = 0_i64;
    for (letter, size) in units {
        let Some((number, rest)) = text.split_once(*letter) else { continue };
        total = total.checked_add(scaled(number, *size, *letter == 'S')?)?;
        text = rest;
    }
    text.is_empty().then_some(total)
}

/// Digits times a size; seconds may have up to six digits more after a point.
fn scaled(number: &str, size: i64, fraction: bool) -> Option<i64> {
    let (whole, part) = number.split_once('.').filter(|_| fraction).unwrap_or((number, ""));
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || number.contains('.') && !(digits(part) && part.len() <= 6) {
        return None;
    }
    let micros: i64 = if part.is_empty() { 0 } else { format!("{part:0<6}").parse().ok()? };
    whole.parse::<i64>().ok()?.checked_mul(size)?.checked_add(micros)
}

/// As it is read.
pub fn write(us: i64) -> String {
    let (sign, us) = (if us < 0 { "-" } else { "" }, us.unsigned_abs());
    let (seconds, micros) = (us / 1_000_000, us % 1_000_000);
    if micros == 0 {
        return format!("{sign}PT{seconds}S");
    }
    let fraction = format!("{micros:06}");
    format!("{sign}PT{seconds}.{}S", fraction.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_there_and_back() {
        for (text, us) in [
            ("PT1H", 3_600 * SECOND),
            ("P1DT2H3M4.5S", 93_784_500_000),
            ("P2W", 14 * 86_400 * SECOND),
            ("-PT1M", -60 * SECOND),
            ("PT0.000001S", 1),
        ] {
            assert_eq!(read(text), Some(us), "{text}");
            assert_eq!(read(&write(us)), Some(us), "{text}");
        }
        for wrong in ["", "P", "PT", "1H", "P1Y", "PT1", "PT1M1H", "PT1.5M", "PT.5S", "PT99999999999999999S"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
