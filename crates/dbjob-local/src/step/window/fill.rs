//! The columns of a window's cells: part by part, on all threads.

use std::sync::OnceLock;

use dbjob_plan::{DataType, RunError, Value};
use polars::prelude::Column;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::aggregate::{self, Values, Wrong};
use super::layout::Layout;
use super::part::Part;
use super::slots::Slots;
use super::{Cell, Step};
use crate::decimal;
use crate::fault::{Fault, engine_error};
use crate::types::polars_type;

/// The column of each cell, by row. `args` are the arguments of each, by row.
///
/// Errors: E0709; of several that of the first cell, and there of the first position.
pub(super) fn columns(
    step: &Step<'_>,
    cells: &[Cell],
    args: Vec<Vec<Column>>,
    layout: Layout,
) -> Result<Vec<Column>, RunError> {
    let height = layout.rows.len();
    let slots: Vec<OnceLock<Slots>> = cells.iter().map(|_| OnceLock::new()).collect();
    let fill = |positions: &std::ops::Range<usize>| -> Result<(), (usize, RunError)> {
        let part = Part::new(&layout, positions.clone()).map_err(|error| (0, error))?;
        for (i, ((cell, args), slots)) in cells.iter().zip(&args).zip(&slots).enumerate() {
            let values = values(step, cell, args, &part).map_err(|error| (i, error))?;
            slots.get_or_init(|| Slots::like(&values, height)).put(&part, values);
        }
        Ok(())
    };
    let filled: Vec<Result<(), (usize, RunError)>> = layout.parts().par_iter().map(fill).collect();
    if let Some((_, error)) = filled.into_iter().filter_map(Result::err).min_by_key(|(cell, _)| *cell) {
        return Err(error);
    }
    drop(layout);
    let all = cells.iter().zip(args).zip(slots);
    all.map(|((cell, args), slots)| {
        let dtype = polars_type(&cell.dtype);
        match slots.into_inner() {
            Some(slots) => slots.column(&args, decimal::digits(&cell.dtype)).and_then(|c| c.cast(&dtype)),
            None => Ok(Column::new_empty("".into(), &dtype)),
        }
        .map_err(engine_error)
    })
    .collect()
}

/// The values of a cell in a part. `args` are its arguments by row.
fn values(step: &Step<'_>, cell: &Cell, args: &[Column], part: &Part<'_>) -> Result<Values, RunError> {
    let unknown = || RunError::new("E0799", format!("the local engine has no `{}` in a window", cell.function));
    let Some(frame) = cell.frame else {
        let offset = cell.constant().and_then(Value::as_i64).unwrap_or(1);
        return aggregate::of_order(&cell.function, offset, part).ok_or_else(unknown);
    };
    let sorted = args.iter().map(|x| part.sorted(x)).collect::<Result<Vec<_>, _>>()?;
    let dtypes: Vec<DataType> = cell.args.iter().map(|a| a.dtype.clone()).collect();
    let share = cell.constant().and_then(Value::as_f64).unwrap_or(0.5);
    match aggregate::aggregate(&cell.function, &sorted, &dtypes, share, &part.frames(frame)) {
        Ok(values) => values.ok_or_else(unknown),
        Err(Wrong::Engine(error)) => Err(error),
        Err(Wrong::Overflow(at, message)) => {
            let fault = Fault { node: step.id, span: None, code: "E0709", message, column: None, value: None };
            Err(fault.into_error(Some(part.row_number_of(at))).or_span(step.node.span))
        }
    }
}
