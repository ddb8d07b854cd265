//! `impute`: a value in the place of null. The mean of an int column is rounded, half away from zero.

use dbjob_plan::{DataType, MapLink, RunError, Value};
use polars::prelude::{self as pl, Column, PolarsResult, QuantileMethod};

use super::{Fill, Map, MapState, aggregates};
use crate::aggregate::most_frequent;
use crate::fault::engine_error;
use crate::types::{any_value, polars_type, value_of};

pub(super) struct Impute;

impl Map for Impute {
    fn fit(&self, column: &Column, link: &MapLink) -> Result<MapState, RunError> {
        let x = crate::udf::col("x").cast(pl::DataType::Float64).fill_nan(pl::lit(pl::NULL));
        let number = |expr: pl::Expr| -> Result<Value, RunError> {
            let physical = column.to_physical_repr();
            let row = aggregates(&physical, vec![expr.alias("x")])?;
            let value = row.column("x").and_then(|c| c.f64().map(|c| c.get(0))).map_err(engine_error)?;
            match value {
                Some(x) if x.is_finite() => Ok(Value::Float(x)),
                _ => Err(RunError::new("E0715", "its train values are not all finite numbers")),
            }
        };
        let value = match link.options.get("value") {
            Some(Value::Word(word)) if word == "mean" => number(x.mean())?,
            Some(Value::Word(word)) if word == "median" => number(x.quantile(pl::lit(0.5), QuantileMethod::Linear))?,
            Some(Value::Word(word)) if word == "mode" => {
                let mode = most_frequent(column).map_err(engine_error)?;
                value_of(&mode.get(0).map_err(engine_error)?)
            }
            other => {
                let shown = other.map_or_else(|| "nothing".to_string(), Value::to_string);
                return Err(RunError::new("E0799", format!("the local engine cannot impute by {shown}")));
            }
        };
        Ok(MapState::Fill { value: fill(&value, &link.to)? })
    }

    fn apply(&self, column: &Column, link: &MapLink, state: Option<&MapState>) -> PolarsResult<Column> {
        let value = match (state, link.options.get("value")) {
            (Some(MapState::Fill { value }), _) => value_of_fill(value),
            (None, Some(value)) => value.clone(),
            _ => return Err(pl::PolarsError::ComputeError("the map's stored state is of another kind".into())),
        };
        let target = polars_type(&link.to);
        let value = match (&value, &target) {
            (Value::Int(i), pl::DataType::Float64) => Value::Float(*i as f64),
            _ => value,
        };
        let column = column.cast(&target)?;
        if column.null_count() == 0 {
            return Ok(column);
        }
        let scalar = pl::Scalar::new(target.clone(), any_value(&value, &link.to));
        let filler = Column::new_scalar(column.name().clone(), scalar, column.len());
        column.zip_with(&column.is_not_null(), &filler)
    }

    fn invert(&self, _: &Column, _: &MapLink, _: Option<&MapState>) -> Option<PolarsResult<Column>> {
        None
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

fn value_of_fill(fill: &Fill) -> Value {
    match fill {
        Fill::Int(i) => Value::Int(*i),
        Fill::Float(x) => Value::Float(*x),
        Fill::Bool(b) => Value::Bool(*b),
        Fill::String(s) => Value::String(s.clone()),
        Fill::Date(d) => Value::Date(*d),
        Fill::Datetime(us) => Value::Datetime(*us),
        Fill::Duration(us) => Value::Duration(*us),
    }
}
