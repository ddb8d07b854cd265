//! `unpivot`, `explode`: one row becomes several.

use std::collections::BTreeSet;

use dbjob_plan::{DataType, Op, Span, Unpivot};

use super::columns::exists;
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::Served;
use crate::hir::range::Range;
use crate::hir::selection::{columns_of, known};
use crate::hir::statistic::Copies;
use crate::hir::table::{Column, Role, Table};
use crate::hir::transform::Builder;
use crate::hir::types;
use crate::syntax::ast::{Ident, Selection};

const SEVERAL: Served = Served::Not("one row becomes several");

/// `unpivot jan, feb as month, value`
pub(in crate::hir) fn unpivot(selection: &Selection, name: &Ident, value: &Ident, span: Span, b: &mut Builder<'_, '_>) {
    let problems = b.cx.out.len();
    let mut columns: Vec<String> = Vec::new();
    for selector in &selection.items {
        for column in columns_of(selector, &b.table, &mut b.cx.out) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
    }
    if b.cx.out.len() > problems || columns.is_empty() {
        if b.cx.out.len() == problems && !b.table.broken {
            b.report(
                Diagnostic::error(Code::E0108, selection.span, "no column becomes rows")
                    .label("selects none")
                    .help("name at least one: `unpivot jan, feb as month, value`"),
            );
        }
        b.table.broken = true;
        return;
    }
    let Some(mut values) = one_type(&columns, selection.span, value, b) else {
        b.table.broken = true;
        return;
    };
    for new in [name, value] {
        let kept = b.table.get(&new.name).filter(|_| !columns.contains(&new.name)).map(|c| c.span);
        let first = kept.or_else(|| (new.name == name.name && new.span != name.span).then_some(name.span));
        if let Some(first) = first {
            let diagnostic = exists(&new.name, new.span, first).help("take another name");
            b.report(diagnostic);
            b.table.broken = true;
            return;
        }
    }
    let keep: Vec<String> = b.table.names().filter(|n| !columns.iter().any(|c| c == n)).map(str::to_owned).collect();
    let mut out: Table = several(&b.table, span, "each row stands here once for each of the columns");
    columns.iter().for_each(|column| out.forget_keys_with(column));
    out.columns.keep(keep.iter().map(String::as_str));
    out.keys = b.table.keys.iter().filter(|key| key.iter().all(|k| keep.contains(k))).cloned().collect();
    for key in &mut out.keys {
        key.insert(name.name.clone());
    }
    let levels = DataType::Category { levels: Some(columns.clone()) };
    out.put(Column::new(name.name.clone(), levels, false, name.span));
    values.span = value.span;
    out.put(values);
    if let Some(copies) = &mut out.copies {
        copies.common = keep.iter().cloned().collect();
    }
    b.table = out;
    let hidden = b.table.split.as_ref().map(|s| s.hidden());
    let keep = keep.into_iter().chain(hidden.into_iter().flat_map(|h| h.names().map(str::to_owned))).collect();
    let unpivot = Unpivot { columns, keep, name: name.name.clone(), value: value.name.clone() };
    b.push(Op::Unpivot(unpivot), span, SEVERAL);
}

/// The columns as one: their common type, and what each of them knows.
fn one_type(columns: &[String], span: Span, name: &Ident, b: &mut Builder<'_, '_>) -> Option<Column> {
    let first = b.table.get(&columns[0]).expect("selected from this table").clone();
    let mut all = Column {
        name: name.name.clone(),
        role: Role::Feature,
        clock: None,
        pace: None,
        aggregate: None,
        constant: false,
        copied: None,
        plain: false,
        maps: Vec::new(),
        refinement: None,
        doc: None,
        taint: first.taint.through(name.span, &format!("`{}` is a row here", first.name)),
        ..first.clone()
    };
    for column in &columns[1..] {
        let column = b.table.get(column).expect("selected from this table").clone();
        let Some(common) = types::common(&all.dtype, &column.dtype) else {
            let before =
                if columns[1] == column.name { format!("`{}` is", first.name) } else { "the others are".into() };
            let message =
                format!("`{}` is {} and {before} {}: one column is of one type", column.name, column.dtype, all.dtype);
            let diagnostic = Diagnostic::error(Code::E0201, span, message)
                .label("of several types")
                .related(first.span, format!("{} here", first.dtype))
                .related(column.span, format!("{} here", column.dtype))
                .help(format!("cast one above: `derive replace {} = …`", crate::name::written(&column.name)));
            b.report(diagnostic);
            return None;
        };
        all.dtype = common;
        all.nullable |= column.nullable;
        all.range = all.range.or(column.range);
        all.taint.absorb(&column.taint.through(name.span, &format!("`{}` is a row here", column.name)));
        all.absorb_origin(&column);
        all.unchecked |= column.unchecked;
        all.statistics.absorb(&column.statistics);
    }
    Some(all)
}

/// The table after a step that makes several rows of one.
fn several(table: &Table, span: Span, words: &'static str) -> Table {
    let mut out = table.clone();
    out.keys.clear();
    if let Some(split) = &mut out.split {
        split.rows = false;
    }
    if out.copies.is_none() {
        let common = table.names().map(str::to_owned).collect();
        out.copies = Some(Copies { span, words, common });
    }
    out
}

/// `explode tags`
pub(in crate::hir) fn explode(names: &[Ident], span: Span, b: &mut Builder<'_, '_>) {
    let mut columns: Vec<String> = Vec::new();
    let mut sound = true;
    for name in names {
        if !known(name, &b.table, &mut b.cx.out) {
            sound = false;
            continue;
        }
        if columns.contains(&name.name) {
            b.report(Diagnostic::error(Code::E0102, name.span, format!("`{}` stands twice", name.name)).again());
            continue;
        }
        let column = b.table.get(&name.name).expect("known above");
        if types::item_type(&column.dtype).is_none() && column.dtype != DataType::Unknown {
            let message = format!("`{}` is {}, which has no items", name.name, column.dtype);
            let mut diagnostic = Diagnostic::error(Code::E0201, name.span, message)
                .label("not a list")
                .related(column.span, format!("{} here", column.dtype));
            if column.dtype.is_text() {
                let name = crate::name::written(&name.name);
                diagnostic = diagnostic.help(format!("make a list of it above: `derive items = split({name}, \",\")`"));
            } else {
                diagnostic = diagnostic.help("name a column of lists: `list[string]`");
            }
            b.report(diagnostic);
            sound = false;
            continue;
        }
        columns.push(name.name.clone());
    }
    if !sound || columns.is_empty() {
        b.table.broken = true;
        return;
    }
    let mut out = several(&b.table, span, "each row stands here once for each item of a list");
    for name in &columns {
        let column = out.get_mut(name).expect("known above");
        // Of an empty or missing list there is one row with null.
        let vector = matches!(column.dtype, DataType::Vector { .. });
        column.nullable |= !vector;
        column.dtype = types::item_type(&column.dtype).cloned().unwrap_or(DataType::Unknown);
        column.plain = false;
        column.range = Range::ALL;
        column.refinement = None;
        column.maps.clear();
        if column.role == Role::Key {
            column.role = Role::Feature;
        }
    }
    if let Some(copies) = &mut out.copies {
        let items: BTreeSet<&String> = columns.iter().collect();
        copies.common.retain(|name| !items.contains(name));
    }
    b.table = out;
    b.push(Op::Explode { columns }, span, SEVERAL);
}
