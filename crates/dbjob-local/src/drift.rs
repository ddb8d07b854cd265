//! Tables as the rows that drift is told of.

use dbjob_drift::{Cell, Column as Profiled, Look, Tally, levels, numbers, unlooked};
use dbjob_plan::contract::Bounds;
use dbjob_plan::{DataType, Field, Refinement, RunError};
use polars::prelude::{self as pl, Column, DataFrame};

use crate::fault::engine_error;
use crate::source::stored::to_language;

/// What the columns of a table are like.
pub(crate) fn profile(table: &DataFrame, fields: &[Field]) -> Result<Vec<Profiled>, RunError> {
    fields
        .iter()
        .map(|field| {
            let column = table.column(&field.name).map_err(engine_error)?;
            Ok(match Look::of(&field.dtype) {
                Look::Numbers => numbers(&field.name, as_numbers(column)?.iter()),
                Look::Levels => levels(&field.name, as_texts(column)?.iter()),
                Look::Nulls => unlooked(&field.name, column.len() as u64, column.null_count() as u64),
            })
        })
        .collect()
}

/// Counts the columns of a table by a profile.
pub(crate) fn tallies(table: &DataFrame, profile: &[Profiled], fields: &[Field]) -> Result<Vec<Tally>, RunError> {
    profile
        .iter()
        .map(|profiled| {
            let column = table.column(&profiled.name).map_err(engine_error)?;
            let dtype = fields.iter().find(|f| f.name == profiled.name).map_or(&DataType::Unknown, |f| &f.dtype);
            Ok(match Look::of(dtype) {
                Look::Numbers => {
                    Tally::of(profiled, as_numbers(column)?.iter().map(|x| x.map_or(Cell::Null, Cell::Number)))
                }
                Look::Levels => {
                    Tally::of(profiled, as_texts(column)?.iter().map(|t| t.map_or(Cell::Null, Cell::Level)))
                }
                Look::Nulls => {
                    let there = column.is_not_null();
                    Tally::of(profiled, there.iter().map(|t| if t == Some(true) { Cell::There } else { Cell::Null }))
                }
            })
        })
        .collect()
}

/// Dates in days, times in microseconds.
fn as_numbers(column: &Column) -> Result<pl::Float64Chunked, RunError> {
    let column = match column.dtype() {
        pl::DataType::Decimal(..) => column.clone(),
        _ => column.to_physical_repr(),
    };
    let column = column.cast(&pl::DataType::Float64).map_err(engine_error)?;
    column.f64().cloned().map_err(engine_error)
}

/// `true` and `false` of a truth value.
fn as_texts(column: &Column) -> Result<pl::StringChunked, RunError> {
    let column = column.cast(&pl::DataType::String).map_err(engine_error)?;
    column.str().cloned().map_err(engine_error)
}

/// The columns of a table that the engine made, as fields.
pub(crate) fn fields_of(table: &DataFrame) -> Vec<Field> {
    let field = |column: &Column| {
        let dtype = to_language(column.dtype()).unwrap_or(DataType::Unknown);
        Field::new(column.name().as_str(), dtype, true)
    };
    table.columns().iter().map(field).collect()
}

/// The rows that have a value of the type of every field: what a request must be, rules aside.
pub(crate) fn of_the_types(table: &DataFrame, fields: &[Field]) -> Result<pl::BooleanChunked, RunError> {
    let mut fit = vec![true; table.height()];
    for field in fields {
        let column = table.column(&field.name).map_err(engine_error)?;
        let mut keep = |passes: &mut dyn Iterator<Item = bool>| {
            fit.iter_mut().zip(passes).for_each(|(fit, passes)| *fit &= passes);
        };
        if !field.nullable {
            keep(&mut column.is_not_null().iter().map(|there| there == Some(true)));
        }
        if let DataType::Category { levels: Some(levels) } = &field.dtype {
            let known = |text: Option<&str>| text.is_none_or(|text| levels.iter().any(|l| l == text));
            keep(&mut as_texts(column)?.iter().map(known));
        }
        match &field.refinement {
            Some(refinement @ Refinement::Range { .. }) if Look::of(&field.dtype) == Look::Numbers => {
                let bounds = Bounds::of_refinement(refinement);
                keep(&mut as_numbers(column)?.iter().map(|x| x.is_none_or(|x| bounds.hold(x))));
            }
            Some(Refinement::OneOf(values)) if Look::of(&field.dtype) == Look::Levels => {
                let known = |text: Option<&str>| text.is_none_or(|t| values.iter().any(|v| v.as_str() == Some(t)));
                keep(&mut as_texts(column)?.iter().map(known));
            }
            _ => {}
        }
    }
    Ok(fit.into_iter().map(Some).collect())
}
