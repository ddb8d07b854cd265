use super::rows::RowMajor;

/// A node without children.
const LEAF: u32 = 1 << 31;
/// A missing value goes to the right child.
const MISSING_RIGHT: u32 = 1 << 30;
/// Categories of a set go to the left child.
const SET: u32 = 1 << 29;
const FEATURE: u32 = SET - 1;
/// Rows that walk down a tree together.
const LANES: usize = 8;

/// What a row meets on its way down: 16 bytes, so that four share a cache line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Node {
    /// Rows with `value <= threshold` go to the left child. Of a split by categories: where the set begins in
    /// [`Tree::sets`]. In a leaf: its number.
    threshold: f64,
    /// The feature that is looked at, and the marks above.
    rule: u32,
    /// The left child's index; the right one's is the next. A leaf is its own child.
    children: u32,
}

/// A binary tree as arrays by node number; node 0 is the root, children come after their parent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tree {
    pub(super) nodes: Vec<Node>,
    /// How much the split lowered the loss or the sum of impurities (times weight); 0 in a leaf.
    pub(super) gain: Vec<f64>,
    /// The weight of the train rows that came through.
    pub(super) cover: Vec<f64>,
    /// `width` numbers a leaf, by leaf number: the share of each class, the mean, or what is added to a sum.
    pub(super) values: Vec<f64>,
    pub(super) width: usize,
    /// Sets of categories: the number of 64-bit words, then a bit a category.
    pub(super) sets: Vec<u64>,
}

/// How a node divides rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split<'a> {
    pub feature: usize,
    pub rule: Rule<'a>,
    /// Whether a missing value goes to the left child.
    pub missing_left: bool,
    pub left: usize,
    pub right: usize,
}

/// Which values go to the left child.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule<'a> {
    /// `value <= threshold`.
    UpTo(f64),
    /// Categories whose bit is set: bit `c % 64` of word `c / 64`.
    In(&'a [u64]),
}

impl Tree {
    /// A tree without nodes; leaves will have `width` values.
    pub(super) fn new(width: usize) -> Self {
        Self { width, ..Self::default() }
    }

    /// The number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// `None`: the node is a leaf.
    pub fn split(&self, node: usize) -> Option<Split<'_>> {
        let Node { threshold, rule, children } = self.nodes[node];
        let by = if rule & SET == 0 { Rule::UpTo(threshold) } else { Rule::In(self.set(threshold)) };
        (rule & LEAF == 0).then_some(Split {
            feature: (rule & FEATURE) as usize,
            rule: by,
            missing_left: rule & MISSING_RIGHT == 0,
            left: children as usize,
            right: children as usize + 1,
        })
    }

    /// See [`Tree::gain`] of the fields.
    pub fn gain(&self, node: usize) -> f64 {
        self.gain[node]
    }

    /// The weight of the train rows that came through.
    pub fn cover(&self, node: usize) -> f64 {
        self.cover[node]
    }

    /// The number of a leaf: which of the [`Tree::values`] are its.
    pub(super) fn number(&self, leaf: usize) -> usize {
        self.nodes[leaf].threshold as usize
    }

    /// The values of a leaf.
    pub fn values(&self, leaf: usize) -> &[f64] {
        let start = self.number(leaf) * self.width;
        &self.values[start..start + self.width]
    }

    /// Adds a node that is a leaf until it is divided; its values must follow by [`Tree::finish_leaf`].
    pub(super) fn push(&mut self) -> usize {
        let own = self.nodes.len();
        self.nodes.push(Node { threshold: 0.0, rule: LEAF, children: own as u32 });
        self.gain.push(0.0);
        self.cover.push(0.0);
        own
    }

    pub(super) fn finish_leaf(&mut self, node: usize, values: impl IntoIterator<Item = f64>) {
        self.nodes[node].threshold = (self.values.len() / self.width) as f64;
        self.values.extend(values);
    }

    /// Turns a leaf into a split; gives its children (left, right).
    pub(super) fn divide(
        &mut self,
        node: usize,
        feature: usize,
        rule: Rule<'_>,
        missing_left: bool,
        gain: f64,
    ) -> (usize, usize) {
        let left = self.push();
        let right = self.push();
        let mut marks = feature as u32;
        if !missing_left {
            marks |= MISSING_RIGHT;
        }
        let threshold = match rule {
            Rule::UpTo(threshold) => threshold,
            Rule::In(set) => {
                marks |= SET;
                let start = self.sets.len();
                self.sets.push(set.len() as u64);
                self.sets.extend(set);
                start as f64
            }
        };
        self.nodes[node] = Node { threshold, rule: marks, children: left as u32 };
        self.gain[node] = gain;
        (left, right)
    }

    /// The covers of all nodes from those of the leaves.
    pub(super) fn sum_covers(&mut self) {
        for node in (0..self.nodes.len()).rev() {
            let children = self.nodes[node].children as usize;
            if self.nodes[node].rule & LEAF == 0 {
                self.cover[node] = self.cover[children] + self.cover[children + 1];
            }
        }
    }

    /// The words of the set that begins at `start`.
    fn set(&self, start: f64) -> &[u64] {
        let start = start as usize;
        &self.sets[start + 1..start + 1 + self.sets[start] as usize]
    }

    /// The leaf that a row (its features) falls into.
    pub fn leaf(&self, row: &[f64]) -> usize {
        self.down(0, row, &|node, value| self.goes_right(node, value))
    }

    /// Tells [`Tree::leaf`] of each of the `rows`, in any order: (row, leaf).
    #[inline]
    pub(super) fn each_leaf(&self, rows: &RowMajor, tell: impl FnMut(usize, usize)) {
        if self.sets.is_empty() && !rows.gaps() {
            self.walk(rows, |node, value| value > node.threshold, tell);
        } else {
            self.walk(rows, |node, value| self.goes_right(node, value), tell);
        }
    }

    /// Each step of a walk waits for memory: several walk and wait together, and where one has arrived the next begins.
    #[inline]
    fn walk(&self, rows: &RowMajor, right: impl Fn(Node, f64) -> bool, mut tell: impl FnMut(usize, usize)) {
        let count = rows.len();
        if count < LANES {
            (0..count).for_each(|i| tell(i, self.down(0, rows.row(i), &right)));
            return;
        }
        let mut lanes: [_; LANES] = std::array::from_fn(|i| (0, rows.row(i), i));
        let mut next = LANES;
        let last = 'walk: loop {
            for (l, (at, row, i)) in lanes.iter_mut().enumerate() {
                let node = self.nodes[*at];
                if node.rule & LEAF == 0 {
                    let value = row[(node.rule & FEATURE) as usize];
                    *at = node.children as usize + usize::from(right(node, value));
                    continue;
                }
                tell(*i, *at);
                if next == count {
                    break 'walk l;
                }
                (*at, *row, *i) = (0, rows.row(next), next);
                next += 1;
            }
        };
        let others = lanes.into_iter().enumerate().filter(|(l, _)| *l != last);
        others.for_each(|(_, (at, row, i))| tell(i, self.down(at, row, &right)));
    }

    /// The leaf below a node.
    #[inline]
    fn down(&self, mut at: usize, row: &[f64], right: &impl Fn(Node, f64) -> bool) -> usize {
        loop {
            let node = self.nodes[at];
            if node.rule & LEAF != 0 {
                return at;
            }
            at = node.children as usize + usize::from(right(node, row[(node.rule & FEATURE) as usize]));
        }
    }

    /// Whether a value goes to the right child.
    #[inline]
    fn goes_right(&self, node: Node, value: f64) -> bool {
        if node.rule & SET != 0 && !value.is_nan() {
            let category = value as usize;
            let word = self.set(node.threshold).get(category / 64);
            return word.is_none_or(|word| word >> (category % 64) & 1 == 0);
        }
        (value > node.threshold) | (value.is_nan() & (node.rule & MISSING_RIGHT != 0))
    }

    /// Whether every walk from the root ends in a leaf with values, for rows of `features` features.
    pub(super) fn is_sound(&self, features: usize) -> bool {
        let (nodes, leaves) = (self.nodes.len(), self.values.len().checked_div(self.width).unwrap_or(0));
        let whole = |number: f64, below: usize| number >= 0.0 && number < below as f64 && number.fract() == 0.0;
        nodes > 0
            && features > 0
            && self.values.len() == leaves * self.width
            && [self.gain.len(), self.cover.len()].iter().all(|n| *n == nodes)
            && self.nodes.iter().enumerate().all(|(i, node)| {
                let children = node.children as usize;
                if node.rule & LEAF != 0 {
                    return node.rule == LEAF && children == i && whole(node.threshold, leaves);
                }
                let set = |start: f64| {
                    whole(start, self.sets.len())
                        && self.sets[start as usize] <= (self.sets.len() - 1 - start as usize) as u64
                };
                ((node.rule & FEATURE) as usize) < features
                    && children > i
                    && children < nodes - 1
                    && (node.rule & SET == 0 || set(node.threshold))
            })
    }

    /// The numbers of the nodes: (threshold, rule, children).
    pub(super) fn raw(&self) -> impl Iterator<Item = (f64, u32, u32)> {
        self.nodes.iter().map(|n| (n.threshold, n.rule, n.children))
    }

    pub(super) fn from_raw(nodes: impl Iterator<Item = (f64, u32, u32)>, width: usize) -> Self {
        let nodes = nodes.map(|(threshold, rule, children)| Node { threshold, rule, children }).collect();
        Self { nodes, width, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Matrix;

    fn stump(missing_left: bool) -> Tree {
        let mut tree = Tree::new(1);
        let root = tree.push();
        let (left, right) = tree.divide(root, 1, Rule::UpTo(2.5), missing_left, 4.0);
        tree.finish_leaf(left, [-1.0]);
        tree.finish_leaf(right, [1.0]);
        tree
    }

    fn value(tree: &Tree, row: &[f64]) -> f64 {
        tree.values(tree.leaf(row))[0]
    }

    #[test]
    fn a_row_goes_left_up_to_the_threshold_and_missing_where_it_was_told() {
        for (missing_left, missing) in [(false, 1.0), (true, -1.0)] {
            let tree = stump(missing_left);
            assert_eq!(value(&tree, &[0.0, 2.5]), -1.0);
            assert_eq!(value(&tree, &[0.0, 2.500001]), 1.0);
            assert_eq!(value(&tree, &[0.0, f64::NAN]), missing);
        }
    }

    #[test]
    fn categories_of_the_set_go_left_and_all_others_right() {
        let mut tree = Tree::new(1);
        let root = tree.push();
        let (left, right) = tree.divide(root, 0, Rule::In(&[1 << 3, 1 << 6]), false, 1.0);
        tree.finish_leaf(left, [-1.0]);
        tree.finish_leaf(right, [1.0]);
        let in_set = [3.0, 70.0];
        for category in [0.0, 2.0, 3.0, 4.0, 69.0, 70.0, 128.0, 1e9, f64::NAN] {
            assert_eq!(value(&tree, &[category]) == -1.0, in_set.contains(&category), "{category}");
        }
        assert!(tree.is_sound(1));
        tree.sets[0] = 3;
        assert!(!tree.is_sound(1), "a set of more words than there are");
    }

    #[test]
    fn rows_that_walk_together_end_where_each_ends_alone() {
        let mut tree = Tree::new(1);
        let root = tree.push();
        let (deep, shallow) = tree.divide(root, 0, Rule::UpTo(10.0), false, 1.0);
        let (low, high) = tree.divide(deep, 0, Rule::UpTo(5.0), false, 1.0);
        for (value, leaf) in [shallow, low, high].into_iter().enumerate() {
            tree.finish_leaf(leaf, [value as f64]);
        }
        for count in [1, 4, 8, 9, 31] {
            let (column, ends): (Vec<f64>, Vec<_>) = [(11.0, shallow), (5.0, low), (10.0, high), (f64::NAN, shallow)]
                .into_iter()
                .cycle()
                .take(count)
                .unzip();
            let x = Matrix::new(vec!["x".to_owned()], vec![column.clone()], count).unwrap();
            let rows = RowMajor::of(&x, 0..count);
            let mut told = vec![Vec::new(); count];
            tree.each_leaf(&rows, |i, leaf| told[i].push(leaf));
            assert_eq!(told, ends.iter().map(|leaf| vec![*leaf]).collect::<Vec<_>>());
            assert!(column.iter().zip(&ends).all(|(row, leaf)| tree.leaf(&[*row]) == *leaf));
        }
    }

    #[test]
    fn a_tree_that_would_loop_or_leave_its_arrays_is_not_sound() {
        assert!(stump(false).is_sound(2));
        assert!(!stump(false).is_sound(1), "feature 1 of 1");
        let changed = |change: &dyn Fn(&mut Tree)| {
            let mut tree = stump(true);
            change(&mut tree);
            tree.is_sound(2)
        };
        assert!(!changed(&|t| t.nodes[0].children = 0), "a loop");
        assert!(!changed(&|t| t.nodes[0].children = 2), "a child outside");
        assert!(!changed(&|t| t.nodes[2].threshold = 2.0), "a leaf without value");
        assert!(!changed(&|t| t.nodes[2].threshold = f64::NAN));
        assert!(!changed(&|t| t.nodes[1].children = 2), "a leaf that leads on");
        assert!(!changed(&|t| t.nodes[0].rule |= SET), "a set that is not there");
    }
}
