//! Tables to chunks of databases and back.

use dbjob_database::{Chunk, Values};
use dbjob_plan::{DataType, Field, Value};
use polars::prelude::{self as pl, Column, DataFrame, Int128Chunked, IntoColumn, NamedFrom, PolarsResult, Series};

use crate::types::{polars_type, series, value_of};
use crate::{decimal, list};

/// The columns of a table of these fields.
pub(crate) fn types(fields: &[Field]) -> pl::Schema {
    fields.iter().map(|f| pl::Field::new(f.name.as_str().into(), polars_type(&f.dtype))).collect()
}

/// A chunk as a table of these fields.
pub(crate) fn table(chunk: Chunk, fields: &[Field]) -> PolarsResult<DataFrame> {
    let columns = chunk.columns.into_iter().zip(fields).map(|(values, field)| {
        let name = field.name.as_str().into();
        let column = match values {
            Values::Int(v) => Series::new(name, v).into_column(),
            Values::Float(v) => Series::new(name, v).into_column(),
            Values::Bool(v) => Series::new(name, v).into_column(),
            Values::Text(v) => Series::new(name, v).into_column(),
            Values::Date(v) => Series::new(name, v).cast(&pl::DataType::Date)?.into_column(),
            Values::Datetime(v) | Values::Duration(v) => {
                Series::new(name, v).cast(&polars_type(&field.dtype))?.into_column()
            }
            Values::Decimal(v) => {
                let digits = decimal::digits(&field.dtype).unwrap_or((dbjob_plan::DECIMAL_DIGITS, 0));
                decimal::column(Int128Chunked::from_iter(v), digits).with_name(name)
            }
            Values::List(v) => {
                let values: Vec<Value> = v.into_iter().map(|x| x.map_or(Value::Null, Value::List)).collect();
                series(&values, &field.dtype).with_name(name).into_column()
            }
        };
        Ok(column)
    });
    let columns = columns.collect::<PolarsResult<Vec<Column>>>()?;
    DataFrame::new(chunk.rows, columns)
}

/// The columns of a table that are of these fields, as a chunk.
pub(crate) fn of(rows: &DataFrame, fields: &[Field]) -> PolarsResult<Chunk> {
    let columns = fields.iter().map(|field| {
        let column = rows.column(&field.name)?.strict_cast(&polars_type(&field.dtype))?;
        values(&column, &field.dtype)
    });
    Ok(Chunk { rows: rows.height(), columns: columns.collect::<PolarsResult<_>>()? })
}

fn values(column: &Column, dtype: &DataType) -> PolarsResult<Values> {
    Ok(match dtype {
        DataType::Int => Values::Int(column.i64()?.iter().collect()),
        DataType::Float => Values::Float(column.f64()?.iter().collect()),
        DataType::Bool => Values::Bool(column.bool()?.iter().collect()),
        DataType::String | DataType::Category { .. } | DataType::Unknown => {
            Values::Text(column.str()?.iter().map(|text| text.map(str::to_owned)).collect())
        }
        DataType::Decimal { .. } => Values::Decimal(decimal::unscaled(column)?.iter().collect()),
        DataType::Date => Values::Date(column.to_physical_repr().i32()?.iter().collect()),
        DataType::Datetime => Values::Datetime(column.to_physical_repr().i64()?.iter().collect()),
        DataType::Duration => Values::Duration(column.to_physical_repr().i64()?.iter().collect()),
        DataType::List { .. } | DataType::Vector { .. } => {
            let lists = list::Lists::of(column)?;
            let items = |s: Series| s.iter().map(|v| value_of(&v)).collect();
            Values::List(lists.rows().map(|list| list.map(items)).collect())
        }
    })
}
