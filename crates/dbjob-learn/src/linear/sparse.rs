use std::ops::Range;

/// A feature that is mostly 0: where it is not, and what it is there.
pub(super) struct Sparse {
    /// Counted from the first row of each block.
    rows: Vec<u16>,
    values: Values,
    /// Where in the two each block of rows begins; one more at the end.
    starts: Vec<usize>,
}

enum Values {
    /// As of a level of a category.
    Same(f64),
    Each(Vec<f64>),
}

/// A number that is not 0 costs about as much as so many in a row.
const WORTH: usize = 5;

impl Sparse {
    /// `None` where a column holds too many numbers other than 0 for it to be worth while. The blocks cover all rows, at most
    /// 65,536 each.
    pub fn of(column: &[f64], blocks: &[Range<usize>]) -> Option<Self> {
        let mut others = column.iter().filter(|v| **v != 0.0);
        let first = others.next().copied().unwrap_or(0.0);
        let (mut count, mut same) = (usize::from(first != 0.0), true);
        for v in others {
            count += 1;
            same &= *v == first;
        }
        if count > column.len() / WORTH {
            return None;
        }
        let (mut rows, mut values) = (Vec::with_capacity(count), Vec::with_capacity(if same { 0 } else { count }));
        let mut starts = Vec::with_capacity(blocks.len() + 1);
        for block in blocks {
            starts.push(rows.len());
            for (row, v) in column[block.clone()].iter().enumerate().filter(|(_, v)| **v != 0.0) {
                rows.push(row as u16);
                if !same {
                    values.push(*v);
                }
            }
        }
        starts.push(rows.len());
        Some(Self { rows, values: if same { Values::Same(first) } else { Values::Each(values) }, starts })
    }

    /// z += factor · value, over a block of rows.
    pub fn add(&self, block: usize, factor: f64, z: &mut [f64]) {
        let range = self.starts[block]..self.starts[block + 1];
        let rows = &self.rows[range.clone()];
        match &self.values {
            Values::Same(value) => {
                let step = factor * value;
                rows.iter().for_each(|row| z[usize::from(*row)] += step);
            }
            Values::Each(values) => {
                rows.iter().zip(&values[range]).for_each(|(row, v)| z[usize::from(*row)] += factor * v);
            }
        }
    }

    /// Σ residual · value over a block of rows.
    pub fn dot(&self, block: usize, residual: &[f64]) -> f64 {
        let range = self.starts[block]..self.starts[block + 1];
        let rows = &self.rows[range.clone()];
        match &self.values {
            Values::Same(value) => {
                let mut sums = [0.0; 4];
                let (fours, rest) = rows.as_chunks::<4>();
                for four in fours {
                    (0..4).for_each(|k| sums[k] += residual[usize::from(four[k])]);
                }
                let rest: f64 = rest.iter().map(|row| residual[usize::from(*row)]).sum();
                ((sums[0] + sums[1]) + (sums[2] + sums[3]) + rest) * value
            }
            Values::Each(values) => {
                rows.iter().zip(&values[range]).map(|(row, v)| residual[usize::from(*row)] * v).sum()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::dot;

    #[test]
    fn sums_are_those_of_the_whole_column() {
        let blocks = [0..40, 40..80, 80..93];
        let of = |value: fn(usize) -> f64| -> Vec<f64> {
            (0..93).map(|i| if i % 7 == 3 { value(i) } else { 0.0 }).collect()
        };
        for column in [of(|_| 1.0), of(|_| -2.5), of(|i| i as f64), vec![0.0; 93]] {
            let sparse = Sparse::of(&column, &blocks).unwrap();
            for (b, block) in blocks.iter().enumerate() {
                let part = &column[block.clone()];
                let residual: Vec<f64> = block.clone().map(|i| 1.0 / (i as f64 + 1.0)).collect();
                assert!((sparse.dot(b, &residual) - dot(part, &residual)).abs() < 1e-14);
                let mut z = vec![1.0; part.len()];
                sparse.add(b, 3.0, &mut z);
                assert!(z.iter().zip(part).all(|(z, v)| *z == 1.0 + 3.0 * v));
            }
        }
        assert!(Sparse::of(&of(|_| 1.0).iter().map(|v| v + 1.0).collect::<Vec<_>>(), &blocks).is_none());
    }
}
