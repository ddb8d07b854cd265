use std::collections::{BTreeMap, BTreeSet};

use dbjob_plan::{ColumnRef, ItemKind, NodeId, Op, PlanItem, Via, column_names};
use serde::Serialize;

use super::Job;

/// A column of one item that goes into a column of another, past all steps between.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ItemLink {
    pub item: String,
    pub column: String,
    /// Its values go over; otherwise it only finds, groups or teaches.
    pub value: bool,
}

impl Job<'_> {
    /// What each column of an item comes from in the items before: of a table its columns, of a model those that it takes
    /// and learns.
    pub fn between_items(&self, item: &PlanItem) -> Vec<(String, Vec<ItemLink>)> {
        let node = item.output;
        match (&self.plan.node(node).op, item.kind) {
            (_, ItemKind::Dataset | ItemKind::Deploy) => Vec::new(),
            (Op::Fit(spec), _) => {
                let table = self.plan.inputs(node)[0];
                let learned = spec.target().into_iter().chain(spec.weight.as_deref());
                let columns = spec.inputs.iter().map(|i| i.column.as_str()).chain(learned);
                columns.map(|c| (c.to_owned(), vec![self.item_link(table, c, true)])).collect()
            }
            _ => column_names(&self.plan.node(node).schema)
                .map(|column| {
                    let links = self.links_to(item, ColumnRef { node, column: column.clone() });
                    (column, links)
                })
                .collect(),
        }
    }

    fn links_to(&self, item: &PlanItem, column: ColumnRef) -> Vec<ItemLink> {
        let mut found: BTreeMap<(NodeId, String), bool> = BTreeMap::new();
        let mut seen: BTreeSet<(ColumnRef, bool)> = BTreeSet::new();
        let mut open = vec![(column, true)];
        while let Some((at, value)) = open.pop() {
            if !seen.insert((at.clone(), value)) {
                continue;
            }
            let node = self.plan.node(at.node);
            // The lookup tables of a model are made by steps of its own.
            let of_model = !matches!(node.op, Op::Fit(_)) && self.kind(&node.item) == Some(ItemKind::Model);
            if node.item != item.name && !of_model {
                *found.entry((at.node, at.column)).or_default() |= value;
                continue;
            }
            for edge in self.lineage.made_of(&at) {
                let faint = matches!(edge.via, Via::Key | Via::Choice | Via::Learned);
                open.push((edge.column.clone(), value && !faint));
            }
        }
        found.into_iter().map(|((node, column), value)| self.item_link(node, &column, value)).collect()
    }

    fn kind(&self, item: &str) -> Option<ItemKind> {
        self.plan.items.iter().find(|i| i.name == item).map(|i| i.kind)
    }

    fn item_link(&self, node: NodeId, column: &str, value: bool) -> ItemLink {
        ItemLink { item: self.plan.node(node).item.clone(), column: column.to_owned(), value }
    }
}
