use dbjob_plan::{DataType, FitSpec, RunError, Task};
use polars::prelude::{self as pl, Column, DataFrame};

use super::classes::Key;
use crate::fault::engine_error;

/// The truth of every row of a table, as the learner sees it; `None` where it is null.
#[derive(Debug)]
pub(super) enum Truth {
    Classes(Vec<Option<Key>>),
    Numbers(Vec<Option<f64>>),
}

impl Truth {
    /// Errors: E0705 when the output column is missing, E0799 for a type that cannot be learned.
    pub fn read(table: &DataFrame, spec: &FitSpec) -> Result<Self, RunError> {
        let output = &spec.output;
        let column = table.column(&output.column).map_err(|_| {
            RunError::new(
                "E0705",
                format!("the table has no column `{}`, the output of `{}`", output.column, spec.model),
            )
        })?;
        match spec.task {
            Task::Classification => keys(column, &output.learned).map(Self::Classes),
            Task::Regression => {
                let numbers = column.cast(&pl::DataType::Float64).map_err(engine_error)?;
                // NaN is as little an answer as null.
                let known = |x: Option<f64>| x.filter(|x| !x.is_nan());
                Ok(Self::Numbers(numbers.f64().map_err(engine_error)?.iter().map(known).collect()))
            }
        }
    }

    pub fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Classes(keys) => keys[row].is_none(),
            Self::Numbers(numbers) => numbers[row].is_none(),
        }
    }
}

fn keys(column: &Column, learned: &DataType) -> Result<Vec<Option<Key>>, RunError> {
    Ok(match learned {
        DataType::Bool => column.bool().map_err(engine_error)?.iter().map(|b| b.map(Key::Bool)).collect(),
        DataType::Int => column.i64().map_err(engine_error)?.iter().map(|i| i.map(Key::Int)).collect(),
        DataType::String | DataType::Category { .. } => {
            column.str().map_err(engine_error)?.iter().map(|s| s.map(|s| Key::Text(s.to_owned()))).collect()
        }
        DataType::Vector { .. } => {
            let lists = column.list().map_err(engine_error)?;
            (0..lists.len())
                .map(|i| lists.get_as_series(i).map_or(Ok(None), |row| hottest(&row)))
                .collect::<Result<_, _>>()?
        }
        other => return Err(RunError::new("E0799", format!("a {other} cannot be learned as classes"))),
    })
}

/// The place of the one in a one-hot vector; all zeros are no class.
fn hottest(row: &pl::Series) -> Result<Option<Key>, RunError> {
    let row = row.f64().map_err(engine_error)?;
    Ok(row.iter().position(|x| x.is_some_and(|x| x > 0.0)).map(Key::Place))
}
