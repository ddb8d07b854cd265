//! Maps that are expressions of the language.

use dbjob_plan::{Expr, Formula, MAPPED, MapLink, RunError, Undo};
use polars::prelude as pl;

use crate::expr::{Scope, lower};
use crate::types::polars_type;
use crate::udf;

/// The mapped form of `input`. Errors while it runs: E0707 for a value that a strict formula has none for.
pub(super) fn apply(
    input: pl::Expr,
    link: &MapLink,
    formula: &Formula,
    scope: &Scope<'_>,
) -> Result<pl::Expr, RunError> {
    let mapped = over(&formula.forward, &input, scope)?.cast(polars_type(&link.to));
    if !formula.strict || !may_give_null(&formula.forward) {
        return Ok(mapped);
    }
    let (reporter, name) = (scope.reporter(), link.map.clone());
    Ok(udf::fallible(vec![mapped, input], polars_type(&link.to), move |columns| {
        let (mapped, input) = (&columns[0], &columns[1]);
        if mapped.null_count() > input.null_count() {
            let lost = mapped.is_null() & input.is_not_null();
            let at = lost.iter().position(|l| l == Some(true)).unwrap_or_default();
            let value = crate::types::value_of(&input.get(at)?).to_string();
            return Err(reporter.fail("E0707", format!("`{name}` has no value for {value}"), Some(value)));
        }
        Ok(mapped.clone())
    }))
}

/// `input` before it was mapped.
pub(super) fn undo(
    input: pl::Expr,
    link: &MapLink,
    formula: &Formula,
    scope: &Scope<'_>,
) -> Result<pl::Expr, RunError> {
    match &formula.undo {
        Undo::By(back) => over(back, &input.cast(polars_type(&link.to)), scope),
        Undo::Never(why) => Err(RunError::new("E0799", format!("`{}` cannot be undone: {why}", link.map))),
    }
}

/// The expression with `input` for its column.
fn over(expr: &Expr, input: &pl::Expr, scope: &Scope<'_>) -> Result<pl::Expr, RunError> {
    let lowered = lower(expr, scope)?;
    Ok(lowered.map_expr(|e| match e {
        pl::Expr::Column(name) if name == MAPPED => input.clone(),
        other => other,
    }))
}

/// Whether there may be null where the column is not: the checker marks such parts as nullable.
fn may_give_null(forward: &Expr) -> bool {
    let mut column = false;
    forward.walk(&mut |e| column |= matches!(e.kind, dbjob_plan::ExprKind::Column(_)) && e.nullable);
    column || forward.nullable
}
