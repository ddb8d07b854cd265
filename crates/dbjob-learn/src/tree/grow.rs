use super::bins::Binned;
use super::criterion::Criterion;
use super::exact::{Exact, FEW};
use super::histogram::{Choice, Cut, Histogram, NodeRows};
use super::node::{Rule, Tree};
use crate::rng::Rng;

/// When nodes are split and what they may look at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Splits on the longest way down; `None`: until leaves are pure.
    pub max_depth: Option<usize>,
    /// Features that are looked at; more when none of them gives a split.
    pub max_features: usize,
    pub min_samples_leaf: usize,
    pub min_samples_split: usize,
    /// Whether of each feature one cut is drawn instead of the best one looked for.
    pub random_cuts: bool,
}

/// What all trees of a forest share.
pub(super) struct Grower<'a, C: Criterion> {
    pub criterion: &'a C,
    pub binned: &'a Binned,
    /// One a row.
    pub labels: &'a [C::Label],
    pub limits: Limits,
    /// The numbers that a leaf holds.
    pub leaf_width: usize,
}

impl<C: Criterion> Grower<'_, C> {
    /// Grows one tree on the rows with weight above 0. `at_node` is asked before each node is split.
    ///
    /// A split is taken even if it gains nothing, as scikit-learn does: the gain may come further down (exclusive or).
    pub fn grow(&self, weights: &[f64], rng: &mut Rng, at_node: &dyn Fn() -> Go) -> Option<Tree> {
        let Self { criterion, binned, labels, limits, .. } = *self;
        let mut rows: Vec<u32> = (0..labels.len() as u32).filter(|i| weights[*i as usize] > 0.0).collect();
        let mut scratch = Vec::with_capacity(rows.len());
        let mut node_labels = Vec::with_capacity(rows.len());
        let mut node_weights = Vec::with_capacity(rows.len());
        let mut sums = vec![0.0; criterion.width()];
        let mut scans = (Histogram::new(criterion.width()), Exact::default());
        let mut features: Vec<usize> = (0..binned.features()).collect();
        let mut tree = Tree::new(self.leaf_width);
        let mut open = vec![Open { node: tree.push(), start: 0, end: rows.len(), depth: 0 }];
        let mut since_asked = 0;
        let mut leaves_only = false;
        while let Some(Open { node, start, end, depth }) = open.pop() {
            // The work of a node goes with its rows.
            since_asked += end - start + 16;
            if since_asked > ASK_AFTER {
                since_asked = 0;
                match at_node() {
                    Go::On => {}
                    Go::ToLeaves => leaves_only = true,
                    Go::Away => return None,
                }
            }
            let here = &rows[start..end];
            node_labels.clear();
            node_labels.extend(here.iter().map(|i| labels[*i as usize]));
            node_weights.clear();
            node_weights.extend(here.iter().map(|i| weights[*i as usize]));
            sums.fill(0.0);
            for (label, weight) in node_labels.iter().zip(&node_weights) {
                criterion.add(&mut sums, 0, *label, *weight);
            }
            tree.cover[node] = criterion.weight(&sums);
            let may_split = !leaves_only
                && here.len() >= limits.min_samples_split
                && here.len() >= 2 * limits.min_samples_leaf
                && limits.max_depth.is_none_or(|d| depth < d)
                && node_labels.iter().any(|l| *l != node_labels[0]);
            let score = criterion.score(&sums);
            let gathered = NodeRows { rows: here, labels: &node_labels, weights: &node_weights, sums: &sums, score };
            let found = may_split
                .then(|| best_split(criterion, binned, &gathered, limits, &mut features, rng, &mut scans))
                .flatten();
            let Some((feature, cut)) = found else {
                tree.finish_leaf(node, criterion.leaf(&sums));
                continue;
            };
            let set;
            let fine = binned.fine[feature].as_ref().zip(cut.between);
            let rule = match (cut.up_to, &fine) {
                (_, Some((fine, between))) => Rule::UpTo(fine.threshold(*between)),
                (Some((left, right)), None) => Rule::UpTo(binned.cuts[feature].threshold(left, right)),
                (None, None) => {
                    set = binned.cuts[feature].set(&cut.bins);
                    Rule::In(&set)
                }
            };
            // Rounding may give a gain just below 0 for a split that gains nothing.
            let (left, right) = tree.divide(node, feature, rule, cut.missing_left, cut.gain.max(0.0));
            let middle = start
                + match fine {
                    Some((fine, (last, _))) => {
                        partition(&mut rows[start..end], &mut scratch, |row| fine.code(row) <= last)
                    }
                    None => {
                        let codes = &binned.codes[feature];
                        let goes_left = |row: u32| cut.goes_left(codes[row as usize] as usize);
                        partition(&mut rows[start..end], &mut scratch, goes_left)
                    }
                };
            // The left child is popped first: nodes are grown in depth-first order.
            open.push(Open { node: right, start: middle, end, depth: depth + 1 });
            open.push(Open { node: left, start, end: middle, depth: depth + 1 });
        }
        Some(tree)
    }
}

/// Rows looked at between two questions whether to go on: well under a millisecond.
const ASK_AFTER: usize = 4096;

/// How a tree goes on.
pub(super) enum Go {
    On,
    /// No node is split any more.
    ToLeaves,
    /// Nobody wants the tree.
    Away,
}

struct Open {
    node: usize,
    start: usize,
    end: usize,
    depth: usize,
}

/// Features are drawn without replacement. Those with one value in this node count as well, as in scikit-learn: deep down
/// few features are left to choose from, and trees that differ are worth more than the best of all splits there. When the
/// allowed number gave no split, drawing goes on until one does.
fn best_split<C: Criterion>(
    criterion: &C,
    binned: &Binned,
    node: &NodeRows<'_, C::Label>,
    limits: Limits,
    features: &mut [usize],
    rng: &mut Rng,
    (histogram, exact): &mut (Histogram, Exact),
) -> Option<(usize, Cut)> {
    let mut best: Option<(usize, Cut)> = None;
    for drawn in 0..features.len() {
        if drawn >= limits.max_features && best.is_some() {
            break;
        }
        let at = drawn + rng.below(features.len() - drawn);
        features.swap(drawn, at);
        let feature = features[drawn];
        if binned.bins(feature) < 2 {
            continue;
        }
        let bins = (&binned.cuts[feature], &binned.codes[feature][..]);
        let min_leaf = limits.min_samples_leaf;
        let found = match &binned.fine[feature] {
            _ if limits.random_cuts => histogram.look(criterion, bins, node, min_leaf, Choice::Random(rng)),
            Some(fine) if node.rows.len() <= FEW => exact.look(criterion, fine, node, min_leaf),
            _ => histogram.look(criterion, bins, node, min_leaf, Choice::Best),
        };
        let Some(cut) = found else { continue };
        if best.is_none_or(|(_, b)| cut.gain > b.gain) {
            best = Some((feature, cut));
        }
    }
    best
}

/// Rows that go left first, both sides in their old order; gives how many they are.
fn partition(rows: &mut [u32], scratch: &mut Vec<u32>, goes_left: impl Fn(u32) -> bool) -> usize {
    scratch.resize(rows.len(), 0);
    let (mut left, mut right) = (0, 0);
    for i in 0..rows.len() {
        let row = rows[i];
        // Written to both sides, kept on one: no jump.
        rows[left] = row;
        scratch[right] = row;
        let is_left = goes_left(row);
        left += usize::from(is_left);
        right += usize::from(!is_left);
    }
    rows[left..].copy_from_slice(&scratch[..right]);
    left
}
