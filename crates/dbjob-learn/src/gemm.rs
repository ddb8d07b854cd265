//! Products of dense matrices: the one place where matrixmultiply is called.

/// A matrix inside of a slice: `rows` x `columns`, with the steps from a row and from a column to the next.
#[derive(Clone, Copy)]
pub(crate) struct View<'a, T> {
    values: &'a [T],
    rows: usize,
    columns: usize,
    row_step: usize,
    column_step: usize,
}

impl<'a, T> View<'a, T> {
    /// Row after row.
    pub fn rows(values: &'a [T], rows: usize, columns: usize) -> Self {
        assert_eq!(values.len(), rows * columns);
        Self { values, rows, columns, row_step: columns, column_step: 1 }
    }

    pub fn transposed(self) -> Self {
        let Self { values, rows, columns, row_step, column_step } = self;
        Self { values, rows: columns, columns: rows, row_step: column_step, column_step: row_step }
    }
}

/// A float type that there are products of.
pub(crate) trait Float: Copy {
    /// c = beta·c + a·b; `c` row after row. The order of additions depends on the shapes alone.
    fn product(a: View<'_, Self>, b: View<'_, Self>, beta: Self, c: &mut [Self]);
}

macro_rules! float {
    ($t:ty, $gemm:path) => {
        impl Float for $t {
            fn product(a: View<'_, Self>, b: View<'_, Self>, beta: Self, c: &mut [Self]) {
                assert_eq!(a.columns, b.rows);
                assert_eq!(c.len(), a.rows * b.columns);
                let (m, k, n) = (a.rows, a.columns, b.columns);
                let step = |s: usize| s as isize;
                // SAFETY: a view's constructor checked that rows · columns values are there, and its steps are those of
                // that slice by rows or by columns; `c` has m · n values and is borrowed by nobody else.
                unsafe {
                    $gemm(
                        m,
                        k,
                        n,
                        1.0,
                        a.values.as_ptr(),
                        step(a.row_step),
                        step(a.column_step),
                        b.values.as_ptr(),
                        step(b.row_step),
                        step(b.column_step),
                        beta,
                        c.as_mut_ptr(),
                        step(n),
                        1,
                    );
                }
            }
        }
    };
}

float!(f32, matrixmultiply::sgemm);
float!(f64, matrixmultiply::dgemm);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_with_and_without_transposition() {
        let (a, b) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0, 0.0, -1.0, 2.0, 0.5, 1.0]);
        let mut c = [10.0; 4];
        f64::product(View::rows(&a, 2, 3), View::rows(&b, 3, 2), 0.0, &mut c);
        assert_eq!(c, [0.5, 7.0, 2.0, 16.0]);
        f64::product(View::rows(&a, 2, 3), View::rows(&b, 2, 3).transposed(), 1.0, &mut c);
        assert_eq!(c, [0.5 - 2.0, 7.0 + 6.0, 2.0 - 2.0, 16.0 + 16.5]);
    }
}
