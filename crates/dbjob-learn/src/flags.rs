/// A feature that is nothing but 0 and 1, as a level of a category is: a bit a row, a 64th of what is read otherwise.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Flags {
    words: Vec<u64>,
    /// Whether so many are 1 that going over all rows without jumps is faster than from one to the next.
    dense: bool,
}

/// Rows in a word.
pub(crate) const WORD: usize = 64;
/// Tables with fewer rows are read as they are.
const WORTH: usize = 1024;
/// A row that is looked for costs about as much as so many in a row.
const JUMP: usize = 8;

impl Flags {
    /// `None`: there are other values, or few rows.
    pub fn of(column: &[f64]) -> Option<Self> {
        if column.len() < WORTH {
            return None;
        }
        let mut words = Vec::new();
        let mut count = 0;
        for rows in column.chunks(WORD) {
            let (mut word, mut fits) = (0, true);
            for (k, v) in rows.iter().enumerate() {
                word |= u64::from(*v == 1.0) << k;
                fits &= (*v == 0.0) | (*v == 1.0);
            }
            if !fits {
                return None;
            }
            count += word.count_ones() as usize;
            words.push(word);
        }
        words.shrink_to_fit();
        Some(Self { words, dense: count * JUMP > column.len() })
    }

    /// Tells where it is 1 among `count` rows from `first` on, a multiple of [`WORD`]: their numbers less `first`.
    pub fn each(&self, first: usize, count: usize, mut tell: impl FnMut(usize)) {
        let words = self.words[first / WORD..].iter().zip((0..count).step_by(WORD));
        words.for_each(|(word, at)| ones(*word, |k| tell(at + k)));
    }

    /// z += step where it is 1, over the rows from `first` on, a multiple of [`WORD`].
    pub fn add(&self, first: usize, step: f64, z: &mut [f64]) {
        let (whole, rest) = z.as_chunks_mut::<WORD>();
        let words = self.words[first / WORD..].iter();
        if self.dense {
            for (word, z) in words.zip(&mut *whole) {
                for (k, z) in z.iter_mut().enumerate() {
                    *z += kept(step, word >> k);
                }
            }
        } else {
            for (word, z) in words.zip(&mut *whole) {
                ones(*word, |k| z[k] += step);
            }
        }
        if !rest.is_empty() {
            ones(self.words[first / WORD + whole.len()], |k| rest[k] += step);
        }
    }

    /// Σ residual where it is 1, over the rows from `first` on, a multiple of [`WORD`].
    pub fn dot(&self, first: usize, residual: &[f64]) -> f64 {
        let (whole, rest) = residual.as_chunks::<WORD>();
        let words = self.words[first / WORD..].iter();
        let mut sum = 0.0;
        if self.dense {
            let mut lanes = [0.0; 8];
            for (word, values) in words.zip(whole) {
                for (k, v) in values.iter().enumerate() {
                    lanes[k % 8] += kept(*v, word >> k);
                }
            }
            sum += lanes.iter().sum::<f64>();
        } else {
            for (word, values) in words.zip(whole) {
                // A sum of its own: the next word does not wait for it.
                let mut part = 0.0;
                ones(*word, |k| part += values[k]);
                sum += part;
            }
        }
        if !rest.is_empty() {
            ones(self.words[first / WORD + whole.len()], |k| sum += rest[k]);
        }
        sum
    }

    /// Σ weight where it is 0 and where it is 1, over all rows.
    pub fn weights(&self, weights: &[f64]) -> [f64; 2] {
        let mut sums = [[0.0; 8]; 2];
        for (word, weights) in self.words.iter().zip(weights.chunks(WORD)) {
            for (k, w) in weights.iter().enumerate() {
                sums[0][k % 8] += kept(*w, !(word >> k));
                sums[1][k % 8] += kept(*w, word >> k);
            }
        }
        sums.map(|lanes| lanes.iter().sum())
    }
}

/// The value if the last bit is 1, else 0.
#[inline]
fn kept(value: f64, bits: u64) -> f64 {
    f64::from_bits(value.to_bits() & (bits & 1).wrapping_neg())
}

/// Tells the numbers of the bits that are 1, ascending.
#[inline]
fn ones(mut word: u64, mut tell: impl FnMut(usize)) {
    while word != 0 {
        tell(word.trailing_zeros() as usize);
        word &= word - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_column() {
        for (rows, every) in [(1024, 2), (1100, 3), (1030, 40), (2048, 5000)] {
            let column: Vec<f64> = (0..rows).map(|i| f64::from(u8::from(i % every == 1))).collect();
            let flags = Flags::of(&column).unwrap();
            let values: Vec<f64> = (0..rows).map(|i| f64::from(i % 17)).collect();
            let sum = |first: usize, one: f64| -> f64 {
                column.iter().zip(&values).skip(first).filter(|(c, _)| **c == one).map(|(_, v)| v).sum()
            };
            for first in [0, 64, 960] {
                assert_eq!(flags.dot(first, &values[first..]), sum(first, 1.0));
                let mut z = vec![0.5; column.len() - first];
                flags.add(first, 2.0, &mut z);
                assert!(z.iter().zip(&column[first..]).all(|(z, c)| *z == 0.5 + 2.0 * c));
                let mut z = vec![0.5; 64];
                flags.add(first, 2.0, &mut z);
                assert!(z.iter().zip(&column[first..]).all(|(z, c)| *z == 0.5 + 2.0 * c));
            }
            assert_eq!(flags.weights(&values), [sum(0, 0.0), sum(0, 1.0)]);
        }
    }

    #[test]
    fn other_values_and_few_rows_are_no_flags() {
        let mut column = vec![1.0; 1024];
        assert!(Flags::of(&column).is_some() && Flags::of(&column[1..]).is_none());
        for other in [2.0, -1.0, 0.5, f64::NAN] {
            column[1000] = other;
            assert!(Flags::of(&column).is_none());
        }
    }
}
