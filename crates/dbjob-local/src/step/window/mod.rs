//! `window`: the rows are sorted once into partitions; every aggregate then walks over its frames in one pass.

mod aggregate;
mod bag;
mod layout;
mod moments;
mod slide;

use dbjob_plan::{DataType, Expr, ExprKind, Field, Frame, NamedExpr, RunError, Schema, Value, Window};
use polars::prelude::{Column, DataFrame, IntoLazy};

use self::aggregate::{Values, Wrong};
use self::layout::{Layout, column};
pub(super) use self::layout::{differs, micros, ranks};
use super::Step;
use crate::decimal;
use crate::expr::{Scope, lower};
use crate::fault::{Fault, engine_error, guarded};
use crate::types::polars_type;

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

/// The table of a window over `rows`, the live columns in the order of the schema; rows in their order.
///
/// Errors: E0709 with the row whose frame has a sum that does not fit; what the expressions raise.
pub(crate) fn compute(step: &Step<'_>, rows: &DataFrame, window: &Window) -> Result<DataFrame, RunError> {
    let mut cells: Vec<Cell> = Vec::new();
    let mut outputs: Vec<NamedExpr> = window.columns.iter().filter(|c| step.is_live(&c.name)).cloned().collect();
    outputs.iter_mut().for_each(|c| take_out(&mut c.expr, &mut cells));
    let inputs = evaluate(step, rows, &row_wise(window, &cells), step.input_schema(0))?;
    let some =
        |prefix: &str, n: usize| (0..n).map(|i| find(&inputs, &format!("{prefix}{i}"))).collect::<Result<_, _>>();
    let layout =
        Layout::new(some(BY, window.by.len())?, some(ORDER, window.order.len())?, &window.order, rows.height())?;
    let mut table = rows.clone();
    let mut schema = step.input_schema(0).clone();
    for cell in &cells {
        table
            .with_column(fill(step, cell, &inputs, &layout)?.with_name(cell.name.as_str().into()))
            .map_err(engine_error)?;
        schema.fields.push(Field::new(cell.name.clone(), cell.dtype.clone(), true));
    }
    let mut table = evaluate(step, &table, &outputs, &schema)?;
    for cell in &cells {
        table.drop_in_place(&cell.name).map_err(engine_error)?;
    }
    Ok(table)
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

fn find(table: &DataFrame, name: &str) -> Result<Column, RunError> {
    table.column(name).cloned().map_err(engine_error)
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

/// The values of a cell, by row.
fn fill(step: &Step<'_>, cell: &Cell, inputs: &DataFrame, layout: &Layout) -> Result<Column, RunError> {
    let unknown = || RunError::new("E0799", format!("the local engine has no `{}` in a window", cell.function));
    let args = (0..cell.args.len()).map(|i| find(inputs, &cell.input(i))).collect::<Result<Vec<_>, _>>()?;
    let values = match cell.frame {
        None => {
            let offset = cell.constant().and_then(Value::as_i64).unwrap_or(1);
            aggregate::of_order(&cell.function, offset, layout).ok_or_else(unknown)?
        }
        Some(frame) => {
            let sorted = args.iter().map(|x| layout.sorted(x)).collect::<Result<Vec<_>, _>>()?;
            let dtypes: Vec<DataType> = cell.args.iter().map(|a| a.dtype.clone()).collect();
            let share = cell.constant().and_then(Value::as_f64).unwrap_or(0.5);
            match aggregate::aggregate(&cell.function, &sorted, &dtypes, share, &layout.frames(frame)) {
                Ok(values) => values.ok_or_else(unknown)?,
                Err(Wrong::Engine(error)) => return Err(error),
                Err(Wrong::Overflow(at, message)) => {
                    let fault = Fault { node: step.id, span: None, code: "E0709", message, column: None, value: None };
                    return Err(fault.into_error(Some(layout.row_number_of(at))).or_span(step.node.span));
                }
            }
        }
    };
    let filled = match values {
        Values::Ints(values) => column(layout.scattered(values)),
        Values::Floats(values) => column(layout.scattered(values)),
        Values::Bools(values) => column(layout.scattered(values)),
        Values::Decimals(values) => {
            let digits = decimal::digits(&cell.dtype).ok_or_else(unknown)?;
            decimal::column(layout.scattered(values).into_iter().collect(), digits)
        }
        Values::Lists(positions) => layout.listed(args.first().ok_or_else(unknown)?, positions)?,
        Values::Of(positions) => {
            let x = args.first().ok_or_else(unknown)?;
            let outside: Vec<Option<bool>> = positions.iter().map(|at| Some(at.is_some())).collect();
            let values = layout.gathered(x, positions)?;
            match args.as_slice() {
                // The default of `lag` and `lead`, where there is no such row.
                [_, _, default] if cell.frame.is_none() => {
                    let there = column(layout.scattered(outside));
                    values.zip_with(there.bool().map_err(engine_error)?, default).map_err(engine_error)?
                }
                _ => values,
            }
        }
    };
    filled.cast(&polars_type(&cell.dtype)).map_err(engine_error)
}
