use crate::flags::WORD;
use crate::real::Real;
use crate::{Matrix, Pool};

/// Features in a word of [`Gather::bits`].
const BITS: usize = 32;
/// Rows that are transposed at a time.
const BLOCK: usize = 64 * WORD;

/// Takes rows of a matrix over in any order, row by row. A value far from the last one is waited for, and most features
/// of wide matrices are flags: of those a row's bits lie together, an eighth of a byte a feature beside the eight of the matrix.
pub(super) struct Gather<'a> {
    x: &'a Matrix,
    /// The features that are read from their columns.
    columns: Vec<usize>,
    /// So many words a row, a bit a feature: 1 where a flag is; empty without flags.
    bits: Vec<u32>,
    words: usize,
}

impl<'a> Gather<'a> {
    /// For rows that are taken once or a few times.
    pub fn plain(x: &'a Matrix) -> Self {
        Self { x, columns: (0..x.width()).collect(), bits: Vec::new(), words: 0 }
    }

    /// For all rows, many times.
    pub fn new(x: &'a Matrix, pool: &Pool) -> Self {
        let (flags, columns): (Vec<usize>, _) = (0..x.width()).partition(|j| x.flags(*j).is_some());
        if flags.is_empty() {
            return Self::plain(x);
        }
        let words = x.width().div_ceil(BITS);
        let mut bits = vec![0; x.rows() * words];
        let blocks = bits.chunks_mut(BLOCK * words).collect();
        pool.each(blocks, false, |b, block: &mut [u32]| {
            for j in &flags {
                let flag = x.flags(*j).expect("it is one");
                flag.each(b * BLOCK, block.len() / words, |i| block[i * words + j / BITS] |= 1 << (j % BITS));
            }
        });
        Self { x, columns, bits, words }
    }

    /// `to`: as many values a row as the matrix has features.
    pub fn take<T: Real>(&self, rows: &[u32], to: &mut [T]) {
        let width = self.x.width();
        if self.words > 0 {
            for (row, to) in rows.iter().zip(to.chunks_exact_mut(width)) {
                let start = *row as usize * self.words;
                let bits = &self.bits[start..start + self.words];
                let (whole, rest) = to.as_chunks_mut::<BITS>();
                whole.iter_mut().zip(bits).for_each(|(to, word)| spread(*word, to));
                spread(bits[self.words - 1], rest);
            }
        }
        for j in &self.columns {
            let column = self.x.column(*j);
            to.iter_mut().skip(*j).step_by(width).zip(rows).for_each(|(to, row)| *to = T::of(column[*row as usize]));
        }
    }
}

/// The lowest bits as numbers.
#[inline]
fn spread<T: Real>(word: u32, to: &mut [T]) {
    to.iter_mut().enumerate().for_each(|(k, to)| *to = if word >> k & 1 == 1 { T::ONE } else { T::ZERO });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_those_of_the_columns() {
        for (rows, width, every) in
            [(1024, 1, 1), (5000, 31, 1), (1100, 32, 3), (1030, 70, 2), (1030, 96, 1), (9000, 3, 5)]
        {
            // Every so many features are flags, the others numbers.
            let value = |i: usize, j: usize| {
                if j.is_multiple_of(every) { (i * (j + 3) % 7 == 1) as u8 as f64 } else { (i * j) as f64 }
            };
            let columns = (0..width).map(|j| (0..rows).map(|i| value(i, j)).collect()).collect();
            let x = Matrix::new((0..width).map(|j| j.to_string()).collect(), columns, rows).unwrap();
            let order: Vec<u32> = (0..rows as u32).rev().step_by(3).collect();
            let pool = Pool::new(2).unwrap();
            for gather in [Gather::plain(&x), Gather::new(&x, &pool)] {
                let mut taken = vec![f32::NAN; order.len() * width];
                gather.take(&order, &mut taken);
                for (row, taken) in order.iter().zip(taken.chunks(width)) {
                    assert!(taken.iter().enumerate().all(|(j, v)| *v == value(*row as usize, j) as f32));
                }
            }
            assert_eq!(Gather::new(&x, &pool).columns.len(), (0..width).filter(|j| !j.is_multiple_of(every)).count());
        }
    }
}
