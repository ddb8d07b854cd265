use dbjob_plan::RunError;
use polars::prelude as pl;

use super::Call;

pub(super) const NAMES: &[&str] = &["coalesce", "greatest", "least"];

pub(super) fn lower(call: &Call<'_>) -> Result<Option<pl::Expr>, RunError> {
    Ok(Some(match call.name {
        "coalesce" => pl::coalesce(&call.lowered),
        // Null only if all are; NaN is above every number, as in every comparison of polars.
        "greatest" => fold(call, |a, b| a.gt_eq(b)),
        "least" => fold(call, |a, b| a.lt_eq(b)),
        _ => return Ok(None),
    }))
}

fn fold(call: &Call<'_>, better: fn(pl::Expr, pl::Expr) -> pl::Expr) -> pl::Expr {
    call.lowered
        .iter()
        .cloned()
        .reduce(|a, b| {
            let keep = b.clone().is_null().or(better(a.clone(), b.clone()));
            pl::when(a.clone().is_not_null().and(keep)).then(a).otherwise(b)
        })
        .expect("the checker asks for at least one argument")
}
