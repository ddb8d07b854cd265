//! The functions of the language, row by row; one file a family.

mod cast;
mod conditional;
mod date;
pub(crate) mod math;
pub(crate) mod parse;
mod string;

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
}

const FAMILIES: [&[&str]; 5] = [math::NAMES, string::NAMES, date::NAMES, cast::NAMES, conditional::NAMES];

pub(crate) fn is_known(name: &str) -> bool {
    FAMILIES.iter().any(|names| names.contains(&name))
}

/// Whether a value of its argument can stop the run.
pub(crate) fn may_fail(name: &str) -> bool {
    matches!(name, "int" | "float" | "bool" | "date" | "datetime" | "floor" | "ceil" | "abs" | "round" | "add_months")
}

pub(crate) fn lower(name: &str, args: &[Expr], whole: &Expr, scope: &Scope<'_>) -> Result<pl::Expr, RunError> {
    let lowered = args.iter().map(|a| crate::expr::lower(a, scope)).collect::<Result<Vec<_>, _>>()?;
    let call = Call { name, args, lowered, whole, scope };
    let families: [fn(&Call<'_>) -> Result<Option<pl::Expr>, RunError>; 5] =
        [math::lower, string::lower, date::lower, cast::lower, conditional::lower];
    for family in families {
        if let Some(expr) = family(&call)? {
            return Ok(expr);
        }
    }
    Err(RunError::new("E0799", format!("the local engine has no function `{name}`")).or_span(whole.span))
}
