use std::collections::{BTreeMap, HashMap};

use dbjob_learn::Model;
use dbjob_learn::tree::{Ensemble, Link, Output, Rule};

use super::{of_two, softmax, spread};
use crate::graph::{Attribute, Element, Graph, Tensor};

/// Every tree tells the number of its leaf, and the values of leaves are picked by it: so they stay doubles, where the
/// operator for trees gives floats of 32 bits, and classes need no rules of their own.
pub(super) fn scores(model: &Ensemble, x: &Tensor, g: &mut Graph) -> Tensor {
    let trees = model.trees();
    let (leaves, values, width) = (leaves(model, x, g), leaf_values(model), model.classes().max(1));
    match model.output() {
        Output::Mean => {
            let table = g.floats(&values, &[(values.len() / width) as i64, width as i64]);
            let picked = g.op("Gather", &[&table, &leaves]);
            let sum = g.sum(&picked, 1);
            let count = g.float(trees.len() as f64);
            g.op("Div", &[&sum, &count])
        }
        Output::Sum { link, base, present } => {
            let table = g.floats(&values, &[values.len() as i64]);
            let picked = g.op("Gather", &[&table, &leaves]);
            let start = g.floats(base, &[1, base.len() as i64]);
            // Tree t adds to sum t % sums.
            let shape = g.ints(&[0, -1, base.len() as i64], &[3]);
            let rounds = g.op("Reshape", &[&picked, &shape]);
            let sums = g.sum(&rounds, 1);
            let sums = g.op("Add", &[&sums, &start]);
            let probabilities = match link {
                Link::Identity => return sums,
                Link::Log => return g.op("Exp", &[&sums]),
                Link::Logistic => {
                    let second = g.op("Sigmoid", &[&sums]);
                    of_two(&second, g)
                }
                Link::Softmax => softmax(&sums, g),
            };
            spread(probabilities, present, model.classes(), g)
        }
    }
}

/// The values of all leaves, tree by tree, in the order of [`leaves`].
fn leaf_values(model: &Ensemble) -> Vec<f64> {
    let trees = model.trees().iter();
    let each = trees.flat_map(|tree| (0..tree.len()).filter(|n| tree.split(*n).is_none()).flat_map(|n| tree.values(n)));
    each.copied().collect()
}

/// (rows, trees): the number of the leaf that a row falls into, counted over all trees.
fn leaves(model: &Ensemble, x: &Tensor, g: &mut Graph) -> Tensor {
    let mut a = Nodes::default();
    let mut sets = Sets::default();
    let mut first_leaves = Vec::new();
    let mut passed = 0;
    for (t, tree) in model.trees().iter().enumerate() {
        first_leaves.push(passed);
        let mut leaf = 0;
        for n in 0..tree.len() {
            a.tree.push(t as i64);
            a.node.push(n as i64);
            match tree.split(n) {
                Some(split) => {
                    let threshold = match split.rule {
                        Rule::UpTo(threshold) => threshold,
                        Rule::In(set) => {
                            sets.name(a.feature.len(), split.feature, set);
                            0.5
                        }
                    };
                    a.mode.push("BRANCH_LEQ".to_owned());
                    a.feature.push(split.feature as i64);
                    a.threshold.push(threshold);
                    a.missing.push(i64::from(split.missing_left));
                    a.yes.push(split.left as i64);
                    a.no.push(split.right as i64);
                }
                None => {
                    a.mode.push("LEAF".to_owned());
                    a.feature.push(0);
                    a.threshold.push(0.0);
                    a.missing.push(0);
                    a.yes.push(0);
                    a.no.push(0);
                    a.target_tree.push(t as i64);
                    a.target_node.push(n as i64);
                    // Exact in 32 bits up to 16 million leaves of a tree.
                    a.weight.push(f64::from(leaf));
                    leaf += 1;
                }
            }
        }
        passed += i64::from(leaf);
    }
    let x = sets.beside(model, x, &mut a.feature, g);
    let trees = model.trees().len() as i64;
    let attributes = vec![
        ("aggregate_function", Attribute::Text("SUM")),
        ("n_targets", Attribute::Int(trees)),
        ("nodes_falsenodeids", Attribute::Ints(a.no)),
        ("nodes_featureids", Attribute::Ints(a.feature)),
        ("nodes_missing_value_tracks_true", Attribute::Ints(a.missing)),
        ("nodes_modes", Attribute::Texts(a.mode)),
        ("nodes_nodeids", Attribute::Ints(a.node)),
        ("nodes_treeids", Attribute::Ints(a.tree)),
        ("nodes_truenodeids", Attribute::Ints(a.yes)),
        ("nodes_values_as_tensor", Attribute::Floats(a.threshold)),
        ("post_transform", Attribute::Text("NONE")),
        ("target_ids", Attribute::Ints(a.target_tree.clone())),
        ("target_nodeids", Attribute::Ints(a.target_node)),
        ("target_treeids", Attribute::Ints(a.target_tree)),
        ("target_weights_as_tensor", Attribute::Floats(a.weight)),
    ];
    let leaves = g.ml("TreeEnsembleRegressor", &[&x], attributes);
    let leaves = g.cast(&leaves, Element::Int);
    let before = g.ints(&first_leaves, &[1, trees]);
    g.op("Add", &[&leaves, &before])
}

/// The sets of categories that splits go by, each once. The operator knows thresholds only: of each set there is a feature
/// more, 0 for the categories in it, 1 for all others, NaN for a missing value.
#[derive(Default)]
struct Sets<'a> {
    of_feature: BTreeMap<usize, OfFeature<'a>>,
    /// Where nodes name a set: the place of the node, the feature, the number of the set there.
    named: Vec<(usize, usize, usize)>,
}

#[derive(Default)]
struct OfFeature<'a> {
    sets: Vec<&'a [u64]>,
    numbers: HashMap<&'a [u64], usize>,
}

impl<'a> Sets<'a> {
    /// The node at this place goes by a set.
    fn name(&mut self, place: usize, feature: usize, set: &'a [u64]) {
        let of = self.of_feature.entry(feature).or_default();
        let number = *of.numbers.entry(set).or_insert_with(|| {
            of.sets.push(set);
            of.sets.len() - 1
        });
        self.named.push((place, feature, number));
    }

    /// The features with those of the sets behind them; tells the nodes where those stand.
    fn beside(self, model: &Ensemble, x: &Tensor, nodes: &mut [i64], g: &mut Graph) -> Tensor {
        let mut parts = vec![x.clone()];
        let (mut starts, mut start) = (BTreeMap::new(), model.features().len());
        for (feature, OfFeature { sets, .. }) in &self.of_feature {
            starts.insert(*feature, start);
            start += sets.len();
            let levels = model.levels().get(*feature).and_then(|l| l.as_ref()).map_or(0, |l| l.len()).max(1);
            let outside = |c: usize, set: &[u64]| set.get(c / 64).is_none_or(|word| word >> (c % 64) & 1 == 0);
            let of_level = |c: usize| sets.iter().map(move |set| f64::from(u8::from(outside(c, set))));
            let table: Vec<f64> = (0..levels).flat_map(of_level).collect();
            let table = g.floats(&table, &[levels as i64, sets.len() as i64]);
            let (zero, nan, code) = (g.float(0.0), g.float(f64::NAN), g.column(x, *feature));
            let missing = g.op("IsNaN", &[&code]);
            let code = g.select(&missing, &zero, &code);
            let code = g.cast(&code, Element::Int);
            let sides = g.pick(&table, &code);
            let missing = g.as_column(&missing);
            parts.push(g.select(&missing, &nan, &sides));
        }
        for (place, feature, number) in self.named {
            nodes[place] = (starts[&feature] + number) as i64;
        }
        g.beside(&parts)
    }
}

/// What the operator wants to know of all nodes of all trees.
#[derive(Default)]
struct Nodes {
    tree: Vec<i64>,
    node: Vec<i64>,
    mode: Vec<String>,
    feature: Vec<i64>,
    threshold: Vec<f64>,
    missing: Vec<i64>,
    yes: Vec<i64>,
    no: Vec<i64>,
    target_tree: Vec<i64>,
    target_node: Vec<i64>,
    weight: Vec<f64>,
}
