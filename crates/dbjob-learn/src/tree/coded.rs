use std::ops::Range;

use super::node::{Rule, Tree};
use crate::Matrix;

/// Small trees over numbers as comparisons of bytes. Each value of a row becomes a code once: how many of all thresholds of
/// its feature it is above. A tree then compares codes with the code of each of its thresholds, for [`LANES`] rows at once and
/// without jumps: a byte a row and node is 255 where the row comes by. The leaves are the same as those of [`Tree::leaf`].
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Coded {
    features: Vec<Feature>,
    /// Codes of a block, by feature and by where its missing values go.
    columns: usize,
    splits: Vec<Split>,
    leaves: Vec<Leaf>,
    /// Where each tree's splits and leaves end.
    ends: Vec<(usize, usize)>,
}

/// Rows that go down a tree together.
pub(super) const LANES: usize = 64;
/// Nodes of a tree at most; a leaf's number is a byte.
const NODES: usize = 2 * 256 - 1;
/// Thresholds of a feature at most: there is one code more than thresholds, and one that is above all.
const CUTS: usize = 254;
const ABOVE: u8 = 255;

/// One that is looked at.
#[derive(Debug, Clone, PartialEq)]
struct Feature {
    number: usize,
    /// All thresholds, ascending.
    cuts: Vec<f64>,
    /// Its column where missing values go right, and where they go left.
    columns: [Option<u16>; 2],
}

/// The k-th of a tree has the children 2k + 1 and 2k + 2: rows whose code is at least `least` go to the second one.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Split {
    node: u16,
    column: u16,
    least: u8,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Leaf {
    node: u16,
    number: u8,
}

impl Coded {
    /// `None`: some tree is too large, looks at categories or at a feature with too many thresholds, or there are so few trees
    /// that codes cost more than they save.
    pub fn of(trees: &[Tree], features: usize) -> Option<Self> {
        let mut cuts = vec![Vec::new(); features];
        for tree in trees {
            if tree.len() > NODES {
                return None;
            }
            for split in (0..tree.len()).filter_map(|node| tree.split(node)) {
                match split.rule {
                    Rule::UpTo(threshold) if !threshold.is_nan() => cuts[split.feature].push(threshold),
                    _ => return None,
                }
            }
        }
        for cuts in &mut cuts {
            cuts.sort_unstable_by(f64::total_cmp);
            cuts.dedup();
        }
        let looked_at = cuts.iter().filter(|cuts| !cuts.is_empty()).count();
        if looked_at == 0 || trees.len() < looked_at || cuts.iter().any(|cuts| cuts.len() > CUTS) {
            return None;
        }
        let feature = |(number, cuts)| Feature { number, cuts, columns: [None; 2] };
        let features = cuts.into_iter().enumerate().map(feature).collect();
        let mut coded = Self { features, columns: 0, splits: vec![], leaves: vec![], ends: vec![] };
        trees.iter().try_for_each(|tree| coded.add(tree))?;
        coded.features.retain(|feature| !feature.cuts.is_empty());
        Some(coded)
    }

    /// `None`: its nodes are numbered in another way than the learners do, or the columns are too many.
    fn add(&mut self, tree: &Tree) -> Option<()> {
        let mut splits: Vec<_> = (0..tree.len()).filter_map(|node| Some((node, tree.split(node)?))).collect();
        splits.sort_unstable_by_key(|(_, split)| split.left);
        if tree.len() != 2 * splits.len() + 1 {
            return None;
        }
        for (k, (node, split)) in splits.iter().enumerate() {
            let Rule::UpTo(threshold) = split.rule else { return None };
            if split.left != 2 * k + 1 {
                return None;
            }
            let feature = &mut self.features[split.feature];
            let column = &mut feature.columns[usize::from(split.missing_left)];
            if column.is_none() {
                *column = Some(u16::try_from(self.columns).ok()?);
                self.columns += 1;
            }
            let least = feature.cuts.partition_point(|cut| *cut < threshold) + 1;
            self.splits.push(Split { node: *node as u16, column: (*column)?, least: least as u8 });
        }
        for node in (0..tree.len()).filter(|node| tree.split(*node).is_none()) {
            self.leaves.push(Leaf { node: node as u16, number: u8::try_from(tree.number(node)).ok()? });
        }
        self.ends.push((self.splits.len(), self.leaves.len()));
        Some(())
    }

    /// The codes of some rows.
    pub fn codes(&self, x: &Matrix, rows: Range<usize>) -> Codes {
        let chunks = rows.len().div_ceil(LANES);
        let mut lanes = vec![[0; LANES]; chunks * self.columns];
        for Feature { number, cuts, columns } in &self.features {
            let values = x.column(*number)[rows.clone()].chunks(LANES);
            for (values, lanes) in values.zip(lanes.chunks_exact_mut(self.columns)) {
                for (column, missing) in columns.iter().zip([ABOVE, 0]) {
                    let Some(column) = column else { continue };
                    for (code, v) in lanes[usize::from(*column)].iter_mut().zip(values) {
                        *code = if v.is_nan() { missing } else { cuts.partition_point(|cut| cut < v) as u8 };
                    }
                }
            }
        }
        let mut comes = vec![[0; LANES]; NODES];
        comes[0] = [u8::MAX; LANES];
        Codes { lanes, rows: rows.len(), comes }
    }

    /// Tells for each [`LANES`] rows of a tree, by its place, the number of the first and the numbers of their leaves.
    #[inline]
    pub fn each(&self, tree: usize, Codes { lanes, rows, comes }: &mut Codes, mut tell: impl FnMut(usize, &[u8])) {
        let (splits, leaves) = if tree == 0 { (0, 0) } else { self.ends[tree - 1] };
        let (splits, leaves) = (&self.splits[splits..self.ends[tree].0], &self.leaves[leaves..self.ends[tree].1]);
        for (chunk, first) in lanes.chunks_exact(self.columns).zip((0..*rows).step_by(LANES)) {
            for (k, split) in splits.iter().enumerate() {
                let (codes, from) = (&chunk[usize::from(split.column)], comes[usize::from(split.node)]);
                let (mut left, mut right) = ([0; LANES], [0; LANES]);
                for l in 0..LANES {
                    let goes_right = if codes[l] >= split.least { u8::MAX } else { 0 };
                    left[l] = from[l] & !goes_right;
                    right[l] = from[l] & goes_right;
                }
                (comes[2 * k + 1], comes[2 * k + 2]) = (left, right);
            }
            let mut numbers = [0; LANES];
            for leaf in leaves {
                let comes = &comes[usize::from(leaf.node)];
                numbers.iter_mut().zip(comes).for_each(|(number, comes)| *number |= comes & leaf.number);
            }
            tell(first, &numbers[..LANES.min(*rows - first)]);
        }
    }
}

/// By [`LANES`] rows, then by column.
pub(super) struct Codes {
    lanes: Vec<[u8; LANES]>,
    rows: usize,
    /// By node, which rows come by.
    comes: Vec<[u8; LANES]>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    const FEATURES: usize = 3;

    /// Grown at random: each leaf has its own number, thresholds are whole.
    fn tree(rng: &mut Rng, splits: usize) -> Tree {
        let mut tree = Tree::new(1);
        let mut leaves = vec![tree.push()];
        for _ in 0..splits {
            let mut below = |count: usize| (rng.next() % count as u64) as usize;
            let leaf = leaves.swap_remove(below(leaves.len()));
            let (feature, threshold, missing_left) = (below(FEATURES), below(21) as f64 - 10.0, below(2) == 0);
            let (left, right) = tree.divide(leaf, feature, Rule::UpTo(threshold), missing_left, 1.0);
            leaves.extend([left, right]);
        }
        leaves.into_iter().enumerate().for_each(|(value, leaf)| tree.finish_leaf(leaf, [value as f64]));
        tree
    }

    #[test]
    fn leaves_are_those_of_the_tree() {
        let mut rng = Rng::new(3, 0);
        let trees: Vec<Tree> = [0, 1, 2, 30, 255].iter().cycle().take(20).map(|n| tree(&mut rng, *n)).collect();
        let coded = Coded::of(&trees, FEATURES).unwrap();
        for count in [1, 63, 64, 65, 200] {
            let mut value = || match rng.next() % 30 {
                0 => f64::NAN,
                1 => f64::INFINITY,
                2 => f64::NEG_INFINITY,
                3 => -0.0,
                n => (n as f64 - 16.0) * if rng.next().is_multiple_of(2) { 1.0 } else { 0.999_999_999 },
            };
            let columns: Vec<Vec<f64>> = (0..FEATURES).map(|_| (0..count + 5).map(|_| value()).collect()).collect();
            let names = (0..FEATURES).map(|j| j.to_string()).collect();
            let x = Matrix::new(names, columns.clone(), count + 5).unwrap();
            let mut codes = coded.codes(&x, 5..count + 5);
            for (t, tree) in trees.iter().enumerate() {
                let mut told = Vec::new();
                coded.each(t, &mut codes, |first, numbers| {
                    assert_eq!(first, told.len());
                    told.extend_from_slice(numbers);
                });
                let row = |i: usize| columns.iter().map(|column| column[i + 5]).collect::<Vec<_>>();
                let leaves: Vec<u8> = (0..count).map(|i| tree.number(tree.leaf(&row(i))) as u8).collect();
                assert_eq!(told, leaves, "tree {t}, {count} rows");
            }
        }
    }

    #[test]
    fn trees_that_do_not_fit_into_bytes_stay_as_they_are() {
        let mut rng = Rng::new(4, 0);
        let of = |tree: &Tree| Coded::of(&vec![tree.clone(); FEATURES], FEATURES);
        assert!(of(&tree(&mut rng, 255)).is_some() && of(&tree(&mut rng, 256)).is_none(), "257 leaves");
        let few = tree(&mut rng, 50);
        assert!(Coded::of(&[few], FEATURES).is_none(), "one tree, three features");
        assert!(of(&tree(&mut rng, 0)).is_none(), "leaves alone");
        let split = |rule: Rule<'_>| {
            let mut tree = Tree::new(1);
            let root = tree.push();
            let (left, right) = tree.divide(root, 0, rule, false, 1.0);
            [left, right].into_iter().for_each(|leaf| tree.finish_leaf(leaf, [0.0]));
            tree
        };
        assert!(of(&split(Rule::UpTo(0.5))).is_some());
        assert!(of(&split(Rule::In(&[1]))).is_none());
        assert!(of(&split(Rule::UpTo(f64::NAN))).is_none());
        let many = |count: u32| -> Vec<Tree> { (0..count).map(|i| split(Rule::UpTo(f64::from(i)))).collect() };
        assert!(Coded::of(&many(254), 1).is_some() && Coded::of(&many(255), 1).is_none());
        // Children that are not numbered by the order of the splits.
        let mut swapped = tree(&mut rng, 3);
        let splits: Vec<usize> = (0..swapped.len()).filter(|node| swapped.split(*node).is_some()).collect();
        let nodes: Vec<_> = swapped.raw().collect();
        let children = |node: usize| if node == splits[1] { nodes[splits[1]].2 - 1 } else { nodes[node].2 };
        swapped.nodes = Tree::from_raw((0..nodes.len()).map(|i| (nodes[i].0, nodes[i].1, children(i))), 1).nodes;
        assert!(of(&swapped).is_none());
    }
}
