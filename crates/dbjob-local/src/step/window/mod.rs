//! `window`: the rows are sorted once into partitions, and cut into parts of whole partitions. Threads share the parts; in a
//! part every aggregate walks over its frames in one pass.

mod aggregate;
mod bag;
mod fill;
mod layout;
mod moments;
mod part;
mod put;
mod slide;
mod slots;

use std::collections::BTreeSet;

use dbjob_plan::{DataType, Expr, ExprKind, Field, Frame, NamedExpr, RunError, Schema, Value, Window};
use polars::prelude::{DataFrame, IntoLazy, PlSmallStr};

use self::layout::Layout;
pub(super) use self::layout::{differs, micros, ranks};
use super::Step;
use crate::expr::{Scope, lower};
use crate::fault::{engine_error, guarded};

/// What an order gives, besides the aggregates of the catalog.
pub(crate) const OF_ORDER: &[&str] = &["lag", "lead", "row_number", "rank", "dense_rank"];

/// One aggregate or function of the order, under the name of the column that takes its place in the expressions.
struct Cell {
    name: String,
    function: String,
    args: Vec<Expr>,
    frame: Option<Frame>,
    dtype: DataType,
}

impl Cell {
    /// The name of its argument number `i`, as a column.
    fn input(&self, i: usize) -> String {
        format!("{}_{i}", self.name)
    }

    /// A parameter that is written in the job, if there is one.
    fn constant(&self) -> Option<&Value> {
        match self.args.get(1).map(|e| &e.kind) {
            Some(ExprKind::Literal(value)) => Some(value),
            _ => None,
        }
    }
}

/// The table of a window over `rows`, the live columns in the order of the schema; rows in their order. What is not needed
/// any more is let go on the way: `rows` should be the last that holds them.
///
/// Errors: E0709 with the row whose frame has a sum that does not fit; what the expressions raise.
pub(crate) fn compute(step: &Step<'_>, rows: DataFrame, window: &Window) -> Result<DataFrame, RunError> {
    let mut cells: Vec<Cell> = Vec::new();
    let mut outputs: Vec<NamedExpr> = window.columns.iter().filter(|c| step.is_live(&c.name)).cloned().collect();
    outputs.iter_mut().for_each(|c| take_out(&mut c.expr, &mut cells));
    let height = rows.height();
    let mut inputs = evaluate(step, &rows, &row_wise(window, &cells), step.input_schema(0))?;
    let mut table = needed(step, rows, &outputs)?;
    let mut taken = |name: String| inputs.drop_in_place(&name).map_err(engine_error);
    let by = (0..window.by.len()).map(|i| taken(format!("{BY}{i}"))).collect::<Result<_, _>>()?;
    let order = (0..window.order.len()).map(|i| taken(format!("{ORDER}{i}"))).collect::<Result<_, _>>()?;
    let args = |cell: &Cell| (0..cell.args.len()).map(|i| Ok(taken(cell.input(i))?.rechunk())).collect();
    let args = cells.iter().map(args).collect::<Result<Vec<_>, RunError>>()?;
    drop(inputs);
    let timed = cells.iter().any(|cell| matches!(cell.frame, Some(Frame::Time { .. })));
    let layout = Layout::new(by, order, &window.order, height, timed)?;
    let mut schema = step.input_schema(0).clone();
    for (cell, column) in cells.iter().zip(fill::columns(step, &cells, args, layout)?) {
        table.with_column(column.with_name(cell.name.as_str().into())).map_err(engine_error)?;
        schema.fields.push(Field::new(cell.name.clone(), cell.dtype.clone(), true));
    }
    let mut table = evaluate(step, &table, &outputs, &schema)?;
    for cell in &cells {
        table.drop_in_place(&cell.name).map_err(engine_error)?;
    }
    Ok(table)
}

/// The columns of `rows` that something reads below, or `outputs` do.
fn needed(step: &Step<'_>, rows: DataFrame, outputs: &[NamedExpr]) -> Result<DataFrame, RunError> {
    if !step.node.schema.open.is_empty() {
        return Ok(rows);
    }
    let read: BTreeSet<String> = outputs.iter().flat_map(|c| c.expr.columns()).map(str::to_owned).collect();
    let names: Vec<PlSmallStr> = rows
        .get_column_names_owned()
        .into_iter()
        .filter(|name| {
            read.contains(name.as_str()) || (step.is_live(name) && outputs.iter().all(|c| c.name != name.as_str()))
        })
        .collect();
    if names.is_empty() { Ok(rows) } else { rows.select(names).map_err(engine_error) }
}

const BY: &str = "__by_";
const ORDER: &str = "__order_";

/// Replaces what looks at other rows by columns, which are then computed as `cells`.
fn take_out(expr: &mut Expr, cells: &mut Vec<Cell>) {
    if let ExprKind::Aggregate { function, args, frame } = &mut expr.kind {
        let name = format!("__window_{}", cells.len());
        let (function, args) = (std::mem::take(function), std::mem::take(args));
        cells.push(Cell { name: name.clone(), function, args, frame: *frame, dtype: expr.dtype.clone() });
        expr.kind = ExprKind::Column(name);
    } else {
        expr.operands_mut().into_iter().for_each(|operand| take_out(operand, cells));
    }
}

/// All that is computed row by row before rows are brought together.
fn row_wise(window: &Window, cells: &[Cell]) -> Vec<NamedExpr> {
    let keys = |prefix: &str, exprs: Vec<&Expr>| -> Vec<NamedExpr> {
        let named = |(i, e): (usize, &Expr)| NamedExpr { name: format!("{prefix}{i}"), expr: e.clone() };
        exprs.into_iter().enumerate().map(named).collect()
    };
    let mut all = keys(BY, window.by.iter().collect());
    all.extend(keys(ORDER, window.order.iter().map(|k| &k.expr).collect()));
    for cell in cells {
        all.extend(cell.args.iter().enumerate().map(|(i, e)| NamedExpr { name: cell.input(i), expr: e.clone() }));
    }
    all
}

/// `table` with these columns.
fn evaluate(step: &Step<'_>, table: &DataFrame, columns: &[NamedExpr], schema: &Schema) -> Result<DataFrame, RunError> {
    let scope = Scope::new(step.faults, step.id, schema);
    let exprs = columns
        .iter()
        .map(|c| Ok(lower(&c.expr, &scope)?.alias(c.name.as_str())))
        .collect::<Result<Vec<_>, RunError>>()
        .map_err(|e| e.or_span(step.node.span))?;
    let run = |part: DataFrame| guarded(|| part.lazy().with_columns(exprs.clone()).collect());
    run(table.clone()).map_err(|error| match step.faults.take() {
        Some(fault) => {
            let found = step.faults.first(table, &|part| run(part).map(drop));
            let (row, fault) = found.map_or((None, fault), |(row, fault)| (Some(row), fault));
            fault.into_error(row).or_span(step.node.span)
        }
        None => engine_error(error),
    })
}
