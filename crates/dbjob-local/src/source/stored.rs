//! Columns of formats that have types of their own (Parquet, Arrow): from what is stored to what is declared.

use std::path::Path;

use dbjob_plan::{DataLocation, DataType, NodeId, RunError, near};
use polars::prelude::{self as pl, ArrowDataType, ArrowField, LazyFrame, TimeUnit};

use super::files::{place, shown};
use super::{Wanted, check};
use crate::decimal;
use crate::fault::{Faults, engine_error, guarded};
use crate::types::polars_type;

/// The columns of a table with their stored types; `Err` names a type that polars lacks here.
pub(crate) type Columns = Vec<(String, Result<pl::DataType, String>)>;

/// Where the columns are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin<'a> {
    File(&'a Path),
    /// What a process wrote, in words.
    Process(&'a str),
}

impl Origin<'_> {
    fn words(&self) -> String {
        match self {
            Self::File(file) => shown(file),
            Self::Process(words) => (*words).to_owned(),
        }
    }

    fn at(&self, column: &str) -> DataLocation {
        let base = match self {
            Self::File(file) => place(file),
            Self::Process(_) => DataLocation::default(),
        };
        DataLocation { column: Some(column.to_owned()), ..base }
    }
}

pub(crate) fn find<'a>(columns: &'a Columns, name: &str) -> Option<&'a Result<pl::DataType, String>> {
    columns.iter().find(|(n, _)| n == name).map(|(_, stored)| stored)
}

/// The polars type of an Arrow field; polars panics over one that it lacks.
pub(crate) fn of_arrow(field: &ArrowField) -> Result<pl::DataType, String> {
    if is_known(&field.dtype) {
        guarded(|| Ok(pl::DataType::from_arrow_field(field))).map_err(|e| e.to_string())
    } else {
        Err(format!("{:?}", field.dtype))
    }
}

fn is_known(dtype: &ArrowDataType) -> bool {
    use ArrowDataType as A;
    match dtype {
        A::Boolean | A::Null => true,
        A::Int8 | A::Int16 | A::Int32 | A::Int64 | A::UInt32 | A::UInt64 => true,
        A::Float32 | A::Float64 | A::Date32 | A::Date64 | A::Timestamp(..) | A::Duration(_) | A::Decimal(..) => true,
        A::Utf8 | A::LargeUtf8 | A::Utf8View | A::Binary | A::LargeBinary | A::BinaryView | A::FixedSizeBinary(_) => {
            true
        }
        A::List(item) | A::LargeList(item) | A::Map(item, _) => is_known(&item.dtype),
        A::Struct(fields) => fields.iter().all(|f| is_known(&f.dtype)),
        A::Dictionary(_, value, _) => is_known(value),
        _ => false,
    }
}

/// The stored type of a wanted column.
///
/// Errors: E0705, E0717.
fn column<'a>(columns: &'a Columns, w: &Wanted, origin: &Origin<'_>) -> Result<&'a pl::DataType, RunError> {
    let stored = find(columns, &w.header).ok_or_else(|| {
        let error = RunError::new("E0705", format!("{} has no column {:?}", origin.words(), w.header))
            .data(origin.at(&w.header));
        let near = near(&w.header, columns.iter().map(|(n, _)| n.as_str()));
        if near.is_empty() {
            let all: Vec<&str> = columns.iter().take(12).map(|(n, _)| n.as_str()).collect();
            error.help(format!("its columns are {}", all.join(", ")))
        } else {
            error.help(format!("did you mean {}?", near.join(" or ")))
        }
    })?;
    stored.as_ref().map_err(|dtype| {
        let message = format!("column {:?} of {} is {dtype}", w.header, origin.words());
        RunError::new("E0717", message)
            .help("this engine cannot read columns of that type: store it as a float, an int or a text")
            .data(origin.at(&w.header))
    })
}

/// The stored column in the declared type. A decimal may still have more digits than declared, and a vector another
/// length: that is a promise to be checked.
///
/// Errors: E0717.
fn widen(x: pl::Expr, stored: &pl::DataType, w: &Wanted, origin: &Origin<'_>) -> Result<pl::Expr, RunError> {
    let target = polars_type(&w.field.dtype);
    if *stored == target {
        return Ok(x);
    }
    let wrong = || {
        let declared = &w.field.dtype;
        let message = format!("column {:?} of {} is {stored}, declared is {declared}", w.header, origin.words());
        let help = match to_language(stored) {
            Some(found) => format!("declare `{}: {found}` and convert it in a `derive`", w.field.name),
            None => format!("this engine cannot read {stored} columns"),
        };
        RunError::new("E0717", message).help(help).data(origin.at(&w.header))
    };
    Ok(match (&w.field.dtype, stored) {
        (DataType::Int, d) if d.is_integer() => x.strict_cast(target),
        (DataType::Float, d) if d.is_integer() || d.is_float() => x.cast(target),
        (DataType::Float, pl::DataType::Decimal(_, scale)) => {
            decimal::to_float(x, u8::try_from(*scale).unwrap_or(u8::MAX))
        }
        (DataType::Decimal { scale, .. }, pl::DataType::Decimal(_, s)) if s <= &usize::from(*scale) => {
            x.strict_cast(pl::DataType::Decimal(38, usize::from(*scale)))
        }
        (DataType::Decimal { .. }, pl::DataType::Decimal(..)) => x,
        (DataType::Decimal { scale, .. }, d) if d.is_integer() => {
            x.strict_cast(pl::DataType::Int64).strict_cast(pl::DataType::Decimal(38, usize::from(*scale)))
        }
        (DataType::String | DataType::Category { .. }, pl::DataType::Categorical(..) | pl::DataType::Enum(..)) => {
            x.cast(target)
        }
        // Stored instants are UTC whatever their zone; the bits of the unit below microseconds are cut off.
        (DataType::Datetime, pl::DataType::Datetime(unit, _)) | (DataType::Duration, pl::DataType::Duration(unit)) => {
            let ticks = x.to_physical().cast(pl::DataType::Int64);
            let us = match unit {
                TimeUnit::Nanoseconds => ticks.floor_div(pl::lit(1_000_i64)),
                TimeUnit::Microseconds => ticks,
                TimeUnit::Milliseconds => ticks * pl::lit(1_000_i64),
            };
            us.cast(target)
        }
        (DataType::List { .. } | DataType::Vector { .. }, pl::DataType::List(item))
            if item.is_primitive_numeric() || **item == pl::DataType::String =>
        {
            x.strict_cast(target)
        }
        (_, pl::DataType::Null) => x.cast(target),
        _ => return Err(wrong()),
    })
}

/// A wanted column in its declared type and under its name, checked while the query runs unless it is `proven`.
///
/// Errors: E0705, E0717.
pub(crate) fn typed(
    columns: &Columns,
    w: &Wanted,
    origin: &Origin<'_>,
    proven: bool,
    (faults, node): (&Faults, NodeId),
) -> Result<pl::Expr, RunError> {
    let typed = widen(crate::udf::col(w.header.as_str()), column(columns, w, origin)?, w, origin)?;
    let kept = matches!(w.field.dtype, DataType::Decimal { .. } | DataType::Vector { .. });
    let checked = if check::promises(&w.field) && (!proven || kept) {
        check::lazily(&w.field, typed, faults, node)
    } else {
        typed
    };
    Ok(checked.alias(w.field.name.as_str()))
}

/// Reads a wanted column whole and gives the first value that is not as declared.
pub(crate) fn explain(table: LazyFrame, columns: &Columns, w: &Wanted, origin: &Origin<'_>) -> Result<(), RunError> {
    let typed = widen(crate::udf::col(w.header.as_str()), column(columns, w, origin)?, w, origin)?;
    let query = table.select([typed.alias(w.field.name.as_str())]);
    let read = guarded(|| query.collect()).map_err(|e| {
        RunError::new("E0712", format!("column {:?} of {} cannot be read: {e}", w.header, origin.words()))
            .data(origin.at(&w.header))
    })?;
    let Some((index, broken)) = check::column(&w.field, &read.columns()[0]).map_err(engine_error)? else {
        return Ok(());
    };
    let row = index as u64 + 1;
    let message = format!("{} in row {row} of {}", broken.message, origin.words());
    let at = DataLocation { row: Some(row), value: broken.value, ..origin.at(&w.header) };
    Err(RunError::new(broken.code, message).data(at))
}

/// The type of the language that a stored type is read as.
pub(crate) fn to_language(stored: &pl::DataType) -> Option<DataType> {
    Some(match stored {
        pl::DataType::Boolean => DataType::Bool,
        pl::DataType::String | pl::DataType::Categorical(..) | pl::DataType::Enum(..) => DataType::String,
        pl::DataType::Date => DataType::Date,
        pl::DataType::Datetime(..) => DataType::Datetime,
        pl::DataType::Duration(_) => DataType::Duration,
        pl::DataType::Decimal(precision, scale) => {
            DataType::Decimal { precision: u8::try_from(*precision).ok()?, scale: u8::try_from(*scale).ok()? }
        }
        pl::DataType::List(item) => DataType::List { item: Box::new(to_language(item)?) },
        d if d.is_integer() => DataType::Int,
        d if d.is_float() => DataType::Float,
        _ => return None,
    })
}
