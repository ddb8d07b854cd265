use super::node::{Node, Tree};
use crate::pool::blocks;
use crate::store::{LoadError, Stored};
use crate::{Matrix, Model, Pool, Scores, Tensor, Tensors};

/// Rows that walk down a tree together.
const LANES: usize = 8;

/// Trees whose leaves are averaged: class shares, or means.
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    features: Vec<String>,
    classes: usize,
    trees: Vec<Tree>,
}

impl Forest {
    pub(crate) const KIND: &'static str = "forest";

    /// `trees`: at least one; leaves of `classes` shares, or of one number when that is 0.
    pub(super) fn new(features: &[String], classes: usize, trees: Vec<Tree>) -> Self {
        Self { features: features.to_vec(), classes, trees }
    }

    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    fn width(&self) -> usize {
        self.classes.max(1)
    }

    pub(crate) fn restore(stored: Stored<'_>) -> Result<Self, LoadError> {
        let trees = restore(&stored, stored.features.len(), stored.classes.max(1))?;
        Ok(Self { features: stored.features, classes: stored.classes, trees })
    }

    /// The columns of scores for a range of rows. Every row adds up its leaves in the order of the trees.
    fn block(&self, x: &Matrix, range: std::ops::Range<usize>) -> Vec<Vec<f64>> {
        let (p, width, n) = (x.width(), self.width(), range.len());
        let mut rows = vec![0.0; n * p];
        for j in 0..p {
            for (i, v) in x.column(j)[range.clone()].iter().enumerate() {
                rows[i * p + j] = *v;
            }
        }
        let mut totals = vec![0.0; n * width];
        let add = |total: &mut [f64], leaf: &[f64]| total.iter_mut().zip(leaf).for_each(|(t, v)| *t += v);
        for tree in &self.trees {
            let mut some = totals.chunks_exact_mut(width * LANES);
            let mut rows = rows.chunks_exact(p * LANES);
            for (totals, rows) in some.by_ref().zip(rows.by_ref()) {
                let leaves = tree.leaves::<LANES>(std::array::from_fn(|l| &rows[l * p..(l + 1) * p]));
                totals.chunks_exact_mut(width).zip(leaves).for_each(|(total, leaf)| add(total, leaf));
            }
            for (total, row) in some.into_remainder().chunks_exact_mut(width).zip(rows.remainder().chunks_exact(p)) {
                add(total, tree.leaf(row));
            }
        }
        let count = self.trees.len() as f64;
        (0..width).map(|c| totals[c..].iter().step_by(width).map(|t| t / count).collect()).collect()
    }
}

impl Model for Forest {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn features(&self) -> &[String] {
        &self.features
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn scores(&self, x: &Matrix, pool: &Pool) -> Scores {
        let ranges = blocks(x.rows(), 256);
        let parts = pool.run(ranges.len(), |b| self.block(x, ranges[b].clone()));
        Scores::concat(parts, self.width(), x.rows())
    }

    fn tensors(&self) -> Tensors {
        tensors(&self.trees.iter().collect::<Vec<_>>(), self.width())
    }
}

/// Trees whose leaves have `width` numbers.
pub(super) fn tensors(trees: &[&Tree], width: usize) -> Tensors {
    let sizes: Vec<u32> = trees.iter().map(|t| t.nodes.len() as u32).collect();
    let leaves: Vec<u32> = trees.iter().map(|t| (t.values.len() / width) as u32).collect();
    let nodes = || trees.iter().flat_map(|t| &t.nodes);
    let floats =
        |of: fn(&Tree) -> &Vec<f64>| -> Vec<f64> { trees.iter().flat_map(|t| of(t).iter().copied()).collect() };
    let vector = |values: Vec<f64>| Tensor::f64(vec![values.len()], &values);
    let values = floats(|t| &t.values);
    vec![
        ("tree_nodes", Tensor::u32(&sizes)),
        ("tree_leaves", Tensor::u32(&leaves)),
        ("feature", Tensor::u32(&nodes().map(|n| n.feature).collect::<Vec<_>>())),
        ("children", Tensor::u32(&nodes().map(|n| n.children).collect::<Vec<_>>())),
        ("threshold", vector(nodes().map(|n| n.threshold).collect())),
        ("missing_left", Tensor::u8(trees.iter().flat_map(|t| t.missing_left.iter().map(|b| u8::from(*b))).collect())),
        ("gain", vector(floats(|t| &t.gain))),
        ("cover", vector(floats(|t| &t.cover))),
        ("values", Tensor::f64(vec![values.len() / width, width], &values)),
    ]
}

/// The trees of [`tensors`], at least one, over rows of `features` features.
pub(super) fn restore(stored: &Stored<'_>, features: usize, width: usize) -> Result<Vec<Tree>, LoadError> {
    let unfit = || LoadError("the tensors of the forest do not fit together".to_owned());
    let sizes = stored.u32("tree_nodes")?;
    let leaves = stored.u32("tree_leaves")?;
    let mut feature = stored.u32("feature")?.into_iter();
    let mut children = stored.u32("children")?.into_iter();
    let mut missing_left = stored.u8("missing_left")?.into_iter();
    let mut threshold = stored.f64("threshold")?.0.into_iter();
    let mut gain = stored.f64("gain")?.0.into_iter();
    let mut cover = stored.f64("cover")?.0.into_iter();
    let mut values = stored.f64("values")?.0.into_iter();
    if sizes.is_empty() || sizes.len() != leaves.len() {
        return Err(unfit());
    }
    let mut trees = Vec::with_capacity(sizes.len());
    for (size, leaves) in sizes.iter().zip(&leaves) {
        let size = *size as usize;
        let nodes: Vec<Node> = feature
            .by_ref()
            .zip(children.by_ref())
            .zip(threshold.by_ref())
            .take(size)
            .map(|((feature, children), threshold)| Node { threshold, feature, children })
            .collect();
        let tree = Tree {
            nodes,
            missing_left: missing_left.by_ref().take(size).map(|b| b != 0).collect(),
            gain: gain.by_ref().take(size).collect(),
            cover: cover.by_ref().take(size).collect(),
            values: values.by_ref().take(*leaves as usize * width).collect(),
            width,
        };
        if tree.nodes.len() != size || !tree.is_sound(features) {
            return Err(unfit());
        }
        trees.push(tree);
    }
    let more = feature.next().is_some() || threshold.next().is_some() || values.next().is_some();
    if more {
        return Err(unfit());
    }
    Ok(trees)
}
