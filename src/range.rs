//! Sets of numbers without gaps: what is known of the values of a column or expression.

use dbjob_plan::{BinaryOp, Refinement, Value};

/// A set of numbers without gaps that a value is known to lie in. Null is no number and always passes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    pub low: f64,
    pub high: f64,
    /// Whether `low` itself is excluded.
    pub above: bool,
    /// Whether `high` itself is excluded.
    pub below: bool,
}

impl Range {
    pub const ALL: Range = Range { low: f64::NEG_INFINITY, high: f64::INFINITY, above: false, below: false };
    pub const NON_NEGATIVE: Range = Range { low: 0.0, ..Range::ALL };
    pub const POSITIVE: Range = Range { low: 0.0, above: true, ..Range::ALL };

    pub fn exactly(x: f64) -> Self {
        Self { low: x, high: x, above: false, below: false }
    }

    pub fn from(low: f64, high: f64) -> Self {
        Self { low, high, above: false, below: false }
    }

    /// Whether one number is left.
    pub fn is_one(self) -> bool {
        self.low == self.high && self.low.is_finite() && !self.above && !self.below
    }

    pub fn is_positive(self) -> bool {
        self.is_above(0.0)
    }

    pub fn is_non_negative(self) -> bool {
        self.low >= 0.0
    }

    pub fn is_above(self, bound: f64) -> bool {
        self.low > bound || (self.low == bound && self.above)
    }

    pub fn has_zero(self) -> bool {
        !(self.is_positive() || self.high < 0.0 || (self.high == 0.0 && self.below))
    }

    /// Whether it holds nothing that `other` does not hold.
    pub fn is_within(self, other: Range) -> bool {
        let above = self.low > other.low || (self.low == other.low && (self.above || !other.above));
        let below = self.high < other.high || (self.high == other.high && (self.below || !other.below));
        above && below
    }

    /// The whole numbers in it: `> 0` is `>= 1`.
    pub fn of_ints(self) -> Range {
        let low = if self.above && self.low.fract() == 0.0 { self.low + 1.0 } else { self.low.ceil() };
        let high = if self.below && self.high.fract() == 0.0 { self.high - 1.0 } else { self.high.floor() };
        Range::from(low, high)
    }

    /// As a message says it: `above 0`, `from 0 to 5`.
    pub fn words(self) -> String {
        let low = self
            .low
            .is_finite()
            .then(|| if self.above { format!("above {}", self.low) } else { format!("at least {}", self.low) });
        let high = self
            .high
            .is_finite()
            .then(|| if self.below { format!("below {}", self.high) } else { format!("at most {}", self.high) });
        match (low, high) {
            _ if self.low == self.high => self.low.to_string(),
            (Some(low), Some(high)) => format!("{low} and {high}"),
            (low, high) => low.or(high).unwrap_or_else(|| "any number".into()),
        }
    }

    /// Whether nothing is known.
    pub fn is_all(self) -> bool {
        self == Self::ALL
    }

    pub fn and(self, other: Range) -> Range {
        let (low, above) = match self.low.total_cmp(&other.low) {
            std::cmp::Ordering::Less => (other.low, other.above),
            std::cmp::Ordering::Greater => (self.low, self.above),
            std::cmp::Ordering::Equal => (self.low, self.above || other.above),
        };
        let (high, below) = match self.high.total_cmp(&other.high) {
            std::cmp::Ordering::Less => (self.high, self.below),
            std::cmp::Ordering::Greater => (other.high, other.below),
            std::cmp::Ordering::Equal => (self.high, self.below || other.below),
        };
        Range { low, high, above, below }
    }

    /// The least range that holds both.
    pub fn or(self, other: Range) -> Range {
        let (low, above) = match self.low.total_cmp(&other.low) {
            std::cmp::Ordering::Less => (self.low, self.above),
            std::cmp::Ordering::Greater => (other.low, other.above),
            std::cmp::Ordering::Equal => (self.low, self.above && other.above),
        };
        let (high, below) = match self.high.total_cmp(&other.high) {
            std::cmp::Ordering::Greater => (self.high, self.below),
            std::cmp::Ordering::Less => (other.high, other.below),
            std::cmp::Ordering::Equal => (self.high, self.below && other.below),
        };
        Range { low, high, above, below }
    }

    /// Whether all values, and the sums of their squares over any number of rows, are finite.
    pub fn is_moderate(self) -> bool {
        self.low > -1e100 && self.high < 1e100
    }

    pub fn negate(self) -> Range {
        // Minus zero would be another bound than zero.
        Range { low: 0.0 - self.high, high: 0.0 - self.low, above: self.below, below: self.above }
    }

    pub fn abs(self) -> Range {
        if self.low >= 0.0 {
            self
        } else if self.high <= 0.0 {
            self.negate()
        } else {
            Range::from(0.0, self.high.max(-self.low))
        }
    }

    /// The values of a function that never decreases. Rounding may reach an end that no value has.
    pub fn stepping(self, f: impl Fn(f64) -> f64) -> Range {
        Range::from(f(self.low), f(self.high)).sound()
    }

    /// The values of an increasing function that is exact near 0: only what is 0 becomes 0.
    pub fn increasing(self, f: impl Fn(f64) -> f64) -> Range {
        self.keep_zero(self.stepping(f))
    }

    /// The range of results with the ends at 0 that are out of reach here.
    fn keep_zero(self, results: Range) -> Range {
        Range { above: self.above && results.low == 0.0, below: self.below && results.high == 0.0, ..results }
    }

    /// The values of means and quantiles.
    pub fn averaged(self) -> Range {
        self.increasing(|x| x)
    }

    /// The values of `x ** power`, where they are numbers. What is small may become 0.
    pub fn power(self, power: f64) -> Range {
        if power == 0.0 {
            return Range::exactly(1.0);
        }
        let of = |x: f64| x.powf(power);
        if power % 2.0 == 0.0 || self.is_non_negative() {
            let size = self.abs();
            match power {
                p if p < 0.0 => Range::from(of(size.high), of(size.low)).sound(),
                p if p <= 1.0 => size.increasing(of),
                _ => size.stepping(of),
            }
        } else if power % 2.0 == 1.0 {
            self.stepping(of)
        } else {
            Range::ALL
        }
    }

    /// Bounds of a sum, difference, product or quotient of values of two ranges, as floats are rounded: `x > 0` says nothing
    /// of `x * 1e-300`, which may be 0. Rounding never reverses an order, so that the ends themselves hold.
    pub fn combine(op: BinaryOp, a: Range, b: Range) -> Range {
        match op {
            // Near 0 sums are exact; elsewhere a small part may be rounded away.
            BinaryOp::Add => Range { above: a.above || b.above, below: a.below || b.below, ..Range::ALL }
                .keep_zero(Range::from(a.low + b.low, a.high + b.high)),
            BinaryOp::Sub => Self::combine(BinaryOp::Add, a, b.negate()),
            BinaryOp::Mul => {
                let corners = Self::corners(a, b, |x, y| if x == 0.0 || y == 0.0 { 0.0 } else { x * y });
                // What is positive stays so where the other factor does not make it smaller.
                let positive = a.is_positive() && b.low >= 1.0 || b.is_positive() && a.low >= 1.0;
                Range { above: positive && corners.low == 0.0, ..corners }
            }
            BinaryOp::Div if b.low >= 0.0 => {
                // Of a divisor that comes near 0 only the sign of the dividend is left; 0 itself gives null.
                let quotient = |x: f64, y: f64| match (x == 0.0, y == 0.0) {
                    (true, _) => 0.0,
                    (_, true) => x * f64::INFINITY,
                    _ if y.is_infinite() => 0.0,
                    _ => x / y,
                };
                let corners = Self::corners(a, b, quotient);
                Range { above: a.is_positive() && b.high <= 1.0 && corners.low == 0.0, ..corners }
            }
            BinaryOp::Div if b.high <= 0.0 => Self::combine(BinaryOp::Div, a.negate(), b.negate()),
            _ => Range::ALL,
        }
        .sound()
    }

    /// The hull of the results at the ends.
    fn corners(a: Range, b: Range, f: impl Fn(f64, f64) -> f64) -> Range {
        let all = [f(a.low, b.low), f(a.low, b.high), f(a.high, b.low), f(a.high, b.high)];
        if all.iter().any(|x| x.is_nan()) {
            return Range::ALL;
        }
        let low = all.iter().copied().fold(f64::INFINITY, f64::min);
        Range::from(low, all.iter().copied().fold(f64::NEG_INFINITY, f64::max))
    }

    pub fn of_refinement(refinement: &Refinement) -> Range {
        match refinement {
            Refinement::Range { low, high, inclusive } => {
                let bound = |v: &Option<Value>, or: f64| v.as_ref().and_then(Value::as_f64).unwrap_or(or);
                Range {
                    low: bound(low, f64::NEG_INFINITY),
                    high: bound(high, f64::INFINITY),
                    above: false,
                    below: !inclusive && high.is_some(),
                }
            }
            Refinement::OneOf(values) => values
                .iter()
                .map(|v| v.as_f64().map_or(Range::ALL, Range::exactly))
                .reduce(Range::or)
                .unwrap_or(Range::ALL),
        }
    }

    /// Where infinities of opposite signs met nothing is known; an end without end is neither in nor out.
    fn sound(self) -> Range {
        if self.low.is_nan() || self.high.is_nan() {
            return Range::ALL;
        }
        Range { above: self.above && self.low.is_finite(), below: self.below && self.high.is_finite(), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN_UNIT: Range = Range { low: 0.0, high: 1.0, above: true, below: true };

    #[test]
    fn arithmetic_keeps_what_is_known() {
        let items = Range::from(1.0, f64::INFINITY);
        let amount = Range::POSITIVE;
        assert!(Range::combine(BinaryOp::Mul, items, amount).is_positive());
        assert!(Range::combine(BinaryOp::Add, items, amount).is_positive());
        // 1.0 + 1e-320 is 1.0, and 1e-320 / 1e10 is 0.0.
        assert!(!Range::combine(BinaryOp::Add, items, amount).is_above(1.0));
        assert!(!Range::combine(BinaryOp::Mul, amount, amount).is_positive());
        assert!(!Range::combine(BinaryOp::Div, amount, items).is_positive());
        let more = Range { low: -1.0, above: true, ..Range::ALL };
        assert!(Range::combine(BinaryOp::Add, more, Range::exactly(1.0)).is_positive());
        assert!(!Range::combine(BinaryOp::Sub, items, amount).is_non_negative());
        assert!(Range::combine(BinaryOp::Div, amount, Range::from(0.5, 1.0)).is_positive());
        assert!(Range::combine(BinaryOp::Div, Range::from(0.01, 5.0), Range::from(1.0, 500.0)).is_positive());
        assert_eq!(Range::from(-3.0, 2.0).abs(), Range::from(0.0, 3.0));
        assert!(!items.has_zero() && Range::ALL.has_zero());
    }

    #[test]
    fn what_lies_within() {
        let open = Range { low: 0.0, high: f64::INFINITY, above: true, below: false };
        let from_1 = Range::from(1.0, f64::INFINITY);
        assert!(from_1.is_within(open) && !open.is_within(from_1));
        assert!(open.of_ints().is_within(from_1));
        assert!(open.is_within(open) && open.is_within(Range::ALL) && !Range::ALL.is_within(open));
        assert!(!Range::from(0.0, 1.0).is_within(Range { below: true, ..Range::from(0.0, 1.0) }));
        assert_eq!(Range::ALL.of_ints(), Range::ALL);
        assert_eq!([open.words(), Range::from(0.0, 2.5).words()], ["above 0", "at least 0 and at most 2.5"]);
    }

    #[test]
    fn and_or_keep_the_open_ends() {
        let closed = Range::from(0.0, 1.0);
        assert_eq!(OPEN_UNIT.and(closed), OPEN_UNIT);
        assert_eq!(OPEN_UNIT.or(closed), closed);
    }

    #[test]
    fn powers_and_steps() {
        assert_eq!(Range::from(-2.0, 3.0).power(2.0), Range::from(0.0, 9.0));
        assert_eq!(Range::from(-2.0, 3.0).power(3.0), Range::from(-8.0, 27.0));
        assert_eq!(Range::from(2.0, 4.0).power(-1.0), Range::from(0.25, 0.5));
        assert!(Range::from(-2.0, 3.0).power(0.5).is_all());
        assert_eq!(OPEN_UNIT.stepping(f64::floor), Range::from(0.0, 1.0));
        assert!(OPEN_UNIT.power(0.5).is_positive() && !OPEN_UNIT.power(2.0).is_positive());
    }

    /// Whatever values two ranges hold, their results lie in the combined range.
    #[test]
    fn results_lie_inside() {
        let ends = [f64::NEG_INFINITY, -2.0, -1.0, 0.0, 0.5, 1.0, 3.0, f64::INFINITY];
        let mut ranges = Vec::new();
        for (i, low) in ends.iter().enumerate() {
            for high in &ends[i..] {
                for flags in 0..4 {
                    let (above, below) = (flags & 1 == 1, flags & 2 == 2);
                    ranges.push(Range { low: *low, high: *high, above, below });
                }
            }
        }
        let values = [-5.0, -2.0, -1.5, -1.0, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0, 2.0, 3.0, 7.0];
        let holds =
            |r: &Range, x: f64| (x > r.low || (x == r.low && !r.above)) && (x < r.high || (x == r.high && !r.below));
        for a in &ranges {
            for b in &ranges {
                for op in [BinaryOp::Add, BinaryOp::Sub, BinaryOp::Mul, BinaryOp::Div] {
                    let whole = Range::combine(op, *a, *b);
                    for x in values.iter().filter(|x| holds(a, **x)) {
                        for y in values.iter().filter(|y| holds(b, **y)) {
                            let result = match op {
                                BinaryOp::Add => x + y,
                                BinaryOp::Sub => x - y,
                                BinaryOp::Mul => x * y,
                                _ if *y == 0.0 => continue,
                                _ => x / y,
                            };
                            assert!(holds(&whole, result), "{x} {op:?} {y} = {result} not in {whole:?} of {a:?} {b:?}");
                        }
                    }
                }
            }
        }
    }
}
