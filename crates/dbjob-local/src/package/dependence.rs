use std::collections::HashMap;
use std::path::Path;

use dbjob_plan::{DataType, Field, RunError, Task, Value};
use polars::prelude::{self as pl, Column};

use super::open::Package;
use super::rows::Sent;
use crate::fault::engine_error;
use crate::types::{any_value, polars_type, value_of};

/// What is predicted on average when a column has one value in all rows: partial dependence.
#[derive(Debug, Clone, PartialEq)]
pub struct Dependence {
    pub column: String,
    pub rows: u64,
    /// In the order of [`Point::means`], in the caller's units; empty for numbers.
    pub classes: Vec<Value>,
    pub points: Vec<Point>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    pub value: Value,
    /// The mean probability of each class, or the mean number.
    pub means: Vec<f64>,
}

impl Package {
    /// Of at most `points` values (2 at least) of a column of the request: all that occur in the file, or of numbers and
    /// times so many equally far from each other, from the 5 % quantile to that of 95 %; of others the most frequent. Null is
    /// none of them.
    ///
    /// Errors: E0725 for a column that the model does not take, or without values; those of reading and predicting.
    pub fn dependence(&self, input: &Path, column: &str, points: usize) -> Result<Dependence, RunError> {
        let manifest = &self.manifest;
        let visible = || manifest.request.iter().filter(|f| !f.hidden);
        let Some(field) = visible().find(|f| f.name == column) else {
            let error = RunError::new("E0725", format!("`{}` takes no column `{column}`", manifest.model));
            let names: Vec<&str> = visible().map(|f| f.name.as_str()).collect();
            return Err(match dbjob_plan::near(column, names.iter().copied()).first() {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help(format!("it takes {}", names.join(", "))),
            });
        };
        let sent = self.sent(input, Vec::new())?;
        let mut found = Vec::new();
        for value in grid(field, sent.table.column(column).map_err(engine_error)?, points)? {
            let rows = sent.with(field, &value)?;
            let inputs = self.inputs(&rows, false).map_err(|e| {
                let message = format!("with `{column}` = {value}: {}", e.message);
                RunError { message, ..e }
            })?;
            let means = self.learned.average(&inputs, &self.maps, &|i| rows.number(i))?;
            found.push(Point { value, means });
        }
        let classes = if manifest.task == Task::Classification { manifest.classes.clone() } else { Vec::new() };
        Ok(Dependence { column: column.to_owned(), rows: sent.numbers.len() as u64, classes, points: found })
    }
}

impl Sent {
    /// The same rows with one value in a column.
    fn with(&self, field: &Field, value: &Value) -> Result<Self, RunError> {
        let scalar = pl::Scalar::new(polars_type(&field.dtype), any_value(value, &field.dtype));
        let mut table = self.table.clone();
        let column = Column::new_scalar(field.name.as_str().into(), scalar, table.height());
        table.with_column(column).map_err(engine_error)?;
        Ok(Self { table, numbers: self.numbers.clone() })
    }
}

/// The values that are tried, in their order.
fn grid(field: &Field, column: &Column, points: usize) -> Result<Vec<Value>, RunError> {
    let mut counts: HashMap<String, (Value, u64)> = HashMap::new();
    for i in 0..column.len() {
        let value = value_of(&column.get(i).map_err(engine_error)?);
        if !matches!(value, Value::Null) {
            counts.entry(value.to_string()).or_insert((value, 0)).1 += 1;
        }
    }
    if matches!(field.dtype, DataType::Vector { .. } | DataType::List { .. }) || counts.is_empty() {
        let why = if counts.is_empty() { "it has no values" } else { "it has several values in a row" };
        return Err(RunError::new("E0725", format!("nothing depends on `{}` alone: {why}", field.name)));
    }
    let mut found: Vec<(Value, u64)> = counts.into_values().collect();
    let order = |value: &Value| place(value).unwrap_or(0.0);
    let by_value = |a: &Value, b: &Value| order(a).total_cmp(&order(b)).then_with(|| a.to_string().cmp(&b.to_string()));
    found.sort_by(|(a, _), (b, _)| by_value(a, b));
    if found.len() <= points {
        return Ok(found.into_iter().map(|(value, _)| value).collect());
    }
    if found.iter().any(|(value, _)| place(value).is_none()) {
        found.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        found.truncate(points);
        found.sort_by(|(a, _), (b, _)| by_value(a, b));
        return Ok(found.into_iter().map(|(value, _)| value).collect());
    }
    let sorted: Vec<f64> =
        found.iter().flat_map(|(value, count)| std::iter::repeat_n(order(value), *count as usize)).collect();
    let (low, high) = (quantile(&sorted, 0.05), quantile(&sorted, 0.95));
    let step = (high - low) / (points - 1) as f64;
    let mut all: Vec<Value> = (0..points).map(|i| at(low + step * i as f64, &field.dtype)).collect();
    all.dedup();
    Ok(all)
}

/// Where a value lies among those of its type; `None` for those that have no distance.
fn place(value: &Value) -> Option<f64> {
    match value {
        Value::Date(days) => Some(f64::from(*days)),
        Value::Datetime(us) | Value::Duration(us) => Some(*us as f64),
        Value::Bool(b) => Some(f64::from(u8::from(*b))),
        other => other.as_f64(),
    }
}

/// The value of a type that lies there; the nearest one of a type with gaps.
fn at(place: f64, dtype: &DataType) -> Value {
    match dtype {
        DataType::Int => Value::Int(place.round() as i64),
        DataType::Date => Value::Date(place.round() as i32),
        DataType::Datetime => Value::Datetime(place.round() as i64),
        DataType::Duration => Value::Duration(place.round() as i64),
        DataType::Decimal { scale, .. } => {
            dbjob_plan::Decimal::of_float_rounded(place, *scale).map_or(Value::Null, Value::Decimal)
        }
        _ => Value::Float(place),
    }
}

/// As scipy's `mquantiles`, by which scikit-learn chooses: between the values at 0.4 + p (n + 0.2).
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let n = sorted.len() as f64;
    let place = (n * p + 0.4 + p * 0.2).clamp(1.0, n);
    let below = (place.floor() as usize).clamp(1, sorted.len().saturating_sub(1).max(1));
    let above = below.min(sorted.len() - 1);
    let part = (place - below as f64).clamp(0.0, 1.0);
    (1.0 - part) * sorted[below - 1] + part * sorted[above]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.stats.mstats.mquantiles(x, prob=[0.05, 0.95])` of scipy 1.17.
    #[test]
    fn the_ends_are_those_of_scikit_learn() {
        let squares: Vec<f64> = (0..30).map(|i| f64::from(i * i)).collect();
        let found = [quantile(&squares, 0.05), quantile(&squares, 0.95)];
        assert!((found[0] - 0.91).abs() < 1e-12 && (found[1] - 789.13).abs() < 1e-9, "{found:?}");
        assert_eq!(quantile(&[3.0], 0.05), 3.0);
    }
}
