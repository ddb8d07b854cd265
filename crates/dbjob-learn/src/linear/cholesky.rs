use crate::numeric::dot;

/// The lower triangle L of A = L Lᵀ, row by row, for a symmetric positive definite A (n x n).
/// What stands above the diagonal has no meaning.
#[derive(Debug)]
pub(crate) struct Cholesky {
    lower: Vec<f64>,
    n: usize,
}

impl Cholesky {
    /// Of A row by row, of which the lower triangle is read. `None` when A is singular.
    pub fn of(a: Vec<f64>, n: usize) -> Option<Self> {
        Self::with_pivots(a, n, 0.0)
    }

    /// `None` when a pivot is not above `smallest`: A is singular, or too near to it for what the caller needs.
    fn with_pivots(mut a: Vec<f64>, n: usize, smallest: f64) -> Option<Self> {
        for i in 0..n {
            let (above, row) = a.split_at_mut(i * n);
            for j in 0..i {
                let other = &above[j * n..j * n + j + 1];
                row[j] = (row[j] - dot(&row[..j], &other[..j])) / other[j];
            }
            let pivot = row[i] - dot(&row[..i], &row[..i]);
            if pivot.is_nan() || pivot <= smallest {
                return None;
            }
            row[i] = pivot.sqrt();
        }
        Some(Self { lower: a, n })
    }

    /// y of L y = b.
    pub fn half(&self, b: &[f64]) -> Vec<f64> {
        let (a, n) = (&self.lower, self.n);
        let mut x = b.to_vec();
        for i in 0..n {
            x[i] = (x[i] - dot(&a[i * n..i * n + i], &x[..i])) / a[i * n + i];
        }
        x
    }

    /// x of A x = b.
    pub fn solve(&self, b: &[f64]) -> Vec<f64> {
        let (a, n) = (&self.lower, self.n);
        let mut x = self.half(b);
        for i in (0..n).rev() {
            x[i] /= a[i * n + i];
            for k in 0..i {
                x[k] -= a[i * n + k] * x[i];
            }
        }
        x
    }

    /// Half the logarithm of the determinant of A.
    pub fn log_root(&self) -> f64 {
        (0..self.n).map(|i| self.lower[i * self.n + i].ln()).sum()
    }
}

/// Solves A x = b; `smallest` as of the pivots of A.
pub(super) fn solve(a: Vec<f64>, n: usize, b: &[f64], smallest: f64) -> Option<Vec<f64>> {
    Some(Cholesky::with_pivots(a, n, smallest)?.solve(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_and_refuses_what_is_singular() {
        let a = vec![4.0, 2.0, 0.6, 2.0, 5.0, 1.0, 0.6, 1.0, 3.0];
        let x = solve(a.clone(), 3, &[1.0, -2.0, 3.0], 0.0).unwrap();
        for (i, b) in [1.0, -2.0, 3.0].iter().enumerate() {
            let row: f64 = (0..3).map(|j| a[i * 3 + j] * x[j]).sum();
            assert!((row - b).abs() < 1e-14);
        }
        let determinant = 4.0 * (5.0 * 3.0 - 1.0) - 2.0 * (2.0 * 3.0 - 0.6) + 0.6 * (2.0 - 5.0 * 0.6);
        assert!((2.0 * Cholesky::of(a, 3).unwrap().log_root() - f64::ln(determinant)).abs() < 1e-14);
        assert_eq!(solve(vec![1.0, 1.0, 1.0, 1.0], 2, &[1.0, 1.0], 1e-12), None);
    }
}
