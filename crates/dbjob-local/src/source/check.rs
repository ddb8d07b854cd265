//! What a declared column promises beyond its type: not null, a range, a set of values.

use std::collections::HashSet;

use dbjob_plan::{DataType, Decimal, Field, Refinement, Value};
use polars::prelude::{self as pl, Column, PolarsResult};

use crate::fault::{Fault, Faults};
use crate::list::Lists;
use crate::types::{polars_type, value_of};
use crate::{decimal, udf};

/// A promise that a value breaks.
#[derive(Debug, Clone)]
pub(crate) struct Broken {
    pub code: &'static str,
    pub message: String,
    pub value: Option<String>,
}

/// Whether there is anything to check on load.
pub(crate) fn promises(field: &Field) -> bool {
    !field.nullable || refined(field)
}

/// Checks one value of the column.
pub(crate) fn value(field: &Field, value: &Value) -> Result<(), Broken> {
    let name = &field.name;
    if *value == Value::Null {
        if field.nullable {
            return Ok(());
        }
        let message = format!("`{name}` is null, but it is declared as {} without `?`", field.dtype);
        return Err(Broken { code: "E0706", message, value: None });
    }
    let broken = |what: String| {
        let message = format!("`{name}` is {value}, {what}");
        Err(Broken { code: "E0707", message, value: Some(value.to_string()) })
    };
    match (&field.dtype, value) {
        (DataType::Decimal { precision, scale }, Value::Decimal(d))
            if d.with_scale(*scale).is_none_or(|d| !d.fits(*precision)) =>
        {
            let message = format!("`{name}` is {value}, which has no room in {}", field.dtype);
            return Err(Broken { code: "E0704", message, value: Some(value.to_string()) });
        }
        (DataType::Vector { width }, Value::List(items))
            if items.contains(&Value::Null) || width.is_some_and(|n| n != items.len()) =>
        {
            let what = if items.contains(&Value::Null) { "has a null in it" } else { "has another length" };
            let message = format!("`{name}` is {value}, which {what}: it is declared as {}", field.dtype);
            return Err(Broken { code: "E0704", message, value: Some(value.to_string()) });
        }
        _ => {}
    }
    if let DataType::Category { levels: Some(levels) } = &field.dtype
        && let Value::String(text) = value
        && !levels.contains(text)
    {
        return broken(format!("which is no level of {}", field.dtype));
    }
    match &field.refinement {
        Some(Refinement::OneOf(values)) if !values.iter().any(|v| same(v, value)) => {
            broken(format!("which is not among {}", Value::List(values.clone())))
        }
        Some(Refinement::Range { low, high, inclusive }) => {
            let below = low.as_ref().is_some_and(|low| less(value, low) != Some(false));
            let above = high.as_ref().is_some_and(|high| {
                if *inclusive { less(high, value) != Some(false) } else { less(value, high) != Some(true) }
            });
            if below || above {
                let show = |v: &Option<Value>| v.as_ref().map(Value::to_string).unwrap_or_default();
                let dots = if *inclusive { "..=" } else { ".." };
                return broken(format!("which is outside {}{dots}{}", show(low), show(high)));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn same(a: &Value, b: &Value) -> bool {
    a == b || (a.as_f64().is_some() && a.as_f64() == b.as_f64())
}

/// `a < b`; NaN is above every number.
fn less(a: &Value, b: &Value) -> Option<bool> {
    Some(match (a, b) {
        (Value::Int(a), Value::Int(b)) => a < b,
        (Value::Decimal(a), Value::Decimal(b)) => a < b,
        (Value::Date(a), Value::Date(b)) => a < b,
        (Value::Datetime(a), Value::Datetime(b)) | (Value::Duration(a), Value::Duration(b)) => a < b,
        (Value::String(a), Value::String(b)) => a < b,
        _ => {
            let (a, b) = (a.as_f64()?, b.as_f64()?);
            if b.is_nan() { !a.is_nan() } else { a < b }
        }
    })
}

/// The first value of a column that breaks a promise.
pub(crate) fn column(field: &Field, column: &Column) -> PolarsResult<Option<(usize, Broken)>> {
    let nulls = !field.nullable && column.null_count() > 0;
    if !nulls && !refined(field) {
        return Ok(None);
    }
    if !nulls && (within_range(field, column)? || fits(field, column)?) {
        return Ok(None);
    }
    let levels: Option<HashSet<&str>> = match (&field.dtype, &field.refinement) {
        (DataType::Category { levels: Some(levels) }, None) => Some(levels.iter().map(String::as_str).collect()),
        _ => None,
    };
    if let (Some(levels), false) = (&levels, nulls)
        && column.str()?.iter().flatten().all(|level| levels.contains(level))
    {
        return Ok(None);
    }
    let series = column.as_materialized_series();
    for index in 0..series.len() {
        if let Err(broken) = value(field, &value_of(&series.get(index)?)) {
            return Ok(Some((index, broken)));
        }
    }
    Ok(None)
}

fn refined(field: &Field) -> bool {
    field.refinement.is_some()
        || matches!(
            field.dtype,
            DataType::Category { levels: Some(_) } | DataType::Decimal { .. } | DataType::Vector { .. }
        )
}

/// Whether all values of a decimal or vector column without a refinement are of its type.
fn fits(field: &Field, column: &Column) -> PolarsResult<bool> {
    if field.refinement.is_some() {
        return Ok(false);
    }
    match &field.dtype {
        DataType::Decimal { precision, scale } => {
            if *column.dtype() == polars_type(&field.dtype) {
                return Ok(true);
            }
            let same = matches!(column.dtype(), pl::DataType::Decimal(_, s) if *s == usize::from(*scale));
            let most = |unscaled| Decimal { unscaled, scale: *scale }.fits(*precision);
            Ok(same && decimal::unscaled(column)?.iter().flatten().all(most))
        }
        DataType::Vector { width } => {
            let lists = Lists::of(column)?;
            let one_width = |n: usize| lists.places.iter().flatten().all(|(_, length)| *length == n);
            Ok(width.is_none_or(one_width) && lists.items.null_count() == 0)
        }
        _ => Ok(false),
    }
}

/// Whether the least and the largest value keep a range. Floats are looked at one by one, because of NaN.
fn within_range(field: &Field, column: &Column) -> PolarsResult<bool> {
    let other_digits = matches!(field.dtype, DataType::Decimal { .. }) && *column.dtype() != polars_type(&field.dtype);
    if !matches!(field.refinement, Some(Refinement::Range { .. })) || field.dtype == DataType::Float || other_digits {
        return Ok(false);
    }
    let probe = Field { nullable: true, ..field.clone() };
    let ends = [column.min_reduce()?, column.max_reduce()?];
    Ok(ends.iter().all(|end| value(&probe, &value_of(end.value())).is_ok()))
}

/// The column, checked while the query runs; a broken promise is a fault of the node that reads it.
pub(crate) fn lazily(field: &Field, input: pl::Expr, faults: &Faults, node: dbjob_plan::NodeId) -> pl::Expr {
    let (field, faults) = (field.clone(), faults.clone());
    let target = polars_type(&field.dtype);
    udf::map1(input, target.clone(), move |c| match column(&field, c)? {
        None => c.cast(&target),
        Some((_, broken)) => Err(faults.raise(Fault {
            node,
            span: None,
            code: broken.code,
            message: broken.message,
            column: Some(field.name.clone()),
            value: broken.value,
        })),
    })
}
