use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::Range;

use rayon::prelude::*;

use super::groups::{Groups, Wide};
use super::split::{Bounds, Candidate, Limits, Scan};
use super::sums::{Gradient, Sums, Units};
use crate::tree::node::{Rule, Tree};

/// What all trees share.
pub(super) struct Grower<'a> {
    pub groups: &'a Groups,
    pub limits: Limits,
    pub max_leaves: usize,
    pub max_depth: Option<usize>,
    pub learning_rate: f64,
    /// By feature: whether predictions may only rise (1) or fall (-1) with it; empty: no feature is bound.
    pub directions: &'a [i8],
}

/// What a tree is grown in; kept from tree to tree.
pub(super) struct Workspace {
    /// What the tree is learned from.
    rows: Rows,
    /// Rows that come along: where they end is of interest.
    others: Rows,
    /// One a thread; all zero between uses.
    wide: Vec<Vec<Wide>>,
    block: Vec<Vec<Sums>>,
    unused: Vec<Vec<Sums>>,
}

/// Rows, those of a node together and ascending.
#[derive(Default)]
struct Rows {
    rows: Vec<u32>,
    spare: Vec<u32>,
}

/// A tree, and where its rows ended.
pub(super) struct Grown<'w> {
    pub tree: Tree,
    /// By leaf: what it adds to the sums of which rows.
    pub leaves: Vec<Ended<'w>>,
}

pub(super) struct Ended<'w> {
    pub node: usize,
    pub value: f64,
    /// Ascending: those that were learned from, the others.
    pub rows: [&'w [u32]; 2],
}

/// How a tree goes on.
pub(super) enum Go {
    On,
    /// No node is divided any more.
    ToLeaves,
    /// Nobody wants the tree.
    Away,
}

/// A node that is a leaf by now.
struct Part {
    node: usize,
    rows: Range<usize>,
    others: Range<usize>,
    depth: usize,
    total: Sums,
    /// The penalty of what it says, and its bounds.
    lambda: f64,
    bounds: Bounds,
}

impl Part {
    /// What it says, before the learning rate.
    fn value(&self, units: Units) -> f64 {
        let (g, h) = units.sums(self.total);
        let step = h + self.lambda;
        self.bounds.hold(if step > 0.0 { -g / step } else { 0.0 })
    }
}

/// One that will be divided, if its turn comes.
struct Leaf {
    part: Part,
    histogram: Vec<Sums>,
    split: Candidate,
}

/// The leaf with the largest gain is divided next; of equal ones the first.
impl Ord for Leaf {
    fn cmp(&self, other: &Self) -> Ordering {
        self.split.gain.total_cmp(&other.split.gain).then(other.part.node.cmp(&self.part.node))
    }
}

impl PartialOrd for Leaf {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Leaf {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Leaf {}

/// Rows that are looked up together before their bins are filled: they fit a core's own memory.
const BLOCK: usize = 2048;
/// Fewer rows to divide, bins to fill by rows, or bins to look at are not worth a second thread.
const PARALLEL_ROWS: usize = 16_384;
const PARALLEL_WORK: usize = 65_536;
/// What a row costs beside its bins, in bins.
const ROW: usize = 8;
const PARALLEL_BINS: usize = 4096;

impl Workspace {
    pub fn new(groups: &Groups, threads: usize) -> Self {
        let wide = || vec![[Sums::default(); 256]; groups.features()];
        Self {
            rows: Rows::default(),
            others: Rows::default(),
            wide: (0..threads).map(|_| wide()).collect(),
            block: (0..threads).map(|_| Vec::with_capacity(BLOCK)).collect(),
            unused: Vec::new(),
        }
    }

    /// The histogram of a range of rows.
    fn histogram(
        &mut self,
        range: Range<usize>,
        groups: &Groups,
        used: &[bool],
        gradients: &[Gradient],
        units: Units,
    ) -> Vec<Sums> {
        let mut histogram = self.unused.pop().unwrap_or_else(|| vec![Sums::default(); groups.bins()]);
        let rows = &self.rows.rows[range];
        let fill = |rows: &[u32], wide: &mut [Wide], block: &mut Vec<Sums>| {
            for rows in rows.chunks(BLOCK) {
                block.clear();
                block.extend(rows.iter().map(|i| units.of(gradients[*i as usize])));
                groups.add(rows, block, used, wide);
            }
        };
        let threads = if rows.len() * (groups.features() + ROW) < PARALLEL_WORK { 1 } else { self.wide.len() };
        let (wide, block) = (&mut self.wide[..threads], &mut self.block[..threads]);
        if threads == 1 {
            fill(rows, &mut wide[0], &mut block[0]);
        } else {
            let parts: Vec<&[u32]> = rows.chunks(rows.len().div_ceil(threads)).collect();
            parts
                .into_par_iter()
                .zip(wide.par_iter_mut())
                .zip(block.par_iter_mut())
                .for_each(|((rows, wide), block)| fill(rows, wide, block));
        }
        for (j, used) in used.iter().enumerate() {
            let narrow = &mut histogram[groups.starts[j]..groups.starts[j + 1]];
            // Groups are filled as a whole: what is not used is thrown away.
            for (t, wide) in wide.iter_mut().enumerate() {
                let filled = &mut wide[j][..narrow.len()];
                match (used, t) {
                    (false, _) => {}
                    (true, 0) => narrow.copy_from_slice(filled),
                    _ => narrow.iter_mut().zip(&*filled).for_each(|(n, w)| *n += *w),
                }
                filled.fill(Sums::default());
            }
        }
        histogram
    }
}

impl Rows {
    fn set(&mut self, rows: impl Iterator<Item = u32>) -> Range<usize> {
        self.rows.clear();
        self.rows.extend(rows);
        self.spare.resize(self.rows.len(), 0);
        0..self.rows.len()
    }

    /// Rows that go left first, both sides in their old order.
    fn partition(
        &mut self,
        range: Range<usize>,
        groups: &Groups,
        split: &Candidate,
        threads: usize,
    ) -> [Range<usize>; 2] {
        let mut goes_left = [false; 256];
        goes_left.iter_mut().enumerate().for_each(|(b, left)| *left = split.bins[b / 64] >> (b % 64) & 1 == 1);
        let codes = groups.column(split.feature);
        let is_left = |row: u32| goes_left[codes[row as usize] as usize];
        let rows = &mut self.rows[range.clone()];
        let spare = &mut self.spare[..rows.len()];
        let part = if threads == 1 || rows.len() < PARALLEL_ROWS { rows.len() } else { rows.len().div_ceil(threads) };
        let part = part.max(1);
        let lefts: Vec<usize> = if part >= rows.len() {
            vec![divide(rows, spare, is_left)]
        } else {
            let parts = rows.par_chunks_mut(part).zip(spare.par_chunks_mut(part));
            parts.map(|(rows, spare)| divide(rows, spare, is_left)).collect()
        };
        // The left rows of each part are moved before the right ones of the parts before it.
        let mut middle = 0;
        for (p, left) in lefts.into_iter().enumerate() {
            rows[middle..p * part + left].rotate_left(p * part - middle);
            middle += left;
        }
        let middle = range.start + middle;
        [range.start..middle, middle..range.end]
    }
}

/// The rows that go left first, both sides in their old order; gives how many they are.
fn divide(rows: &mut [u32], spare: &mut [u32], is_left: impl Fn(u32) -> bool) -> usize {
    let (mut left, mut right) = (0, 0);
    for i in 0..rows.len() {
        let row = rows[i];
        // Written to both sides, kept on one: no jump.
        rows[left] = row;
        spare[right] = row;
        let goes_left = is_left(row);
        left += usize::from(goes_left);
        right += usize::from(!goes_left);
    }
    rows[left..].copy_from_slice(&spare[..right]);
    left
}

impl Grower<'_> {
    /// A tree on the rows that are `chosen`, at least one (`None`: all), by the features that are `used`; the others come
    /// along. `at_node` is asked before each split.
    pub fn grow<'w>(
        &self,
        chosen: Option<&[bool]>,
        gradients: &[Gradient],
        units: Units,
        used: &[bool],
        work: &'w mut Workspace,
        at_node: &dyn Fn() -> Go,
    ) -> Option<Grown<'w>> {
        let groups = self.groups;
        let all = 0..gradients.len() as u32;
        let (rows, others) = match chosen {
            None => (work.rows.set(all), work.others.set(std::iter::empty())),
            Some(chosen) => (
                work.rows.set(all.clone().filter(|i| chosen[*i as usize])),
                work.others.set(all.filter(|i| !chosen[*i as usize])),
            ),
        };
        let mut tree = Tree::new(1);
        let mut leaves = Leaves::default();
        let histogram = work.histogram(rows.clone(), groups, used, gradients, units);
        // Every feature counts each row once.
        let first = used.iter().position(|u| *u).expect("a feature is used");
        let mut total = Sums::default();
        histogram[groups.starts[first]..groups.starts[first + 1]].iter().for_each(|s| total += *s);
        let lambda = self.limits.lambda;
        let root = Part { node: tree.push(), rows, others, depth: 0, total, lambda, bounds: Bounds::NONE };
        let best = self.look(&root, &histogram, units, used, work.wide.len());
        leaves.settle(root, histogram, best, work);
        let mut to_leaves = false;
        while let Some(Leaf { part, histogram, split }) = leaves.open.pop() {
            match at_node() {
                Go::On => {}
                Go::ToLeaves => to_leaves = true,
                Go::Away => return None,
            }
            if to_leaves || leaves.count() + 2 > self.max_leaves {
                leaves.settle(part, histogram, None, work);
                continue;
            }
            let [left, right] = self.divide(&mut tree, part, &split, units, work);
            if leaves.count() + 2 >= self.max_leaves || !(self.may_split(&left) || self.may_split(&right)) {
                work.unused.push(histogram);
                leaves.done.extend([left, right]);
                continue;
            }
            let (small, large) = if left.rows.len() <= right.rows.len() { (left, right) } else { (right, left) };
            let own = work.histogram(small.rows.clone(), groups, used, gradients, units);
            let mut rest = histogram;
            rest.iter_mut().zip(&own).for_each(|(rest, own)| *rest = *rest - *own);
            let threads = work.wide.len();
            let look = |part, histogram| self.look(part, histogram, units, used, threads);
            let (best_small, best_large) = if threads > 1 && groups.bins() >= PARALLEL_BINS {
                rayon::join(|| look(&small, &own), || look(&large, &rest))
            } else {
                (look(&small, &own), look(&large, &rest))
            };
            leaves.settle(small, own, best_small, work);
            leaves.settle(large, rest, best_large, work);
        }
        let mut done = leaves.done;
        done.sort_unstable_by_key(|part| part.node);
        let leaves = done.into_iter().map(|part| {
            let value = self.learning_rate * part.value(units);
            tree.finish_leaf(part.node, [value]);
            Ended { node: part.node, value, rows: [&work.rows.rows[part.rows], &work.others.rows[part.others]] }
        });
        let leaves = leaves.collect();
        Some(Grown { tree, leaves })
    }

    fn divide(&self, tree: &mut Tree, part: Part, split: &Candidate, units: Units, work: &mut Workspace) -> [Part; 2] {
        let cuts = &self.groups.cuts[split.feature];
        let set;
        let rule = match split.up_to {
            Some(bin) => Rule::UpTo(cuts.threshold(bin, cuts.after(bin))),
            None => {
                set = cuts.set(&split.bins);
                Rule::In(&set)
            }
        };
        let (left, right) = tree.divide(part.node, split.feature, rule, split.missing_left, split.gain);
        let threads = work.wide.len();
        let rows = work.rows.partition(part.rows, self.groups, split, threads);
        let others = work.others.partition(part.others, self.groups, split, threads);
        let [left_rows, right_rows] = rows;
        let [left_others, right_others] = others;
        let depth = part.depth + 1;
        let total = part.total - split.left;
        let lambda = self.limits.lambda + split.penalty;
        let bounds = part.bounds;
        let mut left =
            Part { node: left, rows: left_rows, others: left_others, depth, total: split.left, lambda, bounds };
        let mut right = Part { node: right, rows: right_rows, others: right_others, depth, total, lambda, bounds };
        if let Some(direction) = self.directions.get(split.feature) {
            [left.bounds, right.bounds] = bounds.divided(*direction, left.value(units), right.value(units));
        }
        [left, right]
    }

    fn may_split(&self, part: &Part) -> bool {
        part.rows.len() >= 2 * self.limits.min_leaf && self.max_depth.is_none_or(|max| part.depth < max)
    }

    /// The best split of a node.
    fn look(&self, part: &Part, histogram: &[Sums], units: Units, used: &[bool], threads: usize) -> Option<Candidate> {
        if !self.may_split(part) {
            return None;
        }
        let scan = Scan::new(self.groups, (units, self.limits), histogram, part.total, (self.directions, part.bounds));
        let features = self.groups.features();
        if threads <= 2 || self.groups.bins() < PARALLEL_BINS {
            return scan.best(0..features, used);
        }
        let range = |t: usize| t * features / threads..(t + 1) * features / threads;
        let parts: Vec<Option<Candidate>> = (0..threads).into_par_iter().map(|t| scan.best(range(t), used)).collect();
        // In order: the first of equal ones.
        parts.into_iter().flatten().reduce(|a, b| if b.gain > a.gain { b } else { a })
    }
}

#[derive(Default)]
struct Leaves {
    open: BinaryHeap<Leaf>,
    done: Vec<Part>,
}

impl Leaves {
    fn count(&self) -> usize {
        self.open.len() + self.done.len()
    }

    fn settle(&mut self, part: Part, histogram: Vec<Sums>, best: Option<Candidate>, work: &mut Workspace) {
        match best {
            Some(split) => self.open.push(Leaf { part, histogram, split }),
            None => {
                work.unused.push(histogram);
                self.done.push(part);
            }
        }
    }
}
