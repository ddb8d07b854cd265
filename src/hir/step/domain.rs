//! Maps of columns that may hold what the map has no value for.

use crate::catalog::map::Domain;
use crate::diagnostic::{Code, Diagnostic, Fix};
use crate::hir::range::Range;
use crate::hir::table::Column;
use crate::syntax::ast::Call;

/// Whether a column may hold values outside of the domain, by what is known of it.
pub(super) fn leaves(column: &Column, domain: &Domain) -> bool {
    let range = column.range;
    if domain.trusting && range.low == f64::NEG_INFINITY && range.high == f64::INFINITY {
        return false;
    }
    // Of a quotient only 0 is outside, also where the numbers around it are negative.
    let inside = range.is_within(domain.within) || (domain.outside == "0" && !range.has_zero());
    !inside
}

/// One warning for all columns of a map.
pub(super) fn warn(op: &Call, domain: &Domain, columns: &[Column], out: &mut Vec<Diagnostic>) {
    let Some(first) = columns.first() else { return };
    let names: Vec<_> = columns.iter().map(|c| format!("`{}`", c.name)).collect();
    let names = match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => return,
    };
    let name = &op.name.name;
    let mut diagnostic = Diagnostic::warning(
        Code::W0501,
        op.span,
        format!("`{name}` has no value where {names} may be {}: such a row stops the run", domain.outside),
    )
    .label(format!("may be {}", domain.outside));
    for column in columns {
        diagnostic = diagnostic.related(column.span, format!("`{}` is {}", column.name, known(column)));
    }
    let mut ways: Vec<String> = Vec::new();
    // Another map helps where it has a value for all that the column may be.
    let instead = domain.instead.filter(|_| first.range.low >= 0.0 || first.range == Range::ALL);
    ways.extend(instead.map(|map| format!("`{map}`")));
    ways.push(format!("`filter {}` above it", domain.filter.replace("{}", &first.name)));
    ways.push(format!("declare `{}: {} {}`", first.name, first.dtype, domain.declare));
    diagnostic = diagnostic.help(format!("write {}", ways.join(", or ")));
    // Where only 0 is the matter, the other map is what is meant.
    if let (Some(map), true) = (instead, columns.iter().all(|c| c.range.low >= 0.0)) {
        diagnostic = diagnostic.fix(Fix::write(op.span, map));
    }
    out.push(diagnostic);
}

/// What is known of a column's numbers, in words.
fn known(column: &Column) -> String {
    if column.range.is_all() { column.dtype.to_string() } else { format!("{}, {}", column.dtype, column.range.words()) }
}
