//! Transforms: one step after the other over the columns.

use std::sync::Arc;

use dbjob_plan::{ItemKind, Op, Span};

use super::check::Context;
use super::items::table_named;
use super::step::{
    columns, expect, group, join, map, order, pivot, predict, process, reshape, rows, split, unmap, window,
};
use super::table::Table;
use super::{Item, ItemBody, Served, Step};
use crate::catalog::words;
use crate::diagnostic::{Code, Diagnostic, near_name};
use crate::syntax::ast::{self, StepKind};

/// A transform while its steps are checked.
pub(super) struct Builder<'c, 'w> {
    pub cx: &'c mut Context<'w>,
    pub table: Table,
    pub steps: Vec<Step>,
    /// The items that its rows come from, the nearest last: `predict` uses a model's own table as it is.
    pub input: String,
}

impl Builder<'_, '_> {
    /// Adds an operation whose result is the table as it is now.
    pub fn push(&mut self, op: Op, span: Span, served: Served) {
        self.push_with(op, Vec::new(), span, served);
    }

    pub fn push_with(&mut self, op: Op, others: Vec<String>, span: Span, served: Served) {
        // Derivations in a row are one: a later column sees the earlier ones.
        if let Op::Derive { columns } = &op
            && let Some(Step { op: Op::Derive { columns: before }, shape, served: Served::Computed, .. }) =
                self.steps.last_mut()
            && columns.iter().all(|c| shape.columns.get(&c.name).is_none())
        {
            before.extend(columns.iter().cloned());
            *shape = self.table.shape();
            return;
        }
        self.steps.push(Step { op, others, shape: self.table.shape(), span, served });
    }

    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.cx.out.push(diagnostic);
    }
}

pub(super) fn check(
    transform: &ast::Transform,
    doc: Option<String>,
    span: Span,
    position: usize,
    cx: &mut Context<'_>,
) {
    let name = transform.name.name.clone();
    if cx.tables.contains_key(&name) {
        return;
    }
    let mut table = table_named(cx, &transform.input);
    if cx.is_broken(span) {
        // A step that cannot be read may be the split.
        table.unsplit.get_or_insert(span);
    }
    let mut builder = Builder { cx, table, steps: Vec::new(), input: transform.input.name.clone() };
    for step in &transform.steps {
        check_step(step, &mut builder);
    }
    let Builder { cx, table, steps, .. } = builder;
    let body = ItemBody::Table {
        kind: ItemKind::Transform,
        input: Some(transform.input.name.clone()),
        steps,
        table: Box::new(table.clone()),
    };
    cx.items.push(Arc::new(Item { name: name.clone(), doc, span, body, position }));
    cx.tables.insert(name, table);
}

fn check_step(step: &ast::Step, b: &mut Builder<'_, '_>) {
    let derived = |name: &str| matches!(&step.kind, StepKind::Derive { columns, .. } if columns.iter().any(|c| c.name.name == name));
    let step = &*b.cx.bind(step, ast::Step::parts, &|name| b.table.get(name).is_some() || derived(name));
    let span = step.span;
    match &step.kind {
        StepKind::Filter { predicate, on_train } => rows::filter(predicate, *on_train, span, b),
        StepKind::Derive { replace, columns: list } => columns::derive(*replace, list, span, b),
        StepKind::Select(selection) => columns::select(selection, span, b),
        StepKind::Drop(selection) => columns::drop(selection, span, b),
        StepKind::Rename(pairs) => columns::rename(pairs, span, b),
        StepKind::Join(join) => join::check(join, span, b),
        StepKind::Group { keys, aggregates } => group::check(keys, aggregates, step.verb, span, b),
        StepKind::Sort(keys) => order::sort(keys, span, b),
        StepKind::Take(count) => order::take(count, step.verb, span, b),
        StepKind::Distinct { by, keep, order } => order::distinct(by, keep.as_ref(), order, step.verb, span, b),
        StepKind::Union(others) => rows::union(others, span, b),
        StepKind::Sample { share, by, on_train } => split::sample(share, by, *on_train, span, b),
        StepKind::Split(split) => {
            split::check(split, step.verb, span, b);
            if b.table.split.is_none() {
                b.table.unsplit.get_or_insert(span);
            }
        }
        StepKind::Map(map) => map::map(map, span, b),
        StepKind::Unmap(columns) => unmap::check(columns, span, b),
        StepKind::Predict { model, out_of_fold, prefix } => {
            predict::check(model, *out_of_fold, prefix.as_ref(), span, b)
        }
        StepKind::Expect(rule) => {
            let mut table = std::mem::take(&mut b.table);
            expect::check(rule, &mut table, &mut b.steps, b.cx);
            b.table = table;
        }
        StepKind::Window { by, order, columns } => window::check(by, order, columns, span, b),
        StepKind::Pivot { column, values, aggregates } => pivot::check(column, values, aggregates, step.verb, span, b),
        StepKind::Unpivot { columns, name, value } => reshape::unpivot(columns, name, value, span, b),
        StepKind::Explode(columns) => reshape::explode(columns, span, b),
        StepKind::Extern { command, returns } => process::check(command, returns, span, b),
        StepKind::Unknown { verb } => {
            let diagnostic = Diagnostic::error(Code::E0103, verb.span, format!("there is no step `{}`", verb.name))
                .label("unknown step");
            let alias = match verb.name.as_str() {
                "where" | "having" => Some("filter"),
                "mutate" | "with_columns" | "compute" | "let" | "add" => Some("derive"),
                "order_by" | "orderby" | "arrange" => Some("sort"),
                "limit" | "head" | "top" => Some("take"),
                "group_by" | "groupby" => Some("group by"),
                "unique" | "dedup" | "deduplicate" => Some("distinct"),
                "merge" => Some("join"),
                "concat" | "append" => Some("union"),
                "keep" => Some("select"),
                "remove" => Some("drop"),
                "assert" | "check" => Some("expect"),
                _ => None,
            };
            // What follows the verb is written otherwise, too.
            let other_form = match verb.name.as_str() {
                "order" => Some("sort"),
                "slice" => Some("take"),
                "aggregate" | "summarize" | "summarise" => Some("group by"),
                _ => None,
            };
            let diagnostic = match (alias, other_form) {
                (Some(alias), _) => diagnostic.instead(alias),
                (None, Some(other)) => diagnostic.help(format!("write `{other}`")),
                (None, None) => {
                    let names: Vec<_> = words::STEPS.iter().filter(|w| w.built).map(|w| w.name).collect();
                    diagnostic
                        .help(format!("the steps are {}", names.join(", ")))
                        .near(&verb.name, words::STEPS.iter().map(|w| w.name))
                }
            };
            // What the step would have done to the columns is not known, unless it was meant to be one that keeps them.
            let meant = alias.or(other_form).or_else(|| near_name(&verb.name, words::STEPS.iter().map(|w| w.name)));
            let keeps_columns =
                meant.is_some_and(|m| ["filter", "sort", "take", "distinct", "expect", "sample"].contains(&m));
            b.table.broken |= !keeps_columns;
            b.report(diagnostic);
        }
    }
}
