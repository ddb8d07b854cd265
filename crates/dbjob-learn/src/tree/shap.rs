use super::ensemble::{Ensemble, Link, Output};
use super::node::{Rule, Tree};
use crate::pool::blocks;
use crate::{Contribution, Contributions, Matrix, Pool, Scale};

/// A step of the way from the root: the share of all train rows, and of this row (0 or 1), that go on when the feature is
/// not known, and how often sets of so many known features come by.
#[derive(Debug, Clone, Copy, Default)]
struct Step {
    feature: usize,
    zero: f64,
    one: f64,
    weight: f64,
}

/// The Shapley values of one row for one tree, added to `out` (features x outputs).
/// Source: S. Lundberg et al., "Consistent Individualized Feature Attribution for Tree Ensembles" (2018), algorithm 2.
struct Walk<'a> {
    tree: &'a Tree,
    row: &'a [f64],
    outputs: usize,
    /// Of the leaves' values, the output that each belongs to: `first + i`.
    first: usize,
}

const NO_FEATURE: usize = usize::MAX;

impl Walk<'_> {
    fn go(&self, node: usize, path: &[Step], step: Step, out: &mut [f64]) {
        let mut path = path.to_vec();
        extend(&mut path, step);
        let Some(split) = self.tree.split(node) else {
            let values = self.tree.values(node);
            for i in 1..path.len() {
                let by = unwound(&path, i) * (path[i].one - path[i].zero);
                let start = path[i].feature * self.outputs + self.first;
                out[start..start + values.len()].iter_mut().zip(values).for_each(|(o, v)| *o += by * v);
            }
            return;
        };
        let (hot, cold) = if goes_left(&split.rule, split.missing_left, self.row[split.feature]) {
            (split.left, split.right)
        } else {
            (split.right, split.left)
        };
        let (mut zero, mut one) = (1.0, 1.0);
        if let Some(k) = path.iter().position(|s| s.feature == split.feature) {
            (zero, one) = (path[k].zero, path[k].one);
            unwind(&mut path, k);
        }
        let share = |child: usize| {
            let all = self.tree.cover(node);
            if all > 0.0 { self.tree.cover(child) / all } else { 0.5 }
        };
        let step = |child, one| Step { feature: split.feature, zero: zero * share(child), one, weight: 0.0 };
        self.go(hot, &path, step(hot, one), out);
        self.go(cold, &path, step(cold, 0.0), out);
    }
}

fn goes_left(rule: &Rule<'_>, missing_left: bool, value: f64) -> bool {
    match rule {
        _ if value.is_nan() => missing_left,
        Rule::UpTo(threshold) => value <= *threshold,
        Rule::In(set) => set.get(value as usize / 64).is_some_and(|word| word >> (value as usize % 64) & 1 == 1),
    }
}

fn extend(path: &mut Vec<Step>, step: Step) {
    let depth = path.len();
    path.push(Step { weight: if depth == 0 { 1.0 } else { 0.0 }, ..step });
    let length = (depth + 1) as f64;
    for i in (0..depth).rev() {
        path[i + 1].weight += step.one * path[i].weight * (i + 1) as f64 / length;
        path[i].weight = step.zero * path[i].weight * (depth - i) as f64 / length;
    }
}

/// Takes step `k` back.
fn unwind(path: &mut Vec<Step>, k: usize) {
    let depth = path.len() - 1;
    let Step { zero, one, .. } = path[k];
    let length = (depth + 1) as f64;
    let mut next = path[depth].weight;
    for i in (0..depth).rev() {
        if one != 0.0 {
            let weight = path[i].weight;
            path[i].weight = next * length / ((i + 1) as f64 * one);
            next = weight - path[i].weight * zero * (depth - i) as f64 / length;
        } else {
            path[i].weight = path[i].weight * length / (zero * (depth - i) as f64);
        }
    }
    for i in k..depth {
        let Step { feature, zero, one, .. } = path[i + 1];
        path[i] = Step { feature, zero, one, weight: path[i].weight };
    }
    path.pop();
}

/// The sum of the weights without step `k`.
fn unwound(path: &[Step], k: usize) -> f64 {
    let depth = path.len() - 1;
    let Step { zero, one, .. } = path[k];
    let length = (depth + 1) as f64;
    let mut next = path[depth].weight;
    let mut total = 0.0;
    for i in (0..depth).rev() {
        if one != 0.0 {
            let weight = next * length / ((i + 1) as f64 * one);
            total += weight;
            next = path[i].weight - weight * zero * (depth - i) as f64 / length;
        } else {
            total += path[i].weight * length / (zero * (depth - i) as f64);
        }
    }
    total
}

/// The mean of the leaves over the train rows.
fn expected(tree: &Tree) -> Vec<f64> {
    let mut total = vec![0.0; tree.width];
    for node in (0..tree.len()).filter(|n| tree.split(*n).is_none()) {
        let share = tree.cover(node) / tree.cover(0);
        total.iter_mut().zip(tree.values(node)).for_each(|(t, v)| *t += share * v);
    }
    total
}

impl Ensemble {
    /// See [`crate::Model::contributions`].
    pub(super) fn shapley(&self, x: &Matrix, pool: &Pool) -> Contributions {
        let trees = self.trees();
        let (mut base, outputs, share) = match self.output() {
            Output::Mean => {
                let width = trees[0].width;
                (vec![0.0; width], width, 1.0 / trees.len() as f64)
            }
            Output::Sum { base, .. } => (base.clone(), base.len(), 1.0),
        };
        let scale = match self.output() {
            Output::Mean if self.class_count() > 0 => Scale::Probability,
            Output::Mean | Output::Sum { link: Link::Identity, .. } => Scale::Number,
            Output::Sum { link: Link::Log, .. } => Scale::Log,
            Output::Sum { link: Link::Logistic, .. } => Scale::LogOdds,
            Output::Sum { link: Link::Softmax, .. } => Scale::Softmax,
        };
        let first = |t: usize| if matches!(self.output(), Output::Mean) { 0 } else { t % outputs };
        for (t, tree) in trees.iter().enumerate() {
            let expected = expected(tree);
            base[first(t)..].iter_mut().zip(expected).for_each(|(b, e)| *b += e * share);
        }
        let features = x.width();
        let ranges = blocks(x.rows(), 32);
        let parts = pool.run(ranges.len(), |b| {
            let mut out = vec![0.0; ranges[b].len() * features * outputs];
            for (row, out) in ranges[b].clone().zip(out.chunks_exact_mut(features * outputs)) {
                let row: Vec<f64> = (0..features).map(|j| x.column(j)[row]).collect();
                for (t, tree) in trees.iter().enumerate() {
                    let root = Step { feature: NO_FEATURE, zero: 1.0, one: 1.0, weight: 0.0 };
                    Walk { tree, row: &row, outputs, first: first(t) }.go(0, &[], root, out);
                }
                out.iter_mut().for_each(|v| *v *= share);
            }
            out
        });
        let all = parts.concat();
        let of = |o: usize, j: usize| all[j * outputs + o..].iter().step_by(features * outputs).copied().collect();
        let output = |o: usize, class| Contribution {
            class,
            base: base[o],
            features: (0..features).map(|j| of(o, j)).collect(),
        };
        let all_classes = 0..self.class_count() as u32;
        let outputs = match self.output() {
            Output::Mean if self.class_count() > 0 => {
                all_classes.map(|class| output(class as usize, Some(class))).collect()
            }
            Output::Sum { link: Link::Softmax, present, .. } => all_classes
                .map(|class| match present.binary_search(&class) {
                    Ok(o) => output(o, Some(class)),
                    Err(_) => Contribution::impossible(class, x.rows(), features),
                })
                .collect(),
            Output::Sum { present, .. } => vec![output(0, present.last().copied())],
            Output::Mean => vec![output(0, None)],
        };
        Contributions { scale, outputs }
    }

    /// See [`crate::Model::importance`]. Without any split all features have 0.
    pub(super) fn gains(&self, features: usize) -> Vec<f64> {
        let mut gains = vec![0.0; features];
        for tree in self.trees() {
            for (node, split) in (0..tree.len()).filter_map(|n| Some((n, tree.split(n)?))) {
                gains[split.feature] += tree.gain(node);
            }
        }
        let total: f64 = gains.iter().sum();
        if total > 0.0 {
            gains.iter_mut().for_each(|g| *g /= total);
        }
        gains
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three_features() -> Tree {
        let mut tree = Tree::new(1);
        let root = tree.push();
        let (a, b) = tree.divide(root, 0, Rule::UpTo(0.5), true, 1.0);
        let (c, d) = tree.divide(a, 1, Rule::In(&[0b101]), false, 1.0);
        let (e, f) = tree.divide(b, 2, Rule::UpTo(1.5), true, 1.0);
        let (g, h) = tree.divide(f, 0, Rule::UpTo(2.5), true, 1.0);
        for (node, value, cover) in [(c, 1.0, 10.0), (d, -2.0, 5.0), (e, 4.0, 3.0), (g, 0.5, 7.0), (h, 9.0, 2.0)] {
            tree.finish_leaf(node, [value]);
            tree.cover[node] = cover;
        }
        tree.sum_covers();
        tree
    }

    /// What the tree says where only the features of `known` are: a split by another one is averaged by cover.
    fn partial(tree: &Tree, node: usize, row: &[f64], known: u32) -> f64 {
        let Some(split) = tree.split(node) else { return tree.values(node)[0] };
        if known >> split.feature & 1 == 1 {
            let left = goes_left(&split.rule, split.missing_left, row[split.feature]);
            return partial(tree, if left { split.left } else { split.right }, row, known);
        }
        let side = |child: usize| tree.cover(child) / tree.cover(node) * partial(tree, child, row, known);
        side(split.left) + side(split.right)
    }

    /// Against the definition: the mean over all orders of the features of what each adds.
    #[test]
    fn shapley_values_are_those_of_their_definition() {
        let tree = three_features();
        let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        for row in [[0.0, 0.0, 0.0], [3.0, 1.0, 2.0], [1.0, f64::NAN, f64::NAN], [f64::NAN, 7.0, 3.0], [2.6, 2.0, 1.5]]
        {
            let mut wanted = [0.0; 3];
            for order in orders {
                let mut known = 0;
                for j in order {
                    let before = partial(&tree, 0, &row, known);
                    known |= 1 << j;
                    wanted[j] += (partial(&tree, 0, &row, known) - before) / 6.0;
                }
            }
            let mut found = [0.0; 3];
            let root = Step { feature: NO_FEATURE, zero: 1.0, one: 1.0, weight: 0.0 };
            Walk { tree: &tree, row: &row, outputs: 1, first: 0 }.go(0, &[], root, &mut found);
            for (f, w) in found.iter().zip(wanted) {
                assert!((f - w).abs() < 1e-12, "{row:?}: {found:?}, not {wanted:?}");
            }
            let total = expected(&tree)[0] + found.iter().sum::<f64>();
            assert!((total - tree.values(tree.leaf(&row))[0]).abs() < 1e-12);
        }
    }

    /// Against the package shap on trees of scikit-learn (tests/fixtures/make_trees.py).
    #[test]
    fn shapley_values_are_those_of_shap() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/trees.json");
        let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for case in ["numbers", "classes"] {
            let case = &json[case];
            let get = |key: &str, at: usize| case[key][at].as_f64().unwrap();
            let all = |value: &serde_json::Value| serde_json::from_value::<Vec<f64>>(value.clone()).unwrap();
            let outputs = case["values"][0].as_array().unwrap().len();
            let mut tree = Tree::new(outputs);
            // (Their node, ours.)
            let mut open = vec![(0, tree.push())];
            while let Some((theirs, ours)) = open.pop() {
                tree.cover[ours] = get("cover", theirs);
                if get("left", theirs) < 0.0 {
                    tree.finish_leaf(ours, all(&case["values"][theirs]));
                    continue;
                }
                let rule = Rule::UpTo(get("threshold", theirs));
                let (left, right) = tree.divide(ours, get("feature", theirs) as usize, rule, true, 0.0);
                open.push((get("left", theirs) as usize, left));
                open.push((get("right", theirs) as usize, right));
            }
            for (e, wanted) in expected(&tree).iter().zip(all(&case["expected"])) {
                assert!((e - wanted).abs() < 1e-9 * wanted.abs());
            }
            for (row, wanted) in case["rows"].as_array().unwrap().iter().zip(case["shap"].as_array().unwrap()) {
                let row = all(row);
                let mut found = vec![0.0; row.len() * outputs];
                let root = Step { feature: NO_FEATURE, zero: 1.0, one: 1.0, weight: 0.0 };
                Walk { tree: &tree, row: &row, outputs, first: 0 }.go(0, &[], root, &mut found);
                let wanted: Vec<f64> = wanted.as_array().unwrap().iter().flat_map(all).collect();
                for (f, w) in found.iter().zip(&wanted) {
                    assert!((f - w).abs() < 1e-6 * w.abs().max(1.0), "{found:?}, not {wanted:?}");
                }
            }
        }
    }
}
