//! Numbers and values with the digits that a reader wants.

use dbjob_plan::Value;

/// Numbers with a sign and the same digits after the point, so many that the largest has five that count.
pub fn signed(numbers: &[f64]) -> Vec<String> {
    let signed = |text: String| if text.starts_with('-') { text } else { format!("+{text}") };
    digits(numbers).into_iter().map(signed).collect()
}

/// The same without a plus.
pub fn digits(numbers: &[f64]) -> Vec<String> {
    let largest = numbers.iter().copied().filter(|x| x.is_finite()).map(f64::abs).fold(0.0, f64::max);
    let whole = if largest > 0.0 { largest.log10().floor() as i32 } else { 0 };
    let places = (4 - whole).clamp(0, 15) as usize;
    let text = |x: &f64| {
        if !x.is_finite() {
            return if *x < 0.0 { "-infinite" } else { "infinite" }.to_owned();
        }
        let text = format!("{x:.places$}");
        // No minus in front of nothing.
        match text.strip_prefix('-') {
            Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.to_owned(),
            _ => text,
        }
    };
    numbers.iter().map(text).collect()
}

/// A value with the digits that a reader wants: of a number six.
pub fn brief(value: &Value) -> String {
    let Value::Float(x) = value else { return value.to_string() };
    if !x.is_finite() || *x == 0.0 || !(1e-4..1e15).contains(&x.abs()) {
        return value.to_string();
    }
    let places = (5 - x.abs().log10().floor() as i32).max(0) as usize;
    let text = format!("{x:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_short() {
        let texts = [43.825_500_000_005, 3800.0, -0.25, 1_234_567.5, 1e-9].map(|x| brief(&Value::Float(x)));
        assert_eq!(texts, ["43.8255", "3800", "-0.25", "1234568", "1e-9"]);
        assert_eq!(brief(&Value::String("DE".into())), "\"DE\"");
    }

    #[test]
    fn the_largest_number_says_how_many_digits() {
        assert_eq!(signed(&[1.23456, -0.000_01, 0.5]), ["+1.2346", "+0.0000", "+0.5000"]);
        assert_eq!(signed(&[12345.6, -0.2]), ["+12346", "+0"]);
        assert_eq!(digits(&[0.001_234_56, -0.0005]), ["0.0012346", "-0.0005000"]);
        assert_eq!(digits(&[f64::NEG_INFINITY, 0.0]), ["-infinite", "0.0000"]);
    }
}
