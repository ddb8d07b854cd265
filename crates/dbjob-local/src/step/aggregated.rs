//! Expressions over aggregates, in three passes: the arguments of the aggregates row by row, the aggregates alone, and what
//! is made of them row by row. Polars takes all three in one expression, but only plain columns keep their shape there: a
//! constant or a condition beside an aggregate may come out as a list, or with a length of its own.

use dbjob_plan::{DataType, Expr, ExprKind, Field, RunError, Schema};
use polars::prelude::{self as pl, LazyFrame, SortMultipleOptions};

use super::Step;
use super::tuples::Tuples;
use crate::aggregate;
use crate::expr::{Scope, lower};
use crate::fault::engine_error;
use crate::udf::{col, hashable};

/// Stands in front of the names of columns that no table has after the step.
const ARGUMENT: &str = "__argument_";
const AGGREGATE: &str = "__aggregate_";

/// The first row of a group.
const FIRST: &str = "__first";

pub(super) struct Aggregated<'a> {
    /// Of the rows.
    scope: Scope<'a>,
    step: &'a Step<'a>,
    /// The aggregates, as columns.
    schema: Schema,
    arguments: Vec<pl::Expr>,
    aggregates: Vec<pl::Expr>,
    results: Vec<pl::Expr>,
}

impl<'a> Aggregated<'a> {
    /// `scope`: where the arguments are computed.
    pub fn new(step: &'a Step<'a>, scope: Scope<'a>) -> Self {
        let schema = Schema::default();
        Self { scope, step, schema, arguments: Vec::new(), aggregates: Vec::new(), results: Vec::new() }
    }

    /// Adds results of one expression: for each a name and the column that says which rows its aggregates look at, if not
    /// at all.
    pub fn add(&mut self, expr: &Expr, results: &[(String, Option<&str>)]) -> Result<(), RunError> {
        let mut inputs = Vec::new();
        self.arguments_of(expr, &mut inputs)?;
        for (name, only) in results {
            let mut outer = expr.clone();
            self.take_out(&mut outer, *only, &mut inputs.iter().cloned())?;
            let scope = Scope::new(self.step.faults, self.step.id, &self.schema);
            let result = lower(&outer, &scope).map_err(|e| e.or_span(self.step.node.span))?;
            self.results.push(result.alias(name.as_str()));
        }
        Ok(())
    }

    /// The arguments of each aggregate in the expression, as columns; what is none becomes one.
    fn arguments_of(&mut self, expr: &Expr, inputs: &mut Vec<Vec<pl::Expr>>) -> Result<(), RunError> {
        let ExprKind::Aggregate { args, .. } = &expr.kind else {
            return expr.operands().into_iter().try_for_each(|operand| self.arguments_of(operand, inputs));
        };
        let mut columns = Vec::new();
        for arg in args {
            columns.push(match &arg.kind {
                ExprKind::Column(name) => col(name.as_str()),
                _ => {
                    let name = format!("{ARGUMENT}{}", self.arguments.len());
                    let value = lower(arg, &self.scope).map_err(|e| e.or_span(self.step.node.span))?;
                    self.arguments.push(value.alias(name.as_str()));
                    col(name)
                }
            });
        }
        inputs.push(columns);
        Ok(())
    }

    /// Puts columns in place of the aggregates, whose arguments are `inputs`, in order.
    fn take_out(
        &mut self,
        expr: &mut Expr,
        only: Option<&str>,
        inputs: &mut dyn Iterator<Item = Vec<pl::Expr>>,
    ) -> Result<(), RunError> {
        if !matches!(expr.kind, ExprKind::Aggregate { .. }) {
            return expr.operands_mut().into_iter().try_for_each(|operand| self.take_out(operand, only, inputs));
        }
        let inputs = inputs.next().expect("the same expression had its arguments taken");
        let value =
            aggregate::lower(expr, inputs, only.map(col), &self.scope).map_err(|e| e.or_span(self.step.node.span))?;
        let name = format!("{AGGREGATE}{}", self.aggregates.len());
        self.aggregates.push(value.alias(name.as_str()));
        self.schema.fields.push(Field::new(name.clone(), expr.dtype.clone(), expr.nullable));
        expr.kind = ExprKind::Column(name);
        Ok(())
    }

    /// One row of the results, in the order in which they were added.
    pub fn of_all(mut self, frame: LazyFrame) -> LazyFrame {
        if self.aggregates.is_empty() {
            // A row takes something that is counted.
            self.aggregates.push(pl::len().alias(AGGREGATE));
        }
        frame.with_columns(self.arguments).select(self.aggregates).select(self.results)
    }

    /// A row for each group. The groups come in the order of their first rows if `ordered`. `keys`: expressions under the
    /// names of `types`; `names`: the columns of the result, keys and results.
    pub fn by(
        mut self,
        frame: LazyFrame,
        (keys, types): (&[pl::Expr], &[(String, DataType)]),
        ordered: bool,
        names: &[String],
    ) -> Result<LazyFrame, RunError> {
        let (mut frame, mut keys) = hashable(frame, keys.to_vec()).map_err(engine_error)?;
        if let Some(tuples) = Tuples::of(&keys, types) {
            keys = vec![tuples.number()];
            self.results.extend(tuples.keys());
        }
        frame = frame.with_columns(self.arguments);
        if ordered {
            // Polars' own way of it takes half as long again, and twice the memory.
            frame = frame.with_row_index(FIRST, None);
            self.aggregates.push(col(FIRST).min().alias(FIRST));
        }
        let mut groups = frame.group_by(keys).agg(self.aggregates);
        if ordered {
            groups = groups.sort([FIRST], SortMultipleOptions::default());
        }
        let columns: Vec<pl::Expr> = names.iter().map(|name| col(name.as_str())).collect();
        Ok(groups.with_columns(self.results).select(columns))
    }
}
