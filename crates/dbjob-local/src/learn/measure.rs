//! How good a learned model is on rows whose truth a caller knows.

use std::collections::HashMap;

use dbjob_learn::metric::Metric;
use dbjob_learn::{Scores, Target};
use dbjob_plan::{RunError, Task, Value};
use polars::prelude::{Column, DataFrame};

use super::evaluate::{decided, judged};
use super::judge::floats;
use super::learned::Learned;
use crate::fault::engine_error;
use crate::map::MapStates;
use crate::types::value_of;

impl Learned {
    /// Values in the caller's units, none of them null, as metrics take them. A class that the model does not know has the
    /// number of classes as its code.
    pub fn truth(&self, column: &Column) -> Result<Target, RunError> {
        if self.0.spec.task != Task::Classification {
            return Ok(Target::Numbers(floats(column)?));
        }
        let classes = self.classes();
        let known: HashMap<String, u32> = classes.iter().zip(0..).map(|(c, code)| (c.to_string(), code)).collect();
        let code = |row| -> Result<u32, RunError> {
            let value = column.get(row).map_err(engine_error)?;
            Ok(known.get(&value_of(&value).to_string()).copied().unwrap_or(classes.len() as u32))
        };
        let codes = (0..column.len()).map(code).collect::<Result<_, _>>()?;
        Ok(Target::Classes { codes, count: classes.len() })
    }

    /// The value of a metric on rows of the model's inputs.
    ///
    /// Errors: E0725 where it is not defined on these rows, and those of [`Learned::predict`].
    pub fn measure(
        &self,
        (table, truth): (&DataFrame, &Target),
        (name, metric): (&str, Metric),
        maps: &MapStates,
        row: &dyn Fn(usize) -> u64,
    ) -> Result<f64, RunError> {
        let scores = self.0.scores(table, maps, row)?;
        let predicted = decided(&scores, self.0.spec.fixed_threshold());
        let numbers = if self.0.spec.task == Task::Regression { self.numbers(&scores, maps)? } else { Vec::new() };
        metric.compute(&judged(truth, &scores, &predicted, &numbers, None)).map_err(|why| {
            let message = format!("{name} is not defined on the {} rows: {why}", table.height());
            RunError::new("E0725", message)
        })
    }

    /// What is predicted on average: the probability of each class, or the number in the caller's units.
    pub fn average(
        &self,
        table: &DataFrame,
        maps: &MapStates,
        row: &dyn Fn(usize) -> u64,
    ) -> Result<Vec<f64>, RunError> {
        let scores = self.0.scores(table, maps, row)?;
        let mean = |values: &Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        Ok(match self.0.spec.task {
            Task::Classification => scores.columns.iter().map(mean).collect(),
            Task::Regression | Task::Clustering => vec![mean(&self.numbers(&scores, maps)?)],
        })
    }

    fn numbers(&self, scores: &Scores, maps: &MapStates) -> Result<Vec<f64>, RunError> {
        floats(&self.0.meaning(maps).number(&scores.columns[0], "predicted")?)
    }

    /// Values of the output that are no truth: null, and NaN of numbers.
    pub fn is_unknown(value: &Value) -> bool {
        matches!(value, Value::Null) || matches!(value, Value::Float(x) if x.is_nan())
    }
}
