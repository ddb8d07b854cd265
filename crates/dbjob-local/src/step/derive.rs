use dbjob_plan::{NamedExpr, RunError};
use polars::prelude::{Expr, LazyFrame};

use super::Step;

/// A later column sees the earlier ones, so a run of columns that do not see each other is one projection. Columns that
/// nothing reads are left out.
pub(super) fn lower(step: &Step<'_>, mut frame: LazyFrame, columns: &[NamedExpr]) -> Result<LazyFrame, RunError> {
    let mut names: Vec<&str> = Vec::new();
    let mut exprs: Vec<Expr> = Vec::new();
    for column in live(step, columns) {
        let sees = column.expr.columns().iter().any(|c| names.contains(c));
        if sees || names.contains(&column.name.as_str()) {
            frame = frame.with_columns(std::mem::take(&mut exprs));
            names.clear();
        }
        exprs.push(step.lower(&column.expr)?.alias(column.name.as_str()));
        names.push(&column.name);
    }
    Ok(if exprs.is_empty() { frame } else { frame.with_columns(exprs) })
}

fn live<'a>(step: &Step<'_>, columns: &'a [NamedExpr]) -> Vec<&'a NamedExpr> {
    let mut wanted: Vec<&str> = Vec::new();
    let mut done: Vec<&str> = Vec::new();
    let mut kept: Vec<&NamedExpr> = Vec::new();
    for column in columns.iter().rev() {
        let name = column.name.as_str();
        let last = step.is_live(name) && !done.contains(&name);
        if last || wanted.contains(&name) {
            wanted.retain(|w| *w != name);
            wanted.extend(column.expr.columns());
            done.push(name);
            kept.push(column);
        }
    }
    kept.reverse();
    kept
}
