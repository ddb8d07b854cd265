/// A number as the sum of two floats, with about 32 digits. Source: T. Dekker, "A floating-point technique for extending the
/// available precision" (1971).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Twofold {
    high: f64,
    low: f64,
}

impl Twofold {
    pub fn add(self, v: f64) -> Self {
        let (high, error) = two_sum(self.high, v);
        renormalise(high, self.low + error)
    }

    pub fn add_twofold(self, other: Self) -> Self {
        let (high, error) = two_sum(self.high, other.high);
        renormalise(high, self.low + other.low + error)
    }

    /// self + a·b.
    pub fn add_product(self, a: f64, b: f64) -> Self {
        let (product, error) = two_product(a, b);
        self.add_twofold(Self { high: product, low: error })
    }

    pub fn times(self, factor: f64) -> Self {
        let (product, error) = two_product(self.high, factor);
        renormalise(product, self.low * factor + error)
    }

    pub fn value(self) -> f64 {
        self.high + self.low
    }
}

fn renormalise(high: f64, low: f64) -> Twofold {
    let sum = high + low;
    Twofold { high: sum, low: low - (sum - high) }
}

/// The sum and what it leaves out.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let from_b = sum - a;
    (sum, (a - (sum - from_b)) + (b - from_b))
}

/// The product and what it leaves out.
fn two_product(a: f64, b: f64) -> (f64, f64) {
    let halves = |v: f64| {
        let c = 134_217_729.0 * v;
        let high = c - (c - v);
        (high, v - high)
    };
    let (product, (a1, a2), (b1, b2)) = (a * b, halves(a), halves(b));
    (product, ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_float_loses_is_kept() {
        let sum = Twofold::default().add(1e16).add(1.0).add(-1e16);
        assert_eq!(sum.value(), 1.0);
        let third = 1.0 / 3.0;
        // A third is off by 2^-54 / 3: its threefold, less one, is that much, exactly.
        assert_eq!(Twofold::default().add_product(third, 3.0).add(-1.0).value(), -(2.0_f64.powi(-54)));
        assert_eq!(Twofold::default().add_product(third, 3.0).times(0.5).add(-0.5).value(), -(2.0_f64.powi(-55)));
    }
}
