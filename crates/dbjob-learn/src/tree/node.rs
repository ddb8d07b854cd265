/// The feature of a node that has no children.
pub const LEAF: u32 = u32::MAX;

/// What a row meets on its way down: 16 bytes, so that four share a cache line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Node {
    /// Rows with `value <= threshold` go to the left child. 0 in a leaf.
    pub threshold: f64,
    /// The feature that is compared, or [`LEAF`].
    pub feature: u32,
    /// The left child's index; the right one's is the next. In a leaf: the number of the leaf.
    pub children: u32,
}

/// A binary tree as arrays by node number; node 0 is the root, children come after their parent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tree {
    pub nodes: Vec<Node>,
    /// Whether a missing value goes to the left child.
    pub missing_left: Vec<bool>,
    /// How much the split lowered the sum of impurities (Gini impurity or squared error, times weight); 0 in a leaf.
    pub gain: Vec<f64>,
    /// The weight of the train rows that came through.
    pub cover: Vec<f64>,
    /// `width` numbers a leaf, by leaf number: the share of each class, or the mean.
    pub values: Vec<f64>,
    pub width: usize,
}

impl Tree {
    /// A tree without nodes; leaves will have `width` values.
    pub(super) fn new(width: usize) -> Self {
        Self { width, ..Self::default() }
    }

    /// Adds a node that is a leaf until [`Tree::split`]; its values must follow by [`Tree::finish_leaf`].
    pub(super) fn push(&mut self) -> usize {
        self.nodes.push(Node { threshold: 0.0, feature: LEAF, children: 0 });
        self.missing_left.push(false);
        self.gain.push(0.0);
        self.cover.push(0.0);
        self.nodes.len() - 1
    }

    pub(super) fn finish_leaf(&mut self, node: usize, values: impl IntoIterator<Item = f64>) {
        self.nodes[node].children = (self.values.len() / self.width) as u32;
        self.values.extend(values);
    }

    /// Turns a leaf into a split; gives its children (left, right).
    pub(super) fn split(&mut self, node: usize, feature: usize, threshold: f64, gain: f64) -> (usize, usize) {
        let left = self.push();
        let right = self.push();
        self.nodes[node] = Node { threshold, feature: feature as u32, children: left as u32 };
        self.gain[node] = gain;
        (left, right)
    }

    /// The values of the leaf that a row (its features) falls into.
    pub fn leaf(&self, row: &[f64]) -> &[f64] {
        let mut at = 0;
        while let Some(next) = self.step(at, row) {
            at = next;
        }
        self.values_of(at)
    }

    /// [`Tree::leaf`] of several rows at once: each step of a walk waits for memory, and the walks wait together.
    pub(super) fn leaves<const N: usize>(&self, rows: [&[f64]; N]) -> [&[f64]; N] {
        let mut at = [0; N];
        loop {
            let mut walking = false;
            for (at, row) in at.iter_mut().zip(rows) {
                if let Some(next) = self.step(*at, row) {
                    *at = next;
                    walking = true;
                }
            }
            if !walking {
                return at.map(|at| self.values_of(at));
            }
        }
    }

    /// The child that a row goes to; `None` at a leaf.
    #[inline]
    fn step(&self, at: usize, row: &[f64]) -> Option<usize> {
        let node = self.nodes[at];
        if node.feature == LEAF {
            return None;
        }
        let value = row[node.feature as usize];
        // The first test nearly always goes one way; the second must stay a comparison without a jump.
        let right = if value.is_nan() { !self.missing_left[at] } else { value > node.threshold };
        Some(node.children as usize + usize::from(right))
    }

    fn values_of(&self, leaf: usize) -> &[f64] {
        let start = self.nodes[leaf].children as usize * self.width;
        &self.values[start..start + self.width]
    }

    /// Whether every walk from the root ends in a leaf with values, for rows of `features` features.
    pub(super) fn is_sound(&self, features: usize) -> bool {
        let (nodes, leaves) = (self.nodes.len(), self.values.len().checked_div(self.width).unwrap_or(0));
        nodes > 0
            && self.values.len() == leaves * self.width
            && [self.missing_left.len(), self.gain.len(), self.cover.len()].iter().all(|n| *n == nodes)
            && self.nodes.iter().enumerate().all(|(i, node)| {
                let children = node.children as usize;
                match node.feature {
                    LEAF => children < leaves,
                    feature => (feature as usize) < features && children > i && children < nodes - 1,
                }
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stump() -> Tree {
        let mut tree = Tree::new(1);
        let root = tree.push();
        let (left, right) = tree.split(root, 1, 2.5, 4.0);
        tree.finish_leaf(left, [-1.0]);
        tree.finish_leaf(right, [1.0]);
        tree
    }

    #[test]
    fn a_row_goes_left_up_to_the_threshold_and_missing_where_it_was_told() {
        let mut tree = stump();
        assert_eq!(tree.leaf(&[0.0, 2.5]), [-1.0]);
        assert_eq!(tree.leaf(&[0.0, 2.500001]), [1.0]);
        assert_eq!(tree.leaf(&[0.0, f64::NAN]), [1.0]);
        tree.missing_left[0] = true;
        assert_eq!(tree.leaf(&[0.0, f64::NAN]), [-1.0]);
        assert_eq!(tree.leaf(&[0.0, 3.0]), [1.0]);
    }

    #[test]
    fn rows_that_walk_together_end_where_each_ends_alone() {
        let mut tree = Tree::new(1);
        let root = tree.push();
        let (deep, shallow) = tree.split(root, 0, 10.0, 1.0);
        let (low, high) = tree.split(deep, 0, 5.0, 1.0);
        for (value, leaf) in [shallow, low, high].into_iter().enumerate() {
            tree.finish_leaf(leaf, [value as f64]);
        }
        let rows = [[11.0], [5.0], [10.0], [f64::NAN]];
        assert_eq!(tree.leaves(rows.each_ref().map(|r| &r[..])), rows.each_ref().map(|r| tree.leaf(r)));
        assert_eq!(tree.leaf(&rows[2]), [2.0]);
    }

    #[test]
    fn a_tree_that_would_loop_or_leave_its_arrays_is_not_sound() {
        assert!(stump().is_sound(2));
        assert!(!stump().is_sound(1), "feature 1 of 1");
        let mut looping = stump();
        looping.nodes[0].children = 0;
        assert!(!looping.is_sound(2));
        let mut outside = stump();
        outside.nodes[0].children = 2;
        assert!(!outside.is_sound(2));
        let mut without_value = stump();
        without_value.nodes[2].children = 2;
        assert!(!without_value.is_sound(2));
    }
}
