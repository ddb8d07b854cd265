//! Inputs that tell a model nothing, or nothing that it could use of a new row.

use dbjob_plan::{DataType, Span, Undo};

use super::Model;
use super::check::Context;
use super::table::{Column, Role, Table};
use crate::catalog::map::{self as maps, Inverse};
use crate::diagnostic::{Code, Diagnostic};

/// One message for each input at most.
pub(super) fn check_all(model: &Model, cx: &Context<'_>) -> Vec<Diagnostic> {
    let Some(table) = cx.tables.get(&model.input) else { return Vec::new() };
    let inputs = model.spec.inputs.iter().zip(&model.places);
    let columns: Vec<(&Column, Span)> =
        inputs.filter_map(|(input, at)| Some((table.get(&input.column)?, *at))).collect();
    let doubt = |(index, (column, at)): (usize, &(&Column, Span))| {
        constant(column, *at, table)
            .or_else(|| key(column, *at, cx))
            .or_else(|| columns[..index].iter().find_map(|(first, _)| again(column, first, *at)))
    };
    columns.iter().enumerate().filter_map(doubt).collect()
}

/// A value that all rows share.
fn constant(column: &Column, at: Span, table: &Table) -> Option<Diagnostic> {
    if !table.is_constant(column) {
        return None;
    }
    let message = format!("`{}` is the same in every row", column.name);
    let diagnostic = Diagnostic::warning(Code::W0415, at, message).label("tells the model nothing");
    Some(diagnostic.related(column.span, "comes from here").help("leave it out of the inputs"))
}

/// The same values under another name.
fn again(column: &Column, first: &Column, at: Span) -> Option<Diagnostic> {
    if column.copied.is_none() || column.copied != first.copied {
        return None;
    }
    let message = format!("`{}` and `{}` have the same values", first.name, column.name);
    let diagnostic = Diagnostic::warning(Code::W0416, at, message).label("tells nothing that is new");
    Some(diagnostic.related(column.span, "comes from here").help("leave one of them out of the inputs"))
}

/// A key, however it is scaled: no two rows have one, and a new row has a new one.
fn key(column: &Column, at: Span, cx: &Context<'_>) -> Option<Diagnostic> {
    let alone = column.origin.iter().any(|(dataset, name)| {
        cx.tables.get(dataset).is_some_and(|t| t.keys.iter().any(|key| key.len() == 1 && key.contains(name)))
    });
    let told_apart = column.maps.iter().all(|(link, _)| match &link.formula {
        Some(formula) => matches!(formula.undo, Undo::By(_)),
        None => maps::find(&link.map).is_some_and(|map| !matches!(map.inverse, Inverse::None(_))),
    });
    // Of one-hot columns of a key it was told where they are made.
    if column.role != Role::Key || !alone || !told_apart || matches!(column.dtype, DataType::Vector { .. }) {
        return None;
    }
    let message = format!("`{}` is a key, and no two rows have the same", column.name);
    let diagnostic = Diagnostic::warning(Code::W0417, at, message).label("learned by heart");
    Some(diagnostic.related(column.span, "comes from here").help("leave it out: every new row has a new one"))
}
