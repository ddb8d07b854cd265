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

    pub fn exactly(x: f64) -> Self {
        Self { low: x, high: x, above: false, below: false }
    }

    pub fn from(low: f64, high: f64) -> Self {
        Self { low, high, above: false, below: false }
    }

    pub fn is_positive(self) -> bool {
        self.low > 0.0 || (self.low == 0.0 && self.above)
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

    pub fn negate(self) -> Range {
        Range { low: -self.high, high: -self.low, above: self.below, below: self.above }
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

    /// Bounds of a sum, difference or product of values of two ranges, as floats are rounded: `x > 0` says nothing of
    /// `x * 1e-300`, which may be 0.
    pub fn combine(op: BinaryOp, a: Range, b: Range) -> Range {
        match op {
            BinaryOp::Add => {
                let (low, high) = (a.low + b.low, a.high + b.high);
                // Near 0 sums are exact; elsewhere a small part may be rounded away.
                let above = low == 0.0 && (a.above || b.above);
                Range { low, high, above, below: high == 0.0 && (a.below || b.below) }
            }
            BinaryOp::Sub => Self::combine(BinaryOp::Add, a, b.negate()),
            BinaryOp::Mul => {
                let corner = |x: f64, y: f64| if x == 0.0 || y == 0.0 { 0.0 } else { x * y };
                let corners =
                    [corner(a.low, b.low), corner(a.low, b.high), corner(a.high, b.low), corner(a.high, b.high)];
                let low = corners.iter().copied().fold(f64::INFINITY, f64::min);
                // What is positive stays so where the other factor does not make it smaller.
                let positive = a.is_positive() && b.low >= 1.0 || b.is_positive() && a.low >= 1.0;
                Range {
                    low,
                    high: corners.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                    above: positive && low == 0.0,
                    below: false,
                }
            }
            BinaryOp::Div if a.is_non_negative() && b.is_positive() => {
                Range { low: 0.0, high: f64::INFINITY, above: a.is_positive() && b.high <= 1.0, below: false }
            }
            _ => Range::ALL,
        }
        .sound()
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

    /// Infinities of opposite signs met: nothing is known.
    fn sound(self) -> Range {
        if self.low.is_nan() || self.high.is_nan() { Range::ALL } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_keeps_what_is_known() {
        let items = Range::from(1.0, f64::INFINITY);
        let amount = Range { low: 0.0, high: f64::INFINITY, above: true, below: false };
        assert!(Range::combine(BinaryOp::Mul, items, amount).is_positive());
        assert!(Range::combine(BinaryOp::Add, items, amount).is_positive());
        // 1.0 + 1e-320 is 1.0, and 1e-320 / 1e10 is 0.0.
        assert!(!Range::combine(BinaryOp::Add, items, amount).is_above(1.0));
        assert!(!Range::combine(BinaryOp::Mul, amount, amount).is_positive());
        assert!(!Range::combine(BinaryOp::Div, amount, items).is_positive());
        assert!(
            Range::combine(BinaryOp::Add, Range { low: -1.0, above: true, ..Range::ALL }, Range::exactly(1.0))
                .is_positive()
        );
        assert!(!Range::combine(BinaryOp::Sub, items, amount).is_non_negative());
        assert!(Range::combine(BinaryOp::Div, amount, Range::from(0.5, 1.0)).is_positive());
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
        let open = Range { low: 0.0, high: 1.0, above: true, below: true };
        let closed = Range::from(0.0, 1.0);
        assert_eq!(open.and(closed), open);
        assert_eq!(open.or(closed), closed);
    }
}
