//! Models without an output: what has no meaning for them, or none yet.

use dbjob_plan::Span;

use super::check::Context;
use super::items::not_yet;
use super::model::Draft;

impl Draft {
    /// Clusters are judged by one number over all train rows. `by_column`: a metric by a column.
    pub(super) fn whole_only(&mut self, by_column: Option<Span>, cx: &mut Context<'_>) {
        let for_each = self.require.iter().find_map(|(_, by, span)| by.as_ref().map(|_| *span));
        if let Some(span) = by_column.or(for_each) {
            self.report(not_yet("a metric of clusters by a column", span), cx);
        }
    }
}
