//! What a prediction has.

use crate::{DataType, Field, Manifest, Output, Schema, Task, Value, interval_columns, probability_column};

/// The columns of predictions: the value under `prefix`, then the probabilities of the classes or the ends of an interval.
/// `classes`: those that the model has learned, where that is known; before, a category without declared levels has open
/// columns.
pub fn prediction_schema(
    prefix: &str,
    task: Task,
    output: &Output,
    interval: bool,
    classes: Option<&[Value]>,
) -> Schema {
    let dtype = &output.dtype;
    let lost = task == Task::Regression && output.may_be_lost();
    let mut schema = Schema::new(vec![Field::new(prefix, dtype.clone(), lost)]);
    if interval {
        schema.fields.extend(interval_columns(prefix).map(|name| Field::new(name, DataType::Float, lost)));
    }
    if task != Task::Classification {
        return schema;
    }
    let share = |class: &Value| Field::new(probability_column(prefix, dtype, class), DataType::Float, false);
    match (dtype, classes) {
        (DataType::Bool, _) => schema.fields.push(share(&Value::Bool(true))),
        (_, Some(classes)) => schema.fields.extend(classes.iter().map(share)),
        (DataType::Category { levels: Some(levels) }, None) => {
            schema.fields.extend(levels.iter().map(|level| share(&Value::String(level.clone()))));
        }
        _ => schema.open.push(format!("{prefix}_probability_")),
    }
    schema
}

impl Manifest {
    /// The columns of its predictions, under the prefix `prediction`.
    pub fn predictions(&self) -> Schema {
        let interval = self.conformal.is_some();
        prediction_schema("prediction", self.task, &self.output, interval, Some(&self.classes))
    }
}
