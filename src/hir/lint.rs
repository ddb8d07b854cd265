//! Doubts about a job as a whole, told once all of it is known and sound.

use std::collections::BTreeSet;

use dbjob_plan::Task;

use super::check::Context;
use super::split::SplitFact;
use super::table::{Column, Table};
use super::{Item, ItemBody, Model, Test, needless, unused};
use crate::diagnostic::{Code, Diagnostic, Severity};

pub(super) fn check_all(tests: &[Test], cx: &mut Context<'_>) {
    if cx.out.iter().chain(&cx.program.errors).any(|d| d.severity == Severity::Error) {
        return;
    }
    let models: Vec<(&Item, &Model)> = cx
        .items
        .iter()
        .filter_map(|item| match &item.body {
            ItemBody::Model(model) => Some((&**item, &**model)),
            _ => None,
        })
        .collect();
    let mut found = Vec::new();
    judged_by_one_test(&models, cx, &mut found);
    found.extend(models.iter().filter_map(|(_, model)| accuracy_alone(model)));
    found.extend(models.iter().flat_map(|(_, model)| needless::check_all(model, cx)));
    found.extend(unused::check_all(tests, cx));
    cx.out.extend(found);
}

/// Whoever looks at several models on the test part and takes the best has chosen by it: the figure of the best is
/// then too good. A model that another one is built on is not its rival.
fn judged_by_one_test(models: &[(&Item, &Model)], cx: &Context<'_>, out: &mut Vec<Diagnostic>) {
    let judged: Vec<_> =
        models.iter().filter_map(|(item, model)| Some((*item, *model, Judged::of(model, cx)?))).collect();
    for (index, (item, model, test)) in judged.iter().enumerate() {
        let mut before = judged[..index].iter().filter(|(other, _, by)| {
            by.same(test) && !feeds(&other.name, &item.name, cx) && !feeds(&item.name, &other.name, cx)
        });
        let Some((first, first_model, _)) = before.next() else { continue };
        let column = &model.spec.output.column;
        let message = format!("`{}` and `{}` are both judged for `{column}` by one test part", first.name, item.name);
        let diagnostic = Diagnostic::warning(Code::W0412, model.span, message)
            .label("judged by the same test rows")
            .related(first_model.span, "judged by them too")
            .related(test.split.span, "the split")
            .help("choose by other rows: `fit best by METRIC { … }` compares algorithms and reads the test part once");
        out.push(diagnostic);
    }
}

/// What a model is judged by, and for what.
struct Judged<'a> {
    split: &'a SplitFact,
    table: &'a Table,
    output: &'a Column,
}

impl<'a> Judged<'a> {
    fn of(model: &Model, cx: &'a Context<'_>) -> Option<Self> {
        let table = cx.tables.get(&model.input)?;
        let split = table.split.as_ref().filter(|split| split.has_test && !model.spec.metrics.is_empty())?;
        Some(Self { split, table, output: table.get(model.spec.target()?)? })
    }

    fn same(&self, other: &Self) -> bool {
        let one_split = self.split.span == other.split.span
            || (self.table.rows == other.table.rows
                && !self.table.conditions.exclude(&other.table.conditions)
                && self.split.parts_alike(other.split, |l, r| match (self.table.get(l), other.table.get(r)) {
                    (Some(l), Some(r)) => same_values(l, r),
                    _ => false,
                }));
        one_split && same_values(self.output, other.output)
    }
}

/// Whether two columns are one to each row of their source: made at one place, or one source column as it is.
fn same_values(a: &Column, b: &Column) -> bool {
    a.span == b.span || (a.plain && b.plain && a.origin == b.origin)
}

/// Whether an item is read by another, directly or by others between.
fn feeds(item: &str, by: &str, cx: &Context<'_>) -> bool {
    let (mut open, mut seen) = (vec![by], BTreeSet::new());
    while let Some(name) = open.pop() {
        if name == item {
            return true;
        }
        if seen.insert(name) {
            open.extend(cx.items.named(name).iter().flat_map(|item| item.input_names()));
        }
    }
    false
}

/// `accuracy` tells nothing of a rare class: never naming it is accurate.
fn accuracy_alone(model: &Model) -> Option<Diagnostic> {
    let spec = &model.spec;
    let compared = spec.require.iter().any(|r| r.expr.columns().iter().any(|c| c.starts_with("baseline.")));
    if spec.task != Task::Classification || spec.metrics.iter().any(|m| m != "accuracy") || compared {
        return None;
    }
    spec.metrics.first()?;
    let message = format!("`{}` is judged by accuracy alone, which a rare class hardly touches", spec.model);
    let diagnostic = Diagnostic::warning(Code::W0413, model.span, message).label("judged by accuracy alone");
    Some(diagnostic.help("add `balanced_accuracy`, `auc` or `log_loss`, or `require accuracy > baseline`"))
}
