use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use crate::gemm::Float;

/// What a network computes with: 32 bits where it learns, 64 where its gradients are checked and for logistic regression.
pub(crate) trait Real:
    Float
    + Default
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
{
    const ZERO: Self;
    const ONE: Self;
    fn of(value: f64) -> Self;
    fn wide(self) -> f64;
    fn exp(self) -> Self;
    fn sqrt(self) -> Self;
    fn finite(self) -> bool;

    fn max(self, other: Self) -> Self {
        if self > other { self } else { other }
    }

    fn abs(self) -> Self {
        self.max(-self)
    }

    /// 1 / (1 + e^-z) without overflow.
    fn sigmoid(self) -> Self {
        let e = (-self.abs()).exp();
        (if self >= Self::ZERO { Self::ONE } else { e }) / (Self::ONE + e)
    }

    fn tanh(self) -> Self {
        let e = (-(self.abs() + self.abs())).exp();
        let t = (Self::ONE - e) / (Self::ONE + e);
        if self >= Self::ZERO { t } else { -t }
    }
}

macro_rules! real {
    ($t:ty, $exp:expr) => {
        impl Real for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;

            #[inline]
            fn of(value: f64) -> Self {
                value as Self
            }

            #[inline]
            fn wide(self) -> f64 {
                self.into()
            }

            #[inline]
            fn exp(self) -> Self {
                $exp(self)
            }

            #[inline]
            fn sqrt(self) -> Self {
                <$t>::sqrt(self)
            }

            #[inline]
            fn finite(self) -> bool {
                self.is_finite()
            }
        }
    };
}

real!(f64, crate::numeric::exp);
real!(f32, exp32);

/// e^x to two units in the last place; where that is below 1e-37 or above 1e38, about that. No branches, so that loops over it
/// use SIMD.
#[inline]
fn exp32(x: f32) -> f32 {
    // Adding it leaves the nearest whole number in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let k = rounded - ROUND;
    let r = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    let mut p = 1.0 / 5040.0;
    for factorial in [720.0, 120.0, 24.0, 6.0, 2.0, 1.0, 1.0] {
        p = p * r + 1.0 / factorial;
    }
    p * f32::from_bits((rounded.to_bits() << 23).wrapping_add(127 << 23))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_those_of_the_standard_library() {
        for i in -8600..8700 {
            let x = i as f32 * 0.01;
            assert!((exp32(x) / x.exp() - 1.0).abs() < 3e-7, "{x}: {} {}", exp32(x), x.exp());
            assert!(
                (Real::tanh(x) - f32::tanh(x)).abs() < 3e-7 && (Real::tanh(x.wide()) - x.wide().tanh()).abs() < 1e-15
            );
            assert!((x.sigmoid() - 1.0 / (1.0 + (-x).exp())).abs() < 3e-7);
        }
        assert!(exp32(f32::NAN).is_nan() && exp32(-1e9) < 1e-37 && exp32(1e9) > 1e38 && exp32(0.0) == 1.0);
    }
}
