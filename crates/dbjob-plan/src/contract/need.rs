//! Which inputs of a model need a field of its request.

use std::collections::{BTreeMap, HashSet};

use crate::{ColumnRef, Input, Lineage, Op, Serving};

/// For each field of the request, the inputs that are made of it, in their order.
pub fn needs(serving: &Serving, inputs: &[Input]) -> BTreeMap<String, Vec<String>> {
    let lineage = Lineage::of(&serving.plan);
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for input in inputs {
        let mut seen: HashSet<ColumnRef> = HashSet::new();
        let mut open = vec![ColumnRef { node: serving.output, column: input.column.clone() }];
        while let Some(at) = open.pop() {
            if !seen.insert(at.clone()) {
                continue;
            }
            if matches!(serving.plan.node(at.node).op, Op::Request) {
                let inputs = found.entry(at.column).or_default();
                if !inputs.contains(&input.column) {
                    inputs.push(input.column.clone());
                }
                continue;
            }
            open.extend(lineage.made_of(&at).iter().map(|edge| edge.column.clone()));
        }
    }
    found
}

/// What is to be said of each field in its schema, in sentences.
pub fn notes(serving: &Serving, inputs: &[Input]) -> BTreeMap<String, Vec<String>> {
    let needed = |(field, inputs): (String, Vec<String>)| {
        let inputs: Vec<String> = inputs.iter().map(|name| format!("`{name}`")).collect();
        (field, vec![format!("Needed by {}.", inputs.join(", "))])
    };
    needs(serving, inputs).into_iter().map(needed).collect()
}
