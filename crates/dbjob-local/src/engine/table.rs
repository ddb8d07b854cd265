//! The table of a node: a lazy query, and once it was run its rows.

use std::collections::BTreeSet;
use std::sync::Arc;

use dbjob_plan::NodeId;
use polars::prelude::{DataFrame, IntoLazy, LazyFrame};
use tempfile::TempDir;

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
    /// How many bytes the files have that the query reads.
    pub bytes: u64,
    /// How many rows it has, if that is known.
    pub height: Option<u64>,
    /// Folders of files that the query reads, which go with the last query that does.
    pub spilled: Vec<Arc<TempDir>>,
}

impl Table {
    pub fn lazy(frame: LazyFrame) -> Self {
        let (pending, reads, spilled) = (Vec::new(), BTreeSet::new(), Vec::new());
        Self { frame, rows: None, pending, reads, bytes: 0, height: None, spilled }
    }

    pub fn of(rows: DataFrame) -> Self {
        let height = Some(rows.height() as u64);
        Self { height, rows: Some(rows.clone()), ..Self::lazy(rows.lazy()) }
    }

    /// A step over tables: what is pending in them is pending in it.
    pub fn over(frame: LazyFrame, inputs: &[Table]) -> Self {
        let mut table = Self::lazy(frame);
        for input in inputs {
            table.pending.extend(input.pending.iter().cloned());
            table.reads.extend(&input.reads);
            table.spilled.extend(input.spilled.iter().cloned());
            table.bytes += input.bytes;
        }
        table
    }
}
