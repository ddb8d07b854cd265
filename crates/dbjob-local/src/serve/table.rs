//! Rows of requests as polars tables, and back.

use dbjob_plan::{DataType, Field, RunError, Value};
use dbjob_serve::{Columns, Values};
use polars::prelude::{self as pl, Column, DataFrame, IntoColumn, NamedFrom, Series, TimeUnit};

use crate::decimal;
use crate::fault::engine_error;
use crate::types::{any_value, polars_type, value_of};

pub(super) fn frame(fields: &[Field], rows: &Columns) -> Result<DataFrame, RunError> {
    let columns = fields.iter().zip(&rows.columns).map(|(field, values)| column(&field.name, values, &field.dtype));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    DataFrame::new(rows.rows(), columns).map_err(engine_error)
}

pub(super) fn column(name: &str, values: &Values, dtype: &DataType) -> Result<Column, RunError> {
    let name: pl::PlSmallStr = name.into();
    let ints = |v: &[Option<i64>]| pl::Int64Chunked::new(name.clone(), v);
    Ok(match values {
        Values::Bool(v) => Series::new(name, v.as_slice()).into_column(),
        Values::Int(v) => ints(v).into_column(),
        Values::Float(v) => Series::new(name, v.as_slice()).into_column(),
        Values::Text(v) => {
            let texts: pl::StringChunked = v.iter().map(Option::as_deref).collect();
            texts.with_name(name).into_column()
        }
        Values::Date(v) => pl::Int32Chunked::new(name, v.as_slice()).into_date().into_column(),
        Values::Datetime(v) => ints(v).into_datetime(TimeUnit::Microseconds, None).into_column(),
        Values::Duration(v) => ints(v).into_duration(TimeUnit::Microseconds).into_column(),
        Values::Decimal(v) => {
            let digits = decimal::digits(dtype)
                .ok_or_else(|| RunError::new("E0799", format!("decimals for a column of {dtype}")))?;
            decimal::column(v.iter().copied().collect(), digits).with_name(name)
        }
        Values::List(v) => {
            let list = |items: &Option<Vec<Value>>| match items {
                Some(items) => any_value(&Value::List(items.clone()), &items_of(dtype)),
                None => pl::AnyValue::Null,
            };
            let cells: Vec<_> = v.iter().map(list).collect();
            let series = Series::from_any_values_and_dtype(name, &cells, &polars_type(dtype), true);
            series.map_err(engine_error)?.into_column()
        }
    })
}

/// A list of the items' own type: a vector is one of floats.
fn items_of(dtype: &DataType) -> DataType {
    match dtype {
        DataType::Vector { .. } => DataType::List { item: Box::new(DataType::Float) },
        other => other.clone(),
    }
}

/// The values of a column that has the physical type.
pub(super) fn values(column: &Column, dtype: &DataType) -> Result<Values, RunError> {
    let read = || -> pl::PolarsResult<Values> {
        Ok(match dtype {
            DataType::Bool => Values::Bool(column.bool()?.iter().collect()),
            DataType::Int => Values::Int(column.i64()?.iter().collect()),
            DataType::Float => Values::Float(column.f64()?.iter().collect()),
            DataType::Date => Values::Date(column.date()?.physical().iter().collect()),
            DataType::Datetime => Values::Datetime(column.datetime()?.physical().iter().collect()),
            DataType::Duration => Values::Duration(column.duration()?.physical().iter().collect()),
            DataType::Decimal { .. } => Values::Decimal(decimal::unscaled(column)?.iter().collect()),
            DataType::String | DataType::Category { .. } | DataType::Unknown => {
                Values::Text(column.str()?.iter().map(|t| t.map(str::to_owned)).collect())
            }
            DataType::List { .. } | DataType::Vector { .. } => {
                let series = column.as_materialized_series();
                let cell = |value: pl::AnyValue<'_>| match value_of(&value) {
                    Value::List(items) => Some(items),
                    _ => None,
                };
                Values::List(series.iter().map(cell).collect())
            }
        })
    };
    read().map_err(engine_error)
}
