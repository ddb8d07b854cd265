//! Splits that a model may look better by than it is.

use dbjob_plan::{Span, Split};

use crate::diagnostic::{Code, Diagnostic};
use crate::hir::table::{Column, Role};
use crate::hir::transform::Builder;
use crate::name::written;
use crate::syntax::ast::SplitStep;

/// One user's rows in train and test: the model knows the user.
pub(super) fn id_on_both_sides(split: &SplitStep, made: &Split, verb: Span, b: &mut Builder<'_, '_>) {
    let Some(key) = made.key().filter(|_| separates(made)) else { return };
    let table = &b.table;
    let by: Vec<&str> = key.columns.iter().map(String::as_str).collect();
    // Under whatever name, or a value that is computed from it alone.
    let of_id = |id: &Column, key: &&str| {
        table.get(key).is_some_and(|c| c.span == id.span || (c.of_row() && c.origin.is_subset(&id.origin)))
    };
    let is_key = |id: &Column| !by.is_empty() && by.iter().all(|key| of_id(id, key));
    // The key of a joined table is one there only.
    let declared = |c: &&Column| {
        let is_id = |(dataset, name): &(String, String)| {
            b.cx.tables.get(dataset).and_then(|t| t.get(name)).is_some_and(|c| c.role == Role::Id)
        };
        c.role == Role::Id && c.origin.iter().all(is_id)
    };
    let apart = |c: &&Column| !table.unique_by([c.name.as_str()]) && !table.follows(&c.name, &by);
    let ids: Vec<&Column> = table.columns.iter().chain(&table.dropped_ids).filter(declared).collect();
    // Of several ids one can be kept together: the key says which matters.
    if ids.iter().any(|c| is_key(c)) {
        return;
    }
    let ids: Vec<&Column> = ids.into_iter().filter(apart).collect();
    let Some(first) = ids.first() else { return };
    let names = ids.iter().map(|c| format!("`{}`", c.name)).collect::<Vec<_>>().join(", ");
    let span = split.by.first().map_or(verb, |k| k.span);
    let mut diagnostic =
        Diagnostic::warning(Code::W0401, span, format!("one {names} can be on both sides of the split"))
            .label(if split.by.is_empty() { "by row".to_owned() } else { format!("by {}", by.join(", ")) });
    for id in &ids {
        diagnostic = diagnostic.related(id.span, format!("`{}` is an id", id.name));
    }
    let diagnostic = match table.get(&first.name) {
        Some(_) => diagnostic.help(format!("keep its rows together: `split by {} {{ … }}`", written(&first.name))),
        None => diagnostic.help(format!("split by {} before it is dropped", written(&first.name))),
    };
    b.report(diagnostic);
}

/// Train rows that come after test rows: the model knows the future.
pub(super) fn random_in_time(split: &SplitStep, made: &Split, verb: Span, b: &mut Builder<'_, '_>) {
    if !split.by.is_empty() || made.key().is_none() || !separates(made) {
        return;
    }
    let Some(time) = b.table.time().or(b.table.dropped_time.as_ref()) else { return };
    let here = b.table.time().is_some();
    let diagnostic = Diagnostic::warning(
        Code::W0402,
        verb,
        "rows are split at random although they have a time: train rows come after test rows",
    )
    .label("at random")
    .related(time.span, format!("`{}` is the time", time.name))
    .help(match here {
        true => {
            format!("write `split at {} {{ train 80%, test 20% }}`, or `by KEY` if the time does not matter", time.name)
        }
        false => format!("write `split at {} {{ … }}` before it is dropped, or `by KEY`", time.name),
    });
    b.report(diagnostic);
}

/// Whether some rows are learned from and others judged.
fn separates(made: &Split) -> bool {
    let shares = made.shares();
    shares.valid > 0.0 || shares.test > 0.0 || made.folds.is_some()
}
