use super::node::Tree;
use crate::store::{LoadError, Stored};
use crate::{Tensor, Tensors};

/// Trees whose leaves have `width` numbers.
pub(super) fn tensors<'a>(trees: impl Iterator<Item = &'a Tree> + Clone, width: usize) -> Tensors {
    let counts = |of: fn(&Tree) -> usize| Tensor::u32(&trees.clone().map(|t| of(t) as u32).collect::<Vec<_>>());
    let floats = |of: fn(&Tree) -> &Vec<f64>| -> Tensor {
        let values: Vec<f64> = trees.clone().flat_map(|t| of(t).iter().copied()).collect();
        Tensor::f64(vec![values.len()], &values)
    };
    let nodes = || trees.clone().flat_map(Tree::raw);
    let thresholds: Vec<f64> = nodes().map(|n| n.0).collect();
    let values: Vec<f64> = trees.clone().flat_map(|t| t.values.iter().copied()).collect();
    vec![
        ("tree_nodes", counts(|t| t.nodes.len())),
        ("tree_leaves", counts(|t| t.values.len() / t.width)),
        ("tree_sets", counts(|t| t.sets.len())),
        ("rule", Tensor::u32(&nodes().map(|n| n.1).collect::<Vec<_>>())),
        ("children", Tensor::u32(&nodes().map(|n| n.2).collect::<Vec<_>>())),
        ("threshold", Tensor::f64(vec![thresholds.len()], &thresholds)),
        ("gain", floats(|t| &t.gain)),
        ("cover", floats(|t| &t.cover)),
        ("values", Tensor::f64(vec![values.len() / width, width], &values)),
        // 64-bit words, the lower half first.
        (
            "sets",
            Tensor::u32(&trees.flat_map(|t| &t.sets).flat_map(|w| [*w as u32, (w >> 32) as u32]).collect::<Vec<_>>()),
        ),
    ]
}

/// The trees of [`tensors`], at least one, over rows of `features` features.
pub(super) fn restore(stored: &Stored<'_>, features: usize, width: usize) -> Result<Vec<Tree>, LoadError> {
    let unfit = || LoadError("the tensors of the trees do not fit together".to_owned());
    let sizes = stored.u32("tree_nodes")?;
    let (leaves, words) = (stored.u32("tree_leaves")?, stored.u32("tree_sets")?);
    let mut rule = stored.u32("rule")?.into_iter();
    let mut children = stored.u32("children")?.into_iter();
    let mut threshold = stored.f64("threshold")?.0.into_iter();
    let mut gain = stored.f64("gain")?.0.into_iter();
    let mut cover = stored.f64("cover")?.0.into_iter();
    let mut values = stored.f64("values")?.0.into_iter();
    let halves = stored.u32("sets")?;
    let (pairs, odd) = halves.as_chunks::<2>();
    let mut sets = pairs.iter().map(|[low, high]| u64::from(*low) | u64::from(*high) << 32);
    if sizes.is_empty() || sizes.len() != leaves.len() || sizes.len() != words.len() || !odd.is_empty() {
        return Err(unfit());
    }
    let mut trees = Vec::with_capacity(sizes.len());
    for ((size, leaves), words) in sizes.iter().zip(&leaves).zip(&words) {
        let size = *size as usize;
        let nodes = threshold.by_ref().zip(rule.by_ref()).zip(children.by_ref()).take(size);
        let mut tree = Tree::from_raw(nodes.map(|((t, r), c)| (t, r, c)), width);
        tree.gain = gain.by_ref().take(size).collect();
        tree.cover = cover.by_ref().take(size).collect();
        tree.values = values.by_ref().take(*leaves as usize * width).collect();
        tree.sets = sets.by_ref().take(*words as usize).collect();
        if tree.nodes.len() != size || tree.sets.len() != *words as usize || !tree.is_sound(features) {
            return Err(unfit());
        }
        trees.push(tree);
    }
    let more = rule.next().is_some() || threshold.next().is_some() || values.next().is_some() || sets.next().is_some();
    if more {
        return Err(unfit());
    }
    Ok(trees)
}
