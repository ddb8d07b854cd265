use crate::numeric::dot;

/// Solves A x = b for a symmetric positive definite A (row-major, n x n, of which the lower triangle is read) by Cholesky's
/// factorisation. `None` when a pivot is not above `smallest`: A is singular, or too near to it for what the caller needs.
pub(super) fn solve(mut a: Vec<f64>, n: usize, b: &[f64], smallest: f64) -> Option<Vec<f64>> {
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
    let mut x = b.to_vec();
    for i in 0..n {
        x[i] = (x[i] - dot(&a[i * n..i * n + i], &x[..i])) / a[i * n + i];
    }
    for i in (0..n).rev() {
        x[i] /= a[i * n + i];
        for k in 0..i {
            x[k] -= a[i * n + k] * x[i];
        }
    }
    Some(x)
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
        assert_eq!(solve(vec![1.0, 1.0, 1.0, 1.0], 2, &[1.0, 1.0], 1e-12), None);
    }
}
