use dbjob_learn::Scores;
use dbjob_plan::{Conformal, DataType, Output, RunError, Task, Value, interval_columns, probability_column};
use polars::prelude::{self as pl, Column, IntoColumn, NamedFrom, Series};

use super::evaluate::decided;
use crate::fault::engine_error;
use crate::map::{MapStates, nearest_int, unmap_column};

/// What a model's scores mean, in the caller's units.
pub(super) struct Meaning<'a> {
    pub task: Task,
    pub output: &'a Output,
    /// In the order of the scores; empty for numbers.
    pub classes: &'a [Value],
    /// From which probability of `true` on the answer is `true`; `None`: above a half.
    pub threshold: Option<f64>,
    /// Whether a number has an interval.
    pub conformal: Option<Conformal>,
    pub maps: &'a MapStates,
}

impl Meaning<'_> {
    /// The value, then the probabilities ([`probability_column`]) or the ends of the interval ([`interval_columns`]).
    ///
    /// The value of a class output is the most probable class, the first of equally probable ones: `true` where its
    /// probability is above 0.5, or at least the threshold. A number is taken back through the maps; for an int output it is rounded, half away
    /// from zero, to the least or greatest int where it lies beyond them.
    pub fn columns(&self, scores: &Scores, prefix: &str) -> Result<Vec<Column>, RunError> {
        match self.task {
            Task::Regression => {
                let number = self.number(&scores.columns[0], prefix)?;
                let ends = self.conformal.map(|conformal| ends(&number, conformal.radius, prefix)).transpose()?;
                Ok([number].into_iter().chain(ends.into_iter().flatten()).collect())
            }
            Task::Clustering => Ok(vec![self.number(&scores.columns[0], prefix)?]),
            Task::Classification => {
                let mut columns = vec![self.class(&decided(scores, self.threshold), prefix)?];
                for (class, probabilities) in self.classes.iter().zip(&scores.columns) {
                    if self.output.dtype == DataType::Bool && *class != Value::Bool(true) {
                        continue;
                    }
                    let name = probability_column(prefix, &self.output.dtype, class);
                    columns.push(Series::new(name.into(), probabilities).into_column());
                }
                Ok(columns)
            }
        }
    }

    /// A number of the learner in the caller's units.
    pub fn number(&self, values: &[f64], name: &str) -> Result<Column, RunError> {
        self.restored(&Series::new(name.into(), values).into_column())
    }

    /// A column of the learner's values in the caller's units.
    pub fn restored(&self, column: &Column) -> Result<Column, RunError> {
        let name = column.name().clone();
        let column = unmap_column(column, &self.output.unmap, self.maps)?;
        if self.output.dtype == DataType::Int && *column.dtype() == pl::DataType::Float64 {
            let rounded: pl::Int64Chunked =
                column.f64().map_err(engine_error)?.iter().map(|x| nearest_int(x?)).collect();
            return Ok(rounded.into_column().with_name(name));
        }
        Ok(column.with_name(name))
    }

    fn class(&self, codes: &[u32], name: &str) -> Result<Column, RunError> {
        let name = name.into();
        let of = |code: &u32| &self.classes[*code as usize];
        Ok(match &self.output.dtype {
            DataType::Bool => {
                let values: Vec<Option<bool>> = codes.iter().map(|c| of(c).as_bool()).collect();
                Series::new(name, values).into_column()
            }
            DataType::Int => {
                let values: Vec<Option<i64>> = codes.iter().map(|c| of(c).as_i64()).collect();
                Series::new(name, values).into_column()
            }
            _ => {
                let values: Vec<Option<&str>> = codes.iter().map(|c| of(c).as_str()).collect();
                Series::new(name, values).into_column()
            }
        })
    }
}

/// A number less and more the radius; null where there is none.
fn ends(number: &Column, radius: Option<f64>, prefix: &str) -> Result<[Column; 2], RunError> {
    let number = number.cast(&pl::DataType::Float64).map_err(engine_error)?;
    let number = number.f64().map_err(engine_error)?;
    let [low, high] = interval_columns(prefix);
    let end = |name: String, sign: f64| {
        let end: pl::Float64Chunked = number.iter().map(|x| Some(x? + sign * radius?)).collect();
        end.into_column().with_name(name.into())
    };
    Ok([end(low, -1.0), end(high, 1.0)])
}
