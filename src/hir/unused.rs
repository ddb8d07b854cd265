//! Datasets and declared columns that nothing reads, once a job is known and sound.

use std::collections::{BTreeSet, HashSet};

use dbjob_plan::{ItemKind, Op};

use super::check::Context;
use super::columns::Columns;
use super::table::{Role, Table};
use super::{Item, ItemBody, Step, Test};
use crate::diagnostic::{Code, Diagnostic};

/// Of the job's own file; datasets of other files are there for other jobs, too.
pub(super) fn check_all(tests: &[Test], cx: &Context<'_>) -> Vec<Diagnostic> {
    let read: BTreeSet<&str> = cx.items.iter().flat_map(|item| item.input_names()).collect();
    let is_tested = |name: &str| tests.iter().any(|test| test.expect.iter().any(|rows| rows.node == name));
    let is_read = |name: &str| read.contains(name) || is_tested(name);
    if !cx.items.iter().any(|item| !matches!(item.body, ItemBody::Table { kind: ItemKind::Dataset, .. })) {
        return Vec::new();
    }
    let mut used = Used::new();
    for item in cx.items.iter() {
        mark(item, read.contains(item.name.as_str()), cx, &mut used);
    }
    for rows in tests.iter().flat_map(|test| &test.expect) {
        let table = cx.tables.get(&rows.node);
        let columns = rows.columns.iter().filter_map(|name| table?.get(name));
        columns.for_each(|c| used.extend(&c.origin));
    }
    let mut found = Vec::new();
    for item in cx.items.iter().filter(|item| cx.program.is_own(item.span.file)) {
        let ItemBody::Table { kind: ItemKind::Dataset, steps, .. } = &item.body else { continue };
        let Some(step) = steps.first() else { continue };
        if !is_read(&item.name) {
            let message = format!("nothing reads the dataset `{}`", item.name);
            found.push(Diagnostic::note(Code::N0004, step.span, message).label("not needed").help("drop it"));
            continue;
        }
        let declared = |c: &&super::Column| c.role == Role::Feature && c.taint.is_empty() && !c.unchecked;
        let unread = step.shape.columns.iter().filter(declared).filter(|c| !c.origin.iter().any(|o| used.contains(o)));
        for column in unread.filter(|c| c.span.file == step.span.file && c.span.start > step.span.end) {
            let message = format!("nothing reads `{}`", column.name);
            let note = Diagnostic::note(Code::N0003, column.span, message).label("read from the source for nothing");
            found.push(note.help("leave it out: columns that are not declared are not read"));
        }
    }
    found
}

/// Source columns: (dataset, column). They are only looked at: every change of an open file comes by here.
type Used<'a> = HashSet<&'a (String, String)>;

/// Adds the source columns that an item reads. A table that nobody reads is a result: all of it counts.
fn mark<'a>(item: &'a Item, is_read: bool, cx: &'a Context<'_>, used: &mut Used<'a>) {
    let mut of_table = |table: Option<&'a Table>, name: &str| {
        if let Some(column) = table.and_then(|t| t.get(name)) {
            used.extend(&column.origin);
        }
    };
    match &item.body {
        ItemBody::Model(model) => {
            let table = cx.tables.get(&model.input);
            let spec = &model.spec;
            let names =
                spec.inputs.iter().map(|i| i.column.as_str()).chain(spec.target()).chain(spec.weight.as_deref());
            let judged = spec
                .slices
                .iter()
                .map(|s| s.column.as_str())
                .chain(spec.require.iter().filter_map(|r| r.for_each.as_deref()));
            names.chain(judged).for_each(|name| of_table(table, name));
        }
        ItemBody::Deploy(deploy) => {
            let table = cx.tables.get(&deploy.from);
            table.into_iter().flat_map(Table::names).for_each(|name| of_table(table, name));
        }
        ItemBody::Table { kind, input, steps, table } => {
            let mut before = input.as_ref().and_then(|input| cx.tables.get(input)).map(|table| &table.columns);
            for step in steps {
                let both: Vec<&Columns> = before.into_iter().chain([&step.shape.columns]).collect();
                match reads(step, cx) {
                    Some(names) => {
                        let named = names.iter().flat_map(|name| both.iter().filter_map(|columns| columns.get(name)));
                        named.for_each(|c| used.extend(&c.origin));
                    }
                    None => before.into_iter().flatten().for_each(|c| used.extend(&c.origin)),
                }
                if let Op::Join(join) = &step.op {
                    let right = step.others.first().and_then(|other| cx.tables.get(other));
                    let keys = join.on.iter().map(|(_, right)| right).chain(join.asof.iter().map(|asof| &asof.right));
                    for column in keys.filter_map(|name| right?.get(name)) {
                        used.extend(&column.origin);
                    }
                }
                before = Some(&step.shape.columns);
            }
            if !is_read && *kind != ItemKind::Dataset {
                table.columns.iter().for_each(|c| used.extend(&c.origin));
            }
        }
    }
}

/// The columns that a step looks at, besides handing them on; `None`: all of them.
fn reads<'s>(step: &'s Step, cx: &'s Context<'_>) -> Option<BTreeSet<&'s str>> {
    let mut names: BTreeSet<&str> = BTreeSet::new();
    match &step.op {
        Op::Filter { predicate } => names.extend(predicate.columns()),
        Op::Derive { columns } => columns.iter().for_each(|c| names.extend(c.expr.columns())),
        Op::Join(join) => {
            names.extend(join.on.iter().map(|(left, _)| left.as_str()));
            names.extend(join.asof.iter().map(|asof| asof.left.as_str()));
        }
        Op::Group { keys, aggregates } => keys.iter().chain(aggregates).for_each(|c| names.extend(c.expr.columns())),
        Op::Window(window) => {
            let order = window.order.iter().map(|key| &key.expr);
            let exprs = window.by.iter().chain(order).chain(window.columns.iter().map(|c| &c.expr));
            exprs.for_each(|e| names.extend(e.columns()));
        }
        Op::Sort { keys } => keys.iter().for_each(|key| names.extend(key.expr.columns())),
        Op::Distinct { by, order, .. } if !by.is_empty() => {
            names.extend(by.iter().map(String::as_str));
            order.iter().for_each(|key| names.extend(key.expr.columns()));
        }
        Op::Unpivot(unpivot) => names.extend(unpivot.columns.iter().map(String::as_str)),
        Op::Explode { columns } => names.extend(columns.iter().map(String::as_str)),
        Op::Split(split) => names.extend(split.columns()),
        Op::Sample(sample) => names.extend(sample.key.columns.iter().map(String::as_str)),
        Op::Map { columns } => {
            for column in columns {
                names.insert(&column.column);
                names.extend(column.more.iter().map(String::as_str));
                names.extend(column.out_of_fold.iter().map(|e| e.target.as_str()));
            }
        }
        Op::Expect(rule) => {
            names.extend(rule.predicate.columns());
            names.extend(rule.unique.iter().map(String::as_str));
        }
        Op::Predict { .. } => {
            let fact = step.others.first().and_then(|model| cx.models.get(model)?.as_ref())?;
            names.extend(fact.inputs.iter().map(|i| i.column.as_str()));
            names.extend(fact.request.fields.iter().map(|f| f.name.as_str()));
        }
        Op::Distinct { .. } | Op::Pivot(_) | Op::Extern(_) => return None,
        _ => {}
    }
    Some(names)
}
