//! The functions of the language, row by row; one file a family.

mod calendar;
mod cast;
mod conditional;
mod date;
mod list;
pub(crate) mod math;
mod regex;
mod string;
mod zone;

use dbjob_plan::{Expr, RunError};
use polars::prelude as pl;

use crate::expr::Scope;

/// A call being lowered: the arguments as written and as polars expressions.
pub(crate) struct Call<'a> {
    pub name: &'a str,
    pub args: &'a [Expr],
    pub lowered: Vec<pl::Expr>,
    pub whole: &'a Expr,
    pub scope: &'a Scope<'a>,
}

impl Call<'_> {
    /// Argument `i`, lowered. The checker has proven that it is there.
    pub fn arg(&self, i: usize) -> pl::Expr {
        self.lowered[i].clone()
    }

    /// The text of argument `i` if it is a constant.
    pub fn text(&self, i: usize) -> Option<&str> {
        match &self.args.get(i)?.kind {
            dbjob_plan::ExprKind::Literal(value) => value.as_str(),
            _ => None,
        }
    }

    /// Argument `i` as an int as written; 0 for none.
    pub fn int(&self, i: usize) -> i64 {
        fn value(expr: &Expr) -> i64 {
            match &expr.kind {
                dbjob_plan::ExprKind::Literal(value) => value.as_i64().unwrap_or(0),
                dbjob_plan::ExprKind::Negate(x) => -value(x),
                _ => 0,
            }
        }
        self.args.get(i).map_or(0, value)
    }
}

/// A family of functions: their names, and how each becomes a polars expression (`None`: not of this family, or not of
/// arguments of these types).
type Family = (&'static [&'static str], fn(&Call<'_>) -> Result<Option<pl::Expr>, RunError>);

const FAMILIES: [Family; 9] = [
    (math::NAMES, math::lower),
    (string::NAMES, string::lower),
    (regex::NAMES, regex::lower),
    (list::NAMES, list::lower),
    (date::NAMES, date::lower),
    (calendar::NAMES, calendar::lower),
    (zone::NAMES, zone::lower),
    (cast::NAMES, cast::lower),
    (conditional::NAMES, conditional::lower),
];

pub(crate) fn is_known(name: &str) -> bool {
    FAMILIES.iter().any(|(names, _)| names.contains(&name))
}

/// Whether a value of its argument can stop the run.
pub(crate) fn may_fail(name: &str) -> bool {
    matches!(
        name,
        "int"
            | "float"
            | "decimal"
            | "bool"
            | "date"
            | "datetime"
            | "vector"
            | "floor"
            | "ceil"
            | "trunc"
            | "sign"
            | "abs"
            | "round"
            | "repeat"
            | "add_days"
            | "add_months"
            | "add_years"
            | "from_epoch"
            | "local"
            | "list_sum"
            | "convert_items"
    )
}

pub(crate) fn lower(name: &str, args: &[Expr], whole: &Expr, scope: &Scope<'_>) -> Result<pl::Expr, RunError> {
    let lowered = args.iter().map(|a| crate::expr::lower(a, scope)).collect::<Result<Vec<_>, _>>()?;
    let call = Call { name, args, lowered, whole, scope };
    for (_, lower) in FAMILIES.iter().filter(|(names, _)| names.contains(&name)) {
        if let Some(expr) = lower(&call)? {
            return Ok(expr);
        }
    }
    Err(RunError::new("E0799", format!("the local engine has no function `{name}`")).or_span(whole.span))
}
