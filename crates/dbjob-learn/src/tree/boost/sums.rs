use std::ops::{AddAssign, Sub};

/// Sums over rows, in whole numbers: additions are exact, so that their order, and with it the number of threads, does not
/// matter, and a histogram taken from another leaves no rounding errors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(align(16))]
pub(super) struct Sums {
    /// Of gradients, in units of [`Units`].
    g: i64,
    /// Of hessians, above the count of rows.
    h: i64,
}

impl AddAssign for Sums {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        self.g = self.g.wrapping_add(other.g);
        self.h = self.h.wrapping_add(other.h);
    }
}

impl Sub for Sums {
    type Output = Self;

    #[inline]
    fn sub(self, other: Self) -> Self {
        Self { g: self.g.wrapping_sub(other.g), h: self.h.wrapping_sub(other.h) }
    }
}

/// Gradient and hessian of a row.
pub(super) type Gradient = [f32; 2];

/// The nearest whole number, of up to 2^50: in a float of 1.5 · 2^52 the last bit counts ones.
#[inline]
fn whole(number: f64) -> i64 {
    const ONES: f64 = (3_u64 << 51) as f64;
    (number + ONES).to_bits().wrapping_sub(ONES.to_bits()) as i64
}

/// What sums are counted in: as small as sums over all rows allow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Units {
    /// Units in 1.
    g: f64,
    h: f64,
    /// Of a sum of hessians, those that count rows.
    count_bits: u32,
}

impl Units {
    /// (The sum, the maximum) of the absolute values of gradients and of hessians over all `rows`, at most 2^30.
    pub fn new(gradients: (f64, f64), hessians: (f64, f64), rows: usize) -> Self {
        let count_bits = usize::BITS - rows.leading_zeros();
        let per = |power: u32, (total, most): (f64, f64)| {
            let units = (2_f64.powi(power as i32) / total).min(2_f64.powi(50) / most);
            if units.is_finite() { units } else { 0.0 }
        };
        // Rounding adds half a unit a row at most: there is room for it above.
        Self { g: per(61, gradients), h: per(62 - count_bits, hessians), count_bits }
    }

    #[inline]
    pub fn of(&self, [g, h]: Gradient) -> Sums {
        let h = whole(f64::from(h) * self.h);
        Sums { g: whole(f64::from(g) * self.g), h: (h << self.count_bits) + 1 }
    }

    #[inline]
    pub fn count(&self, sums: Sums) -> usize {
        (sums.h & ((1 << self.count_bits) - 1)) as usize
    }

    /// Sums of gradients and hessians in units.
    #[inline]
    pub fn raw(&self, sums: Sums) -> (f64, f64) {
        (sums.g as f64, (sums.h >> self.count_bits) as f64)
    }

    /// Sums of gradients and hessians.
    pub fn sums(&self, sums: Sums) -> (f64, f64) {
        let (g, h) = self.raw(sums);
        (if self.g > 0.0 { g / self.g } else { 0.0 }, if self.h > 0.0 { h / self.h } else { 0.0 })
    }

    /// Units of gradients over hessians in 1.
    pub fn slope(&self) -> f64 {
        if self.h > 0.0 { self.g / self.h } else { 0.0 }
    }

    /// A sum of hessians in units.
    pub fn hessian(&self, h: f64) -> f64 {
        h * self.h
    }

    /// A square of gradients over hessians, from units.
    pub fn score(&self, raw: f64) -> f64 {
        if self.g > 0.0 { raw / self.g * self.h / self.g } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_rows_in_any_order_and_without_rest() {
        let rows: Vec<Gradient> =
            (0..1000).map(|i| [((i * 37) % 101) as f32 / 7.0 - 7.0, 0.01 + (i % 9) as f32]).collect();
        let total = |of: fn(&Gradient) -> f64| rows.iter().map(of).sum::<f64>();
        let gradients = (total(|r| f64::from(r[0]).abs()), 7.43);
        let units = Units::new(gradients, (total(|r| f64::from(r[1])), 8.01), 1000);
        let (mut forth, mut back) = (Sums::default(), Sums::default());
        rows.iter().for_each(|r| forth += units.of(*r));
        rows.iter().rev().for_each(|r| back += units.of(*r));
        assert_eq!(forth, back);
        let (g, h) = units.sums(forth);
        assert!((g - total(|r| f64::from(r[0]))).abs() < 1e-9 && (h - total(|r| f64::from(r[1]))).abs() < 1e-9);
        assert_eq!((units.count(forth), forth - back), (1000, Sums::default()));
        assert_eq!(units.count(units.of([0.0, 0.0])), 1);
    }

    #[test]
    fn all_zero_gradients_give_zero() {
        let units = Units::new((0.0, 0.0), (0.0, 0.0), 10);
        assert_eq!(units.sums(units.of([0.0, 0.0])), (0.0, 0.0));
    }
}
