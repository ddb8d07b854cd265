//! Maps that are expressions of the language.

use dbjob_plan::{Expr, Formula, MAPPED, MapLink, RunError, Undo};
use polars::prelude::{self as pl, Column, PolarsResult};

use crate::expr::{Scope, lower};
use crate::types::polars_type;
use crate::udf;

/// The mapped form of `input`. Errors while it runs: E0707 for a value that a strict formula has no finite result for.
pub(super) fn apply(
    input: pl::Expr,
    link: &MapLink,
    formula: &Formula,
    scope: &Scope<'_>,
) -> Result<pl::Expr, RunError> {
    let mapped = over(&formula.forward, &input, scope)?.cast(polars_type(&link.to));
    if !formula.strict {
        return Ok(mapped);
    }
    let (reporter, name) = (scope.reporter(), link.map.clone());
    Ok(udf::fallible(vec![mapped, input], polars_type(&link.to), move |columns| {
        let (mapped, input) = (&columns[0], &columns[1]);
        if let Some(at) = lost(input, mapped)? {
            let value = crate::types::value_of(&input.get(at)?).to_string();
            return Err(reporter.fail("E0707", format!("`{name}` has no value for {value}"), Some(value)));
        }
        Ok(mapped.clone())
    }))
}

/// `input` before it was mapped. Errors while it runs, if `strict`: E0707 for a value from which no way leads back to a
/// column that has no nulls.
pub(super) fn undo(
    input: pl::Expr,
    link: &MapLink,
    formula: &Formula,
    strict: bool,
    scope: &Scope<'_>,
) -> Result<pl::Expr, RunError> {
    let back = match &formula.undo {
        Undo::By(back) => over(back, &input.clone().cast(polars_type(&link.to)), scope)?,
        Undo::Never(why) => return Err(RunError::new("E0799", format!("`{}` cannot be undone: {why}", link.map))),
    };
    if !strict || link.from_nullable {
        return Ok(back);
    }
    let (reporter, name) = (scope.reporter(), link.map.clone());
    Ok(udf::fallible(vec![back, input], polars_type(&link.from), move |columns| {
        let (back, mapped) = (&columns[0], &columns[1]);
        if back.null_count() > mapped.null_count() {
            let lost = back.is_null() & mapped.is_not_null();
            let at = lost.iter().position(|l| l == Some(true)).unwrap_or_default();
            let value = crate::types::value_of(&mapped.get(at)?).to_string();
            return Err(reporter.fail(
                "E0707",
                format!("`{name}` cannot be undone where it gave {value}"),
                Some(value),
            ));
        }
        Ok(back.clone())
    }))
}

/// The first row that has a value and no result: null, or of a finite number none that is finite.
fn lost(input: &Column, mapped: &Column) -> PolarsResult<Option<usize>> {
    if mapped.null_count() > input.null_count() {
        return Ok((mapped.is_null() & input.is_not_null()).iter().position(|l| l == Some(true)));
    }
    let Ok(results) = mapped.f64() else { return Ok(None) };
    let finite = |x: Option<f64>| x.is_none_or(f64::is_finite);
    if results.iter().all(finite) {
        return Ok(None);
    }
    let values = input.cast(&pl::DataType::Float64)?;
    Ok(values.f64()?.iter().zip(results.iter()).position(|(x, y)| finite(x) && !finite(y)))
}

/// The expression with `input` for its column.
fn over(expr: &Expr, input: &pl::Expr, scope: &Scope<'_>) -> Result<pl::Expr, RunError> {
    let lowered = lower(expr, scope)?;
    Ok(lowered.map_expr(|e| match e {
        pl::Expr::Column(name) if name == MAPPED => input.clone(),
        other => other,
    }))
}
