//! What rows are hashed by.

use dbjob_plan::{DataType, SplitKey};

use crate::diagnostic::{Code, Diagnostic};
use crate::hir::selection::known;
use crate::hir::transform::Builder;
use crate::syntax::ast::Ident;

/// Whether every engine gives values of the type one text.
fn has_one_text(dtype: &DataType) -> bool {
    match dtype {
        DataType::Int | DataType::Bool | DataType::Date | DataType::Datetime | DataType::Unknown => true,
        other => other.is_text(),
    }
}

/// The key that is written, else that of the table, else the number of the row; `None` if something was reported. A
/// message calls it `what`.
pub(in crate::hir::step) fn of(by: &[Ident], what: &str, b: &mut Builder<'_, '_>) -> Option<SplitKey> {
    for (position, name) in by.iter().enumerate() {
        if !known(name, &b.table, &mut b.cx.out) || !is_hashable(name, what, b) {
            return None;
        }
        if by[..position].iter().any(|n| n.name == name.name) {
            let diagnostic =
                Diagnostic::error(Code::E0102, name.span, format!("`{}` is in the key already", name.name));
            b.report(diagnostic.again().help("drop it"));
            return None;
        }
    }
    if !by.is_empty() {
        return Some(SplitKey::by(by.iter().map(|n| n.name.clone())));
    }
    let fits = |name: &String| b.table.get(name).is_some_and(|c| has_one_text(&c.dtype));
    let Some(key) = b.table.keys.iter().find(|key| key.iter().all(fits)) else { return Some(SplitKey::default()) };
    // In the order of the columns, so that the text of the key does not hang on names.
    let columns = b.table.names().filter(|n| key.contains(*n)).map(str::to_owned).collect();
    Some(SplitKey { columns, unique: true })
}

fn is_hashable(name: &Ident, what: &str, b: &mut Builder<'_, '_>) -> bool {
    let column = b.table.get(&name.name).expect("looked up before");
    if has_one_text(&column.dtype) {
        return true;
    }
    let why = match &column.dtype {
        DataType::Float => "its text differs between engines",
        _ => "it has no text of its own",
    };
    let diagnostic = Diagnostic::error(Code::E0201, name.span, format!("a {} is no {what}: {why}", column.dtype))
        .label(format!("this is {}", column.dtype))
        .related(column.span, "its type")
        .help("take an int, string, bool or date");
    b.report(diagnostic);
    false
}

/// The column of the strata. Each row is ranked by its hash, so a key that several rows share would be torn apart.
pub(super) fn stratum(column: &Ident, by: &[Ident], key: &mut SplitKey, b: &mut Builder<'_, '_>) -> Option<String> {
    if !known(column, &b.table, &mut b.cx.out) || !is_hashable(column, "stratum", b) {
        return None;
    }
    key.unique |= !by.is_empty();
    if let Some(first) = by.first()
        && !b.table.unique_by(key.columns.iter().map(String::as_str))
    {
        let diagnostic = Diagnostic::error(
            Code::E0105,
            first.span,
            format!("a stratified split cuts by rows, so rows of one {} would come into several parts", first.name),
        )
        .label("not a key of the table")
        .help("drop `stratify` to keep them together, or drop `by`");
        b.report(diagnostic);
        return None;
    }
    Some(column.name.clone())
}
