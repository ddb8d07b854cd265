use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The most digits that a decimal has: what 128 bits hold.
pub const DECIMAL_DIGITS: u8 = 38;

/// An exact decimal number: `unscaled` times 10 to the power of `-scale`. Invariants: `scale` is at most
/// [`DECIMAL_DIGITS`], and so is the number of digits of `unscaled`.
///
/// Equality and order are those of the numbers: `1.5` equals `1.50`. Stored as text, because not every reader of JSON
/// has numbers of that size.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Decimal {
    pub unscaled: i128,
    pub scale: u8,
}

/// 10 to the power of `n`, if 128 bits hold it.
pub fn power_of_ten(n: u8) -> Option<i128> {
    10_i128.checked_pow(u32::from(n))
}

impl Decimal {
    /// `None` if it has more than [`DECIMAL_DIGITS`] digits.
    pub fn new(unscaled: i128, scale: u8) -> Option<Self> {
        let number = Self { unscaled, scale };
        (scale <= DECIMAL_DIGITS && number.fits(DECIMAL_DIGITS)).then_some(number)
    }

    pub fn of_int(i: i64) -> Self {
        Self { unscaled: i128::from(i), scale: 0 }
    }

    /// The number that was written and read as a float: the shortest text that reads back as the very float. `None` for
    /// NaN, infinities, what needs more than [`DECIMAL_DIGITS`] digits, and where the float may have lost some: it keeps 15.
    pub fn of_float(x: f64) -> Option<Self> {
        let shortest = format!("{x:e}");
        let mantissa = shortest.split('e').next().unwrap_or_default();
        let kept = mantissa.bytes().filter(u8::is_ascii_digit).count() <= 15;
        kept.then(|| parse(&shortest)).flatten()
    }

    /// Like [`Decimal::of_float`], rounded half away from zero to `scale` digits after the point.
    pub fn of_float_rounded(x: f64, scale: u8) -> Option<Self> {
        let text = format!("{x:e}");
        let (mantissa, exponent) = text.split_once('e')?;
        let mantissa = plain(mantissa)?;
        let shift = exponent.parse::<i32>().ok()? + i32::from(scale) - i32::from(mantissa.scale);
        let unscaled = match u8::try_from(shift) {
            Ok(up) => match mantissa.unscaled {
                0 => 0,
                m => m.checked_mul(power_of_ten(up)?)?,
            },
            Err(_) => divide_rounded(mantissa.unscaled, u8::try_from(-shift).unwrap_or(u8::MAX)),
        };
        Self::new(unscaled, scale)
    }

    /// Whether it has at most so many digits.
    pub fn fits(self, precision: u8) -> bool {
        power_of_ten(precision).is_some_and(|limit| self.unscaled > -limit && self.unscaled < limit)
    }

    /// The same number with `scale` digits after the point; `None` if digits would be lost or there is no room.
    pub fn with_scale(self, scale: u8) -> Option<Self> {
        if scale >= self.scale {
            return Self::new(self.unscaled.checked_mul(power_of_ten(scale - self.scale)?)?, scale);
        }
        let unit = power_of_ten(self.scale - scale)?;
        (self.unscaled % unit == 0).then(|| Self { unscaled: self.unscaled / unit, scale })
    }

    /// With `scale` digits after the point, rounded half away from zero; `None` if there is no room.
    pub fn rounded(self, scale: u8) -> Option<Self> {
        if scale >= self.scale {
            return self.with_scale(scale);
        }
        Self::new(divide_rounded(self.unscaled, self.scale - scale), scale)
    }

    /// The nearest float.
    pub fn to_float(self) -> f64 {
        // Both are exact floats here, and a quotient is rounded once.
        const EXACT: i128 = 1 << 53;
        if self.scale <= 22 && (-EXACT..=EXACT).contains(&self.unscaled) {
            return self.unscaled as f64 / 10_f64.powi(i32::from(self.scale));
        }
        format!("{}e-{}", self.unscaled, self.scale).parse().expect("digits and an exponent are a number")
    }

    /// Digits before the point, at least 0, and the digits after it: the least type that holds it.
    pub fn digits(self) -> (u8, u8) {
        let whole = (self.unscaled / power_of_ten(self.scale).unwrap_or(i128::MAX)).unsigned_abs();
        let before = if whole == 0 { 0 } else { whole.ilog10() as u8 + 1 };
        (before, self.scale)
    }

    fn parts(self) -> (i128, i128) {
        let unit = power_of_ten(self.scale).expect("the scale is at most 38");
        // The fraction is below 1, so that it has room for 38 digits.
        let room = power_of_ten(DECIMAL_DIGITS - self.scale).expect("the scale is at most 38");
        (self.unscaled / unit, self.unscaled % unit * room)
    }
}

/// Half away from zero.
fn divide_rounded(x: i128, digits: u8) -> i128 {
    match power_of_ten(digits) {
        Some(unit) => {
            let (quotient, rest) = (x / unit, x % unit);
            quotient + if rest.abs() >= unit - rest.abs() { x.signum() } else { 0 }
        }
        None => 0,
    }
}

/// Digits with an optional sign, point and exponent; white space around is ignored. `None` for anything else, and for
/// more than [`DECIMAL_DIGITS`] digits.
fn parse(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return plain(text) };
    let number = plain(mantissa)?;
    let scale = i32::from(number.scale) - exponent.parse::<i32>().ok()?;
    if number.unscaled == 0 {
        return Decimal::new(0, u8::try_from(scale.max(0)).ok()?.min(DECIMAL_DIGITS));
    }
    match u8::try_from(scale) {
        Ok(scale) => Decimal::new(number.unscaled, scale),
        Err(_) if scale > 0 => None,
        Err(_) => Decimal::new(number.unscaled.checked_mul(power_of_ten(u8::try_from(-scale).ok()?)?)?, 0),
    }
}

fn plain(text: &str) -> Option<Decimal> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let (mut unscaled, mut scale, mut point, mut any) = (0_i128, 0_u8, false, false);
    for byte in digits.bytes() {
        match byte {
            b'0'..=b'9' => {
                any = true;
                unscaled = unscaled.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
                scale += u8::from(point);
            }
            b'.' if !point => point = true,
            _ => return None,
        }
    }
    if any { Decimal::new(sign * unscaled, scale) } else { None }
}

impl FromStr for Decimal {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| format!("{text:?} is no decimal of at most {DECIMAL_DIGITS} digits"))
    }
}

impl TryFrom<String> for Decimal {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Decimal> for String {
    fn from(number: Decimal) -> Self {
        number.to_string()
    }
}

/// All digits after the point: `1.50`.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.unscaled < 0 { "-" } else { "" };
        let digits = self.unscaled.unsigned_abs();
        let scale = usize::from(self.scale);
        if scale == 0 {
            return write!(f, "{sign}{digits}");
        }
        let digits = format!("{digits:0>width$}", width = scale + 1);
        let (before, after) = digits.split_at(digits.len() - scale);
        write!(f, "{sign}{before}.{after}")
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(&other.parts())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn texts_and_back() {
        for text in ["0", "1", "-1.50", "0.05", "-0.01", "99999999999999999999999999999999999999", "1234567.890"] {
            assert_eq!(d(text).to_string(), text);
        }
        for (text, same) in
            [(" 1.5 ", "1.5"), ("+3", "3"), (".5", "0.5"), ("5.", "5"), ("1.5e3", "1500"), ("12E-3", "0.012")]
        {
            assert_eq!(d(text).to_string(), same);
        }
        for wrong in ["", ".", "-", "1,5", "1.5.0", "abc", "1e", "nan", "inf", "1e39", "1e-39", "1_000"] {
            assert!(wrong.parse::<Decimal>().is_err(), "{wrong}");
        }
        assert!("999999999999999999999999999999999999999".parse::<Decimal>().is_err());
    }

    #[test]
    fn order_is_that_of_numbers() {
        assert_eq!(d("1.5"), d("1.50"));
        assert!(d("-2") < d("-1.9") && d("-0.1") < d("0") && d("0.10") < d("0.2") && d("10") > d("9.99"));
        let widest = d("99999999999999999999999999999999999999");
        assert!(widest > d("0.00000000000000000000000000000000000001"));
        assert!(d("-0.00000000000000000000000000000000000001") < d("0"));
    }

    #[test]
    fn rounding_is_half_away_from_zero() {
        let round = |text: &str, scale| d(text).rounded(scale).unwrap().to_string();
        assert_eq!((round("2.5", 0), round("-2.5", 0), round("2.49", 0)), ("3".into(), "-3".into(), "2".into()));
        assert_eq!(round("1.005", 2), "1.01");
        assert_eq!(d("1.50").with_scale(1).unwrap().to_string(), "1.5");
        assert!(d("1.55").with_scale(1).is_none() && d("10").with_scale(37).is_none());
    }

    #[test]
    fn floats() {
        assert_eq!(Decimal::of_float(9.99).unwrap().to_string(), "9.99");
        assert_eq!(Decimal::of_float(-0.1).unwrap().to_string(), "-0.1");
        assert_eq!(Decimal::of_float(1e20).unwrap().to_string(), "100000000000000000000");
        assert!(Decimal::of_float(f64::NAN).is_none() && Decimal::of_float(1e300).is_none());
        assert!(Decimal::of_float(123456789012.345).is_some() && Decimal::of_float(1234567890123.4567).is_none());
        assert_eq!(Decimal::of_float_rounded(2.675, 2).unwrap().to_string(), "2.68");
        assert_eq!(Decimal::of_float_rounded(1e-300, 2).unwrap().to_string(), "0.00");
        assert_eq!(Decimal::of_float_rounded(-1.0e5, 1).unwrap().to_string(), "-100000.0");
        for text in ["0.1", "12345678901234567890.12345", "-0.3", "1e38"].map(|t| t.replace("1e38", "9e37")) {
            assert_eq!(d(&text).to_float(), text.parse::<f64>().unwrap(), "{text}");
        }
    }

    #[test]
    fn the_least_type() {
        assert_eq!(d("12.50").digits(), (2, 2));
        assert_eq!(d("-0.05").digits(), (0, 2));
        assert_eq!(d("100").digits(), (3, 0));
    }
}
