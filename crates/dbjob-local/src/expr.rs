//! `dbjob_plan::Expr` to polars, with the one meaning of the language where polars has another.

use dbjob_plan::{BinaryOp, DataType, Expr, ExprKind, NodeId, RunError, Schema, Span, Value};
use polars::prelude as pl;

use crate::arithmetic;
use crate::fault::{Fault, Faults};
use crate::types::{literal, polars_type};
use crate::{function, list};

/// Where an expression stands.
#[derive(Clone)]
pub(crate) struct Scope<'a> {
    pub faults: &'a Faults,
    pub node: NodeId,
    /// The columns that the expression may read; their refinements spare overflow checks.
    pub schema: &'a Schema,
    /// Where the expression is written, or the whole of it where this part stands elsewhere: in a function of the job.
    written: Option<Span>,
    /// Conditions under which the expression is wanted at all: a cast inside `if` must not fail for the other rows.
    guards: Vec<pl::Expr>,
}

impl<'a> Scope<'a> {
    pub fn new(faults: &'a Faults, node: NodeId, schema: &'a Schema) -> Self {
        Self { faults, node, schema, written: None, guards: Vec::new() }
    }

    /// Of a part of the expression.
    fn of(&self, part: &Expr) -> Self {
        let written = self.written.filter(|whole| !whole.contains(part.span)).unwrap_or(part.span);
        Self { written: Some(written), ..self.clone() }
    }

    /// The same, where what follows is wanted only for the rows for which `guard` is true.
    pub fn under(&self, guard: pl::Expr) -> Self {
        let mut inner = self.clone();
        inner.guards.push(guard);
        inner
    }

    /// `input` where the expression is wanted, else null, which no function fails on.
    pub fn guard(&self, input: pl::Expr) -> pl::Expr {
        match self.guards.iter().cloned().reduce(pl::Expr::and) {
            Some(wanted) => pl::when(wanted).then(input).otherwise(pl::lit(pl::NULL)),
            None => input,
        }
    }

    /// What closures use to tell a fault of this node.
    pub fn reporter(&self) -> Reporter {
        Reporter { faults: self.faults.clone(), node: self.node, span: self.written }
    }
}

/// Tells faults of one node.
#[derive(Clone)]
pub(crate) struct Reporter {
    faults: Faults,
    node: NodeId,
    span: Option<Span>,
}

impl Reporter {
    pub fn fail(&self, code: &'static str, message: String, value: Option<String>) -> pl::PolarsError {
        self.faults.raise(Fault { node: self.node, span: self.span, code, message, column: None, value })
    }
}

/// The polars expression of `expr`, of exactly the type `expr.dtype`.
pub(crate) fn lower(expr: &Expr, scope: &Scope<'_>) -> Result<pl::Expr, RunError> {
    let scope = &scope.of(expr);
    let below = |e: &Expr| lower(e, scope);
    Ok(match &expr.kind {
        ExprKind::Column(name) => crate::udf::col(name.as_str()),
        ExprKind::Literal(value) => literal(value, &expr.dtype),
        ExprKind::Not(x) => below(x)?.not(),
        ExprKind::Negate(x) => arithmetic::negate(x, below(x)?, scope),
        ExprKind::IsNull(x) => below(x)?.is_null(),
        ExprKind::Binary { op, left, right } => binary(*op, left, right, expr, scope)?,
        ExprKind::InList { value, items } => in_list(below(value)?, items, scope)?,
        ExprKind::InRange { value, low, high, inclusive } => {
            let x = below(value)?;
            let above = low.as_deref().map(|e| below(e).map(|low| x.clone().gt_eq(low))).transpose()?;
            let beneath = high
                .as_deref()
                .map(|e| below(e).map(|high| if *inclusive { x.clone().lt_eq(high) } else { x.clone().lt(high) }))
                .transpose()?;
            match (above, beneath) {
                (Some(a), Some(b)) => a.and(b),
                (Some(one), None) | (None, Some(one)) => one,
                (None, None) => pl::when(x.is_null()).then(pl::lit(pl::NULL)).otherwise(pl::lit(true)),
            }
        }
        ExprKind::If { condition, then, otherwise } => {
            let condition = below(condition)?;
            let holds = condition.clone().fill_null(pl::lit(false));
            let a = lower(then, &scope.under(holds.clone()))?;
            let b = lower(otherwise, &scope.under(holds.not()))?;
            pl::when(condition).then(a).otherwise(b)
        }
        ExprKind::Call { function, args } => function::lower(function, args, expr, scope)?,
        ExprKind::List(items) => {
            let items = items.iter().map(below).collect::<Result<Vec<_>, _>>()?;
            list::of_items(items, &expr.dtype)
        }
        // `group`, `pivot`, `window` and rules over a table put columns in their place before.
        ExprKind::Aggregate { function, .. } => {
            let message = format!("`{function}` stands where no rows are brought together");
            return Err(RunError::new("E0799", message).or_span(expr.span));
        }
    })
}

fn binary(op: BinaryOp, left: &Expr, right: &Expr, whole: &Expr, scope: &Scope<'_>) -> Result<pl::Expr, RunError> {
    let l = lower(left, scope)?;
    // The right side of a connective counts only where the left one does not decide.
    let inner = match op {
        BinaryOp::And => Some(l.clone().fill_null(pl::lit(true))),
        BinaryOp::Or => Some(l.clone().fill_null(pl::lit(false)).not()),
        BinaryOp::Coalesce => Some(l.clone().is_null()),
        _ => None,
    };
    let r = match inner {
        Some(guard) if may_fail(right) => lower(right, &scope.under(guard))?,
        _ => lower(right, scope)?,
    };
    Ok(match op {
        BinaryOp::And => l.and(r),
        BinaryOp::Or => l.or(r),
        BinaryOp::Eq => l.eq(r),
        BinaryOp::Ne => l.neq(r),
        BinaryOp::Lt => l.lt(r),
        BinaryOp::Le => l.lt_eq(r),
        BinaryOp::Gt => l.gt(r),
        BinaryOp::Ge => l.gt_eq(r),
        BinaryOp::Coalesce => pl::when(l.clone().is_not_null()).then(l).otherwise(r),
        _ => arithmetic::lower(op, (left, l), (right, r), whole, scope),
    })
}

/// Null when `x` is null, or when no item equals and one item is null.
fn in_list(x: pl::Expr, items: &[Expr], scope: &Scope<'_>) -> Result<pl::Expr, RunError> {
    let is_null = |e: &Expr| matches!(e.kind, ExprKind::Literal(Value::Null));
    let with_null = items.iter().any(is_null);
    let constants: Option<Vec<&Value>> = items
        .iter()
        .filter(|e| !is_null(e))
        .map(|e| if let ExprKind::Literal(value) = &e.kind { Some(value) } else { None })
        .collect();
    let found = match constants {
        Some(values) if values.is_empty() => pl::when(x.is_null()).then(pl::lit(pl::NULL)).otherwise(pl::lit(false)),
        Some(values) if values.len() > 3 => {
            let dtype = items.iter().find(|e| !is_null(e)).map_or(&DataType::Unknown, |e| &e.dtype);
            let values: Vec<_> = values.into_iter().map(|v| crate::types::any_value(v, dtype)).collect();
            let set = pl::Series::from_any_values_and_dtype("".into(), &values, &polars_type(dtype), true)
                .map_err(crate::fault::engine_error)?;
            let set = set.implode().map_err(crate::fault::engine_error)?;
            x.is_in(pl::lit(pl::IntoSeries::into_series(set)), false)
        }
        _ => {
            let mut any: Option<pl::Expr> = None;
            for item in items.iter().filter(|e| !is_null(e)) {
                let equal = x.clone().eq(lower(item, scope)?);
                any = Some(match any {
                    Some(sofar) => sofar.or(equal),
                    None => equal,
                });
            }
            any.expect("the empty list was handled above")
        }
    };
    Ok(if with_null { pl::when(found).then(pl::lit(true)).otherwise(pl::lit(pl::NULL)) } else { found })
}

/// Whether evaluating it on a row may stop the run.
fn may_fail(expr: &Expr) -> bool {
    let mut found = false;
    expr.walk(&mut |e| {
        found |= match &e.kind {
            ExprKind::Call { function, .. } => function::may_fail(function),
            ExprKind::Binary { op, .. } => {
                let checked = matches!(e.dtype, DataType::Int | DataType::Decimal { .. } | DataType::Duration)
                    || e.dtype.is_temporal();
                checked && !matches!(op, BinaryOp::Coalesce)
            }
            ExprKind::Negate(_) => e.dtype == DataType::Int,
            _ => false,
        }
    });
    found
}
