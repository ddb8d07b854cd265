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
                    let (feature, threshold) = match split.rule {
                        Rule::UpTo(threshold) => (split.feature, threshold),
                        Rule::In(set) => (model.features().len() + sets.place(split.feature, set), 0.5),
                    };
                    a.mode.push("BRANCH_LEQ".to_owned());
                    a.feature.push(feature as i64);
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
    let x = sets.beside(model, x, g);
    let leaves = g.ml("TreeEnsembleRegressor", &[&x], attributes);
    let leaves = g.cast(&leaves, Element::Int);
    let before = g.ints(&first_leaves, &[1, trees]);
    g.op("Add", &[&leaves, &before])
}

/// The sets of categories that splits go by, each once. The operator knows thresholds only: of each set there is a feature
/// more, 0 for the categories in it, 1 for all others, NaN for a missing value.
#[derive(Default)]
struct Sets<'a>(Vec<(usize, &'a [u64])>);

impl<'a> Sets<'a> {
    /// Where the feature of a set stands among those.
    fn place(&mut self, feature: usize, set: &'a [u64]) -> usize {
        self.0.iter().position(|known| *known == (feature, set)).unwrap_or_else(|| {
            self.0.push((feature, set));
            self.0.len() - 1
        })
    }

    fn beside(&self, model: &Ensemble, x: &Tensor, g: &mut Graph) -> Tensor {
        let mut parts = vec![x.clone()];
        for (feature, set) in &self.0 {
            let levels = model.levels().get(*feature).and_then(|l| l.as_ref()).map_or(0, |l| l.len()).max(1);
            let outside = |c: usize| set.get(c / 64).is_none_or(|word| word >> (c % 64) & 1 == 0);
            let table: Vec<f64> = (0..levels).map(|c| f64::from(u8::from(outside(c)))).collect();
            let (table, zero, nan) = (g.floats(&table, &[levels as i64]), g.float(0.0), g.float(f64::NAN));
            let code = g.column(x, *feature);
            let missing = g.op("IsNaN", &[&code]);
            let code = g.select(&missing, &zero, &code);
            let code = g.cast(&code, Element::Int);
            let side = g.pick(&table, &code);
            let side = g.select(&missing, &nan, &side);
            parts.push(g.as_column(&side));
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
