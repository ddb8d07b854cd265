//! Two datasets of one file: what one of them calls a label the other may not hand to its rows.

use std::collections::BTreeSet;

use dbjob_plan::{Op, Source, Span};

use crate::hir::finished::plain;
use crate::hir::table::{Column, Table};
use crate::hir::taint::Taint;
use crate::hir::transform::Builder;
use crate::hir::{ItemBody, Step};

/// The datasets of the left table of a join, if some of its rows may be those of the right one.
pub(super) fn datasets(right: &Table, b: &Builder<'_, '_>) -> BTreeSet<String> {
    if right.rows.is_disjoint(&b.table.rows) {
        return BTreeSet::new();
    }
    let datasets: BTreeSet<&String> =
        b.table.columns.iter().flat_map(|c| &c.origin).map(|(dataset, _)| dataset).collect();
    datasets.into_iter().cloned().collect()
}

/// What a column of the right table knows because one of these datasets, which is read from the same file, calls that
/// column of the file a label or late.
pub(super) fn labels(column: &Column, ours: &BTreeSet<String>, span: Span, b: &Builder<'_, '_>) -> Taint {
    let mut taint = Taint::new();
    for (dataset, name) in column.origin.iter().filter(|_| !ours.is_empty()) {
        let Some(theirs) = source(dataset, b) else { continue };
        let Some(header) = theirs.columns.iter().find(|c| c.name == *name).map(|c| &c.header) else { continue };
        for other in ours.iter().filter(|other| *other != dataset) {
            let Some(ours) = source(other, b).filter(|ours| plain(&ours.path) == plain(&theirs.path)) else { continue };
            let same = ours.columns.iter().find(|c| c.header == *header);
            if let Some(column) = same.and_then(|c| b.cx.tables.get(other)?.get(&c.name)) {
                let words = format!("`{dataset}.{name}` is that column of the same file");
                taint.absorb(&column.taint.elsewhere().through(span, &words));
            }
        }
    }
    taint
}

fn source<'b>(dataset: &str, b: &'b Builder<'_, '_>) -> Option<&'b Source> {
    let item = b.cx.items.named(dataset)?;
    match &item.body {
        ItemBody::Table { steps, .. } => match steps.first() {
            Some(Step { op: Op::Read(source), .. }) if source.format.is_file() => Some(source),
            _ => None,
        },
        _ => None,
    }
}
