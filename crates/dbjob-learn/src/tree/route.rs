use super::node::{Rule, Tree};

/// Sends many rows down a tree together, node by node: what a node asks is looked up once for all rows that come by, and
/// there is no jump that depends on a value. Good where trees have fewer nodes than there are rows.
#[derive(Default)]
pub(super) struct Router {
    rows: Vec<u16>,
    spare: Vec<u16>,
    open: Vec<(usize, usize, usize)>,
}

/// Rows at most.
pub(super) const MOST: usize = 1 << 16;

impl Router {
    /// Tells each leaf with the rows that end in it. `columns`: by feature, values of as many rows, at most [`MOST`].
    pub fn send(&mut self, tree: &Tree, columns: &[&[f64]], mut tell: impl FnMut(usize, &[u16])) {
        let count = columns[0].len();
        self.rows.clear();
        self.rows.extend((0..count).map(|i| i as u16));
        self.spare.resize(count, 0);
        self.open.clear();
        if count > 0 {
            self.open.push((0, 0, count));
        }
        while let Some((node, start, end)) = self.open.pop() {
            let rows = &mut self.rows[start..end];
            let Some(split) = tree.split(node) else {
                tell(node, rows);
                continue;
            };
            let column = columns[split.feature];
            let missing_right = !split.missing_left;
            let left = match split.rule {
                Rule::UpTo(threshold) => divide(rows, &mut self.spare, column, |value| {
                    (value > threshold) | (value.is_nan() & missing_right)
                }),
                Rule::In(set) => divide(rows, &mut self.spare, column, |value| {
                    // A missing value is taken for category 0 first.
                    let category = value as usize;
                    let word = set.get(category / 64).copied().unwrap_or(0);
                    let outside = word >> (category % 64) & 1 == 0;
                    let missing = value.is_nan();
                    (outside & !missing) | (missing & missing_right)
                }),
            };
            if start + left < end {
                self.open.push((split.right, start + left, end));
            }
            if left > 0 {
                self.open.push((split.left, start, start + left));
            }
        }
    }
}

/// Rows that go left first; gives how many they are.
#[inline]
fn divide(rows: &mut [u16], spare: &mut [u16], column: &[f64], goes_right: impl Fn(f64) -> bool) -> usize {
    let spare = &mut spare[..rows.len()];
    let (mut left, mut right) = (0, 0);
    for i in 0..rows.len() {
        let row = rows[i];
        rows[left] = row;
        spare[right] = row;
        let is_right = goes_right(column[row as usize]);
        left += usize::from(!is_right);
        right += usize::from(is_right);
    }
    rows[left..].copy_from_slice(&spare[..right]);
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_end_where_each_ends_alone() {
        let mut tree = Tree::new(1);
        let root = tree.push();
        let (a, b) = tree.divide(root, 0, Rule::UpTo(0.5), true, 1.0);
        let (c, d) = tree.divide(a, 1, Rule::In(&[0b101]), false, 1.0);
        let (e, f) = tree.divide(b, 1, Rule::In(&[0b011, 1]), true, 1.0);
        [c, d, e, f].into_iter().for_each(|leaf| tree.finish_leaf(leaf, [0.0]));
        let nan = f64::NAN;
        let first = [0.0, 1.0, nan, 0.5, 0.7, nan, 0.1, 9.0];
        let second = [0.0, 1.0, 2.0, 3.0, 64.0, nan, nan, 1e12];
        let mut ends = [0; 8];
        Router::default().send(&tree, &[&first, &second], |leaf, rows| {
            rows.iter().for_each(|i| ends[*i as usize] = leaf);
        });
        for i in 0..8 {
            assert_eq!(ends[i], tree.leaf(&[first[i], second[i]]), "row {i}");
        }
    }
}
