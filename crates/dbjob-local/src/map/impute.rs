//! `impute`: a value in the place of null. The mean of an int column is rounded, half away from zero.

use dbjob_plan::{DataType, Fill, MapLink, RunError, Value};
use polars::prelude::{self as pl, Column, PolarsResult};

use super::fit::Train;
use super::scale::quantile;
use super::{Map, MapState, other_state};
use crate::aggregate::most_frequent;
use crate::fault::engine_error;
use crate::types::{any_value, polars_type, value_of};

pub(super) struct Impute;

impl Map for Impute {
    fn fit(&self, train: &Train<'_>, link: &MapLink) -> Result<MapState, RunError> {
        let finite = |x: f64| match x.is_finite() {
            true => Ok(Value::Float(x)),
            false => Err(RunError::new("E0715", "its train values are not all finite numbers")),
        };
        let value = match link.options.get("value") {
            Some(Value::Word(word)) if word == "mean" => {
                let values = train.numbers()?;
                finite(values.iter().sum::<f64>() / values.len() as f64)?
            }
            Some(Value::Word(word)) if word == "median" => {
                let mut values = train.numbers()?;
                values.sort_unstable_by(f64::total_cmp);
                finite(quantile(&values, 0.5))?
            }
            Some(Value::Word(word)) if word == "mode" => {
                let mode = most_frequent(train.column()).map_err(engine_error)?;
                value_of(&mode.get(0).map_err(engine_error)?)
            }
            other => {
                let shown = other.map_or_else(|| "nothing".to_string(), Value::to_string);
                return Err(RunError::new("E0799", format!("the local engine cannot impute by {shown}")));
            }
        };
        Ok(MapState::Fill { value: fill(&value, &link.to)? })
    }

    fn apply(&self, columns: &[Column], link: &MapLink, state: Option<&MapState>) -> PolarsResult<Column> {
        let value = match (state, link.options.get("value")) {
            (Some(MapState::Fill { value }), _) => value.value(),
            (None, Some(value)) => value.clone(),
            _ => return Err(other_state()),
        };
        let target = polars_type(&link.to);
        let value = match (&value, &target) {
            (Value::Int(i), pl::DataType::Float64) => Value::Float(*i as f64),
            _ => value,
        };
        let column = columns[0].cast(&target)?;
        if column.null_count() == 0 {
            return Ok(column);
        }
        let scalar = pl::Scalar::new(target.clone(), any_value(&value, &link.to));
        let filler = Column::new_scalar(column.name().clone(), scalar, column.len());
        column.zip_with(&column.is_not_null(), &filler)
    }
}

/// A learned value in the type of the column.
fn fill(value: &Value, dtype: &DataType) -> Result<Fill, RunError> {
    let rounded = |x: &f64| crate::function::math::int_of(x.round());
    let fill = match (value, dtype) {
        (Value::Float(x), DataType::Int) => rounded(x).map(Fill::Int),
        (Value::Float(x), DataType::Date) => rounded(x).and_then(|d| i32::try_from(d).ok()).map(Fill::Date),
        (Value::Float(x), DataType::Datetime) => rounded(x).map(Fill::Datetime),
        (Value::Float(x), DataType::Duration) => rounded(x).map(Fill::Duration),
        (Value::Float(x), _) => Some(Fill::Float(*x)),
        (Value::Int(i), DataType::Float) => Some(Fill::Float(*i as f64)),
        (Value::Int(i), _) => Some(Fill::Int(*i)),
        (Value::Bool(b), _) => Some(Fill::Bool(*b)),
        (Value::String(s), _) => Some(Fill::String(s.clone())),
        (Value::Date(d), _) => Some(Fill::Date(*d)),
        (Value::Datetime(us), _) => Some(Fill::Datetime(*us)),
        (Value::Duration(us), _) => Some(Fill::Duration(*us)),
        _ => None,
    };
    fill.ok_or_else(|| RunError::new("E0715", format!("{value} is no value of the type {dtype}")))
}
