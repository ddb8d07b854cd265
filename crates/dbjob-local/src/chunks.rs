//! Tables to rows outside of the engine, those of databases and of requests, and back.

use dbjob_database::Chunk;
use dbjob_plan::{DataType, Field, Value, Values};
use polars::prelude::{self as pl, Column, DataFrame, IntoColumn, NamedFrom, PolarsResult, Series, TimeUnit};

use crate::types::{any_value, polars_type, value_of};
use crate::{decimal, list};

/// The columns of a table of these fields.
pub(crate) fn types(fields: &[Field]) -> pl::Schema {
    fields.iter().map(|f| pl::Field::new(f.name.as_str().into(), polars_type(&f.dtype))).collect()
}

/// So many rows as a table of these fields.
pub(crate) fn table(rows: usize, columns: &[Values], fields: &[Field]) -> PolarsResult<DataFrame> {
    let columns = columns.iter().zip(fields).map(|(values, field)| column(&field.name, values, &field.dtype));
    DataFrame::new(rows, columns.collect::<PolarsResult<Vec<Column>>>()?)
}

/// Values as a column of the type.
pub(crate) fn column(name: &str, values: &Values, dtype: &DataType) -> PolarsResult<Column> {
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
            let digits = decimal::digits(dtype);
            let digits = digits.ok_or_else(|| pl::polars_err!(ComputeError: "decimals for a column of {dtype}"))?;
            decimal::column(v.iter().copied().collect(), digits).with_name(name)
        }
        Values::List(v) => {
            let cell = |items: &Option<Vec<Value>>| match items {
                Some(items) => any_value(&Value::List(items.clone()), dtype),
                None => pl::AnyValue::Null,
            };
            let cells: Vec<_> = v.iter().map(cell).collect();
            Series::from_any_values_and_dtype(name, &cells, &polars_type(dtype), true)?.into_column()
        }
    })
}

/// The columns of a table that are of these fields, as a chunk.
pub(crate) fn of(rows: &DataFrame, fields: &[Field]) -> PolarsResult<Chunk> {
    let columns = fields.iter().map(|field| {
        let column = rows.column(&field.name)?.strict_cast(&polars_type(&field.dtype))?;
        values(&column, &field.dtype)
    });
    Ok(Chunk { rows: rows.height(), columns: columns.collect::<PolarsResult<_>>()? })
}

/// The values of a column that has the physical type.
pub(crate) fn values(column: &Column, dtype: &DataType) -> PolarsResult<Values> {
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
