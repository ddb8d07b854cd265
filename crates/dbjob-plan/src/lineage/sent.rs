use std::collections::HashSet;

use super::{ColumnRef, Lineage};
use crate::{Op, Serving};

impl Serving {
    /// The columns of the request that each of these columns of its result is made of, in the order of the request: those
    /// that find rows of a lookup table, too.
    pub fn sent_for<'c>(&self, columns: impl IntoIterator<Item = &'c str>) -> Vec<Vec<String>> {
        let lineage = Lineage::of(&self.plan);
        columns.into_iter().map(|column| self.sent(column, &lineage)).collect()
    }

    fn sent(&self, column: &str, lineage: &Lineage) -> Vec<String> {
        let mut open = vec![ColumnRef { node: self.output, column: column.to_owned() }];
        let (mut seen, mut sent) = (HashSet::new(), HashSet::new());
        while let Some(at) = open.pop() {
            if !seen.insert(at.clone()) {
                continue;
            }
            open.extend(lineage.made_of(&at).iter().map(|edge| edge.column.clone()));
            if matches!(self.plan.node(at.node).op, Op::Request) {
                sent.insert(at.column);
            }
        }
        self.request.visible().map(|f| f.name.clone()).filter(|name| sent.contains(name)).collect()
    }
}
