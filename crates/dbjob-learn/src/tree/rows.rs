use std::ops::Range;

use crate::Matrix;

/// Some rows of a matrix, row by row: a walk down a tree looks at several features of one row.
pub(super) struct RowMajor {
    values: Vec<f64>,
    /// The number of features.
    width: usize,
    /// Whether a value is missing.
    gaps: bool,
}

impl RowMajor {
    pub fn of(x: &Matrix, range: Range<usize>) -> Self {
        let width = x.width();
        let mut values = vec![0.0; range.len() * width];
        let mut gaps = false;
        for j in 0..width {
            for (row, v) in values.chunks_exact_mut(width).zip(&x.column(j)[range.clone()]) {
                row[j] = *v;
                gaps |= v.is_nan();
            }
        }
        Self { values, width, gaps }
    }

    pub fn len(&self) -> usize {
        self.values.len() / self.width
    }

    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.width..(i + 1) * self.width]
    }

    pub fn gaps(&self) -> bool {
        self.gaps
    }
}
