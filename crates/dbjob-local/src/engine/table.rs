//! The table of a node: a lazy query, and once it was run its rows.

use std::collections::BTreeSet;

use dbjob_plan::NodeId;
use polars::prelude::{DataFrame, IntoLazy, LazyFrame};

use crate::step::expect::Pending;

#[derive(Clone)]
pub(super) struct Table {
    pub frame: LazyFrame,
    /// The rows, if they are in memory.
    pub rows: Option<DataFrame>,
    /// Rules that count while the query runs.
    pub pending: Vec<Pending>,
    /// The sources that the query reads.
    pub reads: BTreeSet<NodeId>,
}

impl Table {
    pub fn lazy(frame: LazyFrame) -> Self {
        Self { frame, rows: None, pending: Vec::new(), reads: BTreeSet::new() }
    }

    pub fn of(rows: DataFrame) -> Self {
        Self { frame: rows.clone().lazy(), rows: Some(rows), pending: Vec::new(), reads: BTreeSet::new() }
    }

    /// A step over tables: what is pending in them is pending in it.
    pub fn over(frame: LazyFrame, inputs: &[Table]) -> Self {
        let mut table = Self::lazy(frame);
        for input in inputs {
            table.pending.extend(input.pending.iter().cloned());
            table.reads.extend(&input.reads);
        }
        table
    }
}
