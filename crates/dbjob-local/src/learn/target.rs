use std::collections::HashMap;
use std::hash::Hash;

use dbjob_plan::{DataType, FitSpec, RunError, Task};
use polars::prelude::{self as pl, Column, DataFrame};

use super::classes::Key;
use crate::fault::engine_error;

/// The truth of every row of a table, as the learner sees it; `None` where it is null.
#[derive(Debug)]
pub(super) enum Truth {
    /// `rows` point into `distinct`.
    Classes {
        distinct: Vec<Key>,
        rows: Vec<Option<u32>>,
    },
    Numbers(Vec<Option<f64>>),
    /// Nothing is known of the rows.
    None,
}

impl Truth {
    /// Errors: E0705 when the output column is missing, E0799 for a type that cannot be learned.
    pub fn read(table: &DataFrame, spec: &FitSpec) -> Result<Self, RunError> {
        let output = &spec.output;
        if spec.target().is_none() {
            return Ok(Self::None);
        }
        let column = table.column(&output.column).map_err(|_| {
            RunError::new(
                "E0705",
                format!("the table has no column `{}`, the output of `{}`", output.column, spec.model),
            )
        })?;
        match spec.task {
            Task::Classification => Self::classes(column, &output.learned),
            Task::Regression | Task::Clustering => {
                let numbers = column.cast(&pl::DataType::Float64).map_err(engine_error)?;
                // NaN is as little an answer as null.
                let known = |x: Option<f64>| x.filter(|x| !x.is_nan());
                Ok(Self::Numbers(numbers.f64().map_err(engine_error)?.iter().map(known).collect()))
            }
        }
    }

    fn classes(column: &Column, learned: &DataType) -> Result<Self, RunError> {
        match learned {
            DataType::Bool => Ok(distinct(column.bool().map_err(engine_error)?.iter(), Key::Bool)),
            DataType::Int => Ok(distinct(column.i64().map_err(engine_error)?.iter(), Key::Int)),
            DataType::String | DataType::Category { .. } => {
                Ok(distinct(column.str().map_err(engine_error)?.iter(), |s| Key::Text(s.to_owned())))
            }
            DataType::Vector { .. } => {
                let lists = column.list().map_err(engine_error)?;
                let places: Vec<Option<usize>> = (0..lists.len())
                    .map(|i| lists.get_as_series(i).map_or(Ok(None), |row| hottest(&row)))
                    .collect::<Result<_, _>>()?;
                Ok(distinct(places.into_iter(), Key::Place))
            }
            other => Err(RunError::new("E0799", format!("a {other} cannot be learned as classes"))),
        }
    }

    pub fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Classes { rows, .. } => rows[row].is_none(),
            Self::Numbers(numbers) => numbers[row].is_none(),
            Self::None => false,
        }
    }
}

/// Every value once, in order of appearance, and which of them each row has.
fn distinct<T: Eq + Hash + Copy>(values: impl Iterator<Item = Option<T>>, key: impl Fn(T) -> Key) -> Truth {
    let (mut distinct, mut numbers) = (Vec::new(), HashMap::new());
    let mut number = |value: T| {
        *numbers.entry(value).or_insert_with(|| {
            distinct.push(key(value));
            distinct.len() as u32 - 1
        })
    };
    let rows = values.map(|value| value.map(&mut number)).collect();
    Truth::Classes { distinct, rows }
}

/// The place of the one in a one-hot vector; all zeros are no class.
fn hottest(row: &pl::Series) -> Result<Option<usize>, RunError> {
    let row = row.f64().map_err(engine_error)?;
    Ok(row.iter().position(|x| x.is_some_and(|x| x > 0.0)))
}
