use smartcore::linalg::basic::arrays::Array;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::linalg::traits::svd::SVDDecomposable;

use crate::FitError;
use crate::numeric::dot;

/// Replaces the columns of a tall block (each of the same length m) by the upper triangle R of its QR factorisation:
/// `min(m, columns)` rows, column by column. Householder reflections.
pub(super) fn triangle(columns: &mut [Vec<f64>]) {
    let m = columns.first().map_or(0, Vec::len);
    for j in 0..columns.len().min(m) {
        let norm = dot(&columns[j][j..], &columns[j][j..]).sqrt();
        if norm == 0.0 {
            continue;
        }
        // The sign that adds magnitudes: nothing cancels.
        let alpha = if columns[j][j] > 0.0 { -norm } else { norm };
        let mut v = columns[j][j..].to_vec();
        v[0] -= alpha;
        let vv = dot(&v, &v);
        for column in columns[j..].iter_mut() {
            let factor = 2.0 * dot(&v, &column[j..]) / vv;
            column[j..].iter_mut().zip(&v).for_each(|(c, v)| *c -= factor * v);
        }
        columns[j][j] = alpha;
        columns[j][j + 1..].fill(0.0);
    }
    let rows = columns.len().min(m);
    columns.iter_mut().for_each(|c| c.truncate(rows));
}

/// Of a least squares problem: the shortest solution, and what more of them can be found by.
pub(super) struct Solved {
    pub x: Vec<f64>,
    /// Row-major, where the columns are independent.
    triangle: Option<Vec<f64>>,
}

impl Solved {
    /// (AᵀA)⁻¹ g; nothing where the columns depend on each other.
    pub fn correction(&self, g: &[f64]) -> Option<Vec<f64>> {
        let (r, p) = (self.triangle.as_ref()?, g.len());
        let mut x = g.to_vec();
        for i in 0..p {
            x[i] /= r[i * p + i];
            for k in i + 1..p {
                x[k] -= r[i * p + k] * x[i];
            }
        }
        for i in (0..p).rev() {
            x[i] = (x[i] - dot(&r[i * p + i + 1..(i + 1) * p], &x[i + 1..])) / r[i * p + i];
        }
        Some(x)
    }
}

/// The shortest x with the least |A x - b|, for the columns of A followed by b, all of one length.
/// Directions whose singular value is below machine precision times the largest are left out.
pub(super) fn shortest_solution(mut columns: Vec<Vec<f64>>) -> Result<Solved, FitError> {
    let p = columns.len() - 1;
    triangle(&mut columns);
    columns.iter_mut().for_each(|c| c.resize(p + 1, 0.0));
    let b = columns.pop().expect("the right side is the last column");
    let values: Vec<f64> = columns.iter().flat_map(|c| c[..p].to_vec()).collect();
    let failed = |e: &dyn std::fmt::Display| FitError::data(format!("the singular value decomposition failed: {e}"));
    let triangle = DenseMatrix::new(p, p, values, true).map_err(|e| failed(&e))?;
    // smartcore panics where its iteration does not converge.
    let svd =
        std::panic::catch_unwind(|| triangle.svd()).map_err(|_| failed(&"no convergence"))?.map_err(|e| failed(&e))?;
    let largest = svd.s.iter().fold(0.0_f64, |m, s| m.max(*s));
    let smallest = largest * f64::EPSILON * (p as f64) * 8.0;
    let mut x = vec![0.0; p];
    for (k, s) in svd.s.iter().enumerate().filter(|(_, s)| **s > smallest) {
        let along: f64 = (0..p).map(|i| svd.U.get((i, k)) * b[i]).sum::<f64>() / s;
        for (j, x) in x.iter_mut().enumerate() {
            *x += svd.V.get((j, k)) * along;
        }
    }
    let independent = svd.s.iter().all(|s| *s > smallest);
    let row_major = || (0..p).flat_map(|i| columns.iter().map(move |c| c[i])).collect();
    Ok(Solved { x, triangle: independent.then(row_major) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_triangle_keeps_all_inner_products() {
        let columns = vec![vec![1.0, 2.0, 3.0, 4.0], vec![-1.0, 0.5, 2.0, 7.0], vec![0.0, 0.0, 1.0, 0.0]];
        let mut r = columns.clone();
        triangle(&mut r);
        assert!(r.iter().all(|c| c.len() == 3));
        for a in 0..3 {
            for b in 0..3 {
                assert!((dot(&columns[a], &columns[b]) - dot(&r[a], &r[b])).abs() < 1e-12);
            }
        }
        assert_eq!((r[0][1], r[0][2], r[1][2]), (0.0, 0.0, 0.0));
    }

    #[test]
    fn corrections_solve_the_normal_equations() {
        let (a, b) = (vec![1.0, 2.0, 3.0], vec![0.0, 1.0, -1.0]);
        let solved = shortest_solution(vec![a.clone(), b.clone(), vec![1.0, 0.0, 0.0]]).unwrap();
        let x = solved.correction(&[3.0, 5.0]).unwrap();
        let (aa, ab, bb) = (dot(&a, &a), dot(&a, &b), dot(&b, &b));
        assert!((aa * x[0] + ab * x[1] - 3.0).abs() < 1e-12 && (ab * x[0] + bb * x[1] - 5.0).abs() < 1e-12, "{x:?}");
    }

    #[test]
    fn of_equal_columns_each_gets_half() {
        let x = shortest_solution(vec![vec![1.0, 2.0, 3.0], vec![1.0, 2.0, 3.0], vec![2.0, 4.0, 6.0]]).unwrap();
        assert_eq!(x.correction(&[1.0, 1.0]), None);
        let x = x.x;
        assert!(x.iter().all(|v| (v - 1.0).abs() < 1e-12), "{x:?}");
    }

    #[test]
    fn fewer_rows_than_columns_give_the_shortest() {
        let x = shortest_solution(vec![vec![3.0], vec![4.0], vec![25.0]]).unwrap().x;
        assert!((x[0] - 3.0).abs() < 1e-12 && (x[1] - 4.0).abs() < 1e-12, "{x:?}");
    }
}
