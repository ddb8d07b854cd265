//! Maps of columns that may hold what the map has no value for.

use dbjob_plan::{BinaryOp, Expr, ExprKind, Span};

use crate::catalog::function::{self, Nulls};
use crate::catalog::map::Domain;
use crate::diagnostic::{Code, Diagnostic, Fix};
use crate::hir::range::Range;
use crate::hir::reach::range_of;
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

/// Warns of a function of the job that gives null where a function in it has no value.
pub(super) fn warn_of_gap(op: &Call, forward: &Expr, column: &Column, out: &mut Vec<Diagnostic>) {
    let Some(gap) = gap(forward, column.range) else { return };
    let (name, function) = (&op.name.name, gap.function);
    let of = if gap.direct { format!("`{}` may be", column.name) } else { "what it takes may be".to_owned() };
    let message = format!("`{function}` in `{name}` has no value where {of} {}: that gives null", gap.outside);
    let diagnostic = Diagnostic::warning(Code::W0501, op.span, message)
        .label("may give null for a value")
        .related(gap.span, "here")
        .related(column.span, format!("`{}` is {}", column.name, known(column)));
    out.push(diagnostic.help(match gap.direct {
        true => format!("write `filter {} {}` above it, or declare the column so", column.name, gap.bound),
        false => format!("narrow `{}` by a `filter` above it, or where it is declared", column.name),
    }));
}

/// A function that may have no value for some of a column.
struct Gap<'a> {
    function: &'a str,
    /// What its argument must be: `> 0`.
    bound: &'static str,
    /// What it may be instead, in words.
    outside: &'static str,
    /// Whether its argument is the column itself.
    direct: bool,
    span: Span,
}

/// The first such function, by what is known of the column. What stands behind a condition is taken to be guarded by it.
fn gap(expr: &Expr, range: Range) -> Option<Gap<'_>> {
    let below = match &expr.kind {
        ExprKind::If { condition, .. } => vec![&**condition],
        ExprKind::Binary { op: BinaryOp::Coalesce, right, .. } => vec![&**right],
        _ => expr.operands(),
    };
    if let Some(found) = below.into_iter().find_map(|e| gap(e, range)) {
        return Some(found);
    }
    let ExprKind::Call { function, args } = &expr.kind else { return None };
    let Some(Nulls::Domain(domain)) = function::find(function).map(|f| f.nulls) else { return None };
    let x = range_of(&args[0], &|_| range);
    let (inside, bound, outside) = match domain {
        function::Domain::Positive => (x.is_positive(), "> 0", "0 or less"),
        function::Domain::NonNegative => (x.is_non_negative(), ">= 0", "negative"),
        // `log1p` is what one writes to be safe.
        function::Domain::AboveMinusOne => (x.is_above(-1.0) || x.is_all(), "> -1", "-1 or less"),
        _ => return None,
    };
    let bare = |e: &Expr| matches!(&e.kind, ExprKind::Column(_));
    let direct = bare(&args[0])
        || matches!(&args[0].kind, ExprKind::Call { function, args } if function == "float" && bare(&args[0]));
    (!inside).then_some(Gap { function, bound, outside, direct, span: expr.span })
}

/// What is known of a column's numbers, in words.
fn known(column: &Column) -> String {
    if column.range.is_all() { column.dtype.to_string() } else { format!("{}, {}", column.dtype, column.range.words()) }
}
