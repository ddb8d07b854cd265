/// Number, mean and sum of squared deviations of some values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    pub const NONE: Self = Self { count: 0.0, mean: 0.0, squares: 0.0 };

    pub fn of(x: f64) -> Self {
        Self { count: 1.0, mean: x, squares: none(x) }
    }

    /// Of both together. Source: Chan, Golub, LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample
    /// Variances", 1979.
    pub fn and(self, other: Self) -> Self {
        if self.count == 0.0 {
            return other;
        }
        if other.count == 0.0 {
            return self;
        }
        let count = self.count + other.count;
        let apart = other.mean - self.mean;
        let share = other.count / count;
        Self {
            count,
            mean: self.mean + apart * share,
            squares: self.squares + other.squares + apart * apart * self.count * share,
        }
    }

    /// Dividing by n - 1; `None` of fewer than two values.
    pub fn variance(self) -> Option<f64> {
        (self.count > 1.0).then(|| self.squares / (self.count - 1.0))
    }
}

/// Number of some pairs, means of both sides, and sums of products of their deviations.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pairs {
    count: f64,
    means: (f64, f64),
    squares: (f64, f64),
    products: f64,
}

impl Pairs {
    pub const NONE: Self = Self { count: 0.0, means: (0.0, 0.0), squares: (0.0, 0.0), products: 0.0 };

    pub fn of(x: f64, y: f64) -> Self {
        Self { count: 1.0, means: (x, y), squares: (none(x), none(y)), products: none(x) + none(y) }
    }

    /// Of both together, as [`Moments::and`].
    pub fn and(self, other: Self) -> Self {
        if self.count == 0.0 {
            return other;
        }
        if other.count == 0.0 {
            return self;
        }
        let count = self.count + other.count;
        let share = other.count / count;
        let weight = self.count * share;
        let (dx, dy) = (other.means.0 - self.means.0, other.means.1 - self.means.1);
        Self {
            count,
            means: (self.means.0 + dx * share, self.means.1 + dy * share),
            squares: (
                self.squares.0 + other.squares.0 + dx * dx * weight,
                self.squares.1 + other.squares.1 + dy * dy * weight,
            ),
            products: self.products + other.products + dx * dy * weight,
        }
    }

    /// Dividing by n - 1; `None` of fewer than two pairs.
    pub fn covariance(self) -> Option<f64> {
        (self.count > 1.0).then(|| self.products / (self.count - 1.0))
    }

    /// `None` where one side does not vary.
    pub fn correlation(self) -> Option<f64> {
        let varies = self.count > 1.0 && self.squares.0 != 0.0 && self.squares.1 != 0.0;
        varies.then(|| self.products / (self.squares.0.sqrt() * self.squares.1.sqrt()))
    }
}

/// The deviation of a value from itself: there is none from an infinite mean.
fn none(x: f64) -> f64 {
    if x.is_finite() { 0.0 } else { f64::NAN }
}
