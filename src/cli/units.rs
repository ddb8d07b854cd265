/// `1,234,567`
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(any(feature = "local", test))]
/// `1 row`, `1,234 rows`
pub fn rows(n: u64) -> String {
    format!("{} row{}", thousands(n), if n == 1 { "" } else { "s" })
}

#[cfg(any(feature = "local", test))]
/// `12 ms`, `3.4 s`, `2 min 05 s`, `1 h 02 min`
pub fn seconds(s: f64) -> String {
    let whole = s.round() as u64;
    match s {
        _ if s < 0.9995 => format!("{:.0} ms", s * 1e3),
        _ if s < 59.95 => format!("{s:.1} s"),
        _ if whole < 3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole / 60 % 60),
    }
}

/// A metric: four digits after the point, fewer where the number is large, more where it is tiny.
pub fn metric(x: f64) -> String {
    let size = x.abs();
    if !x.is_finite() {
        "not a number".into()
    } else if size >= 1000.0 {
        format!("{x:.1}")
    } else if size >= 0.001 || x == 0.0 {
        format!("{x:.4}")
    } else {
        format!("{x:.3e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([rows(1), rows(2)], ["1 row", "2 rows"]);
    }

    #[test]
    fn times_have_the_unit_that_fits() {
        let times = [0.0004, 0.25, 0.9999, 12.34, 59.99, 125.2, 3720.0].map(seconds);
        assert_eq!(times, ["0 ms", "250 ms", "1.0 s", "12.3 s", "1 min 00 s", "2 min 05 s", "1 h 02 min"]);
    }

    #[test]
    fn metrics_keep_their_meaning() {
        let shown = [0.98541, -12345.678, 0.00001234, 0.0, f64::NAN].map(metric);
        assert_eq!(shown, ["0.9854", "-12345.7", "1.234e-5", "0.0000", "not a number"]);
    }
}
