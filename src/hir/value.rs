//! Constants against the type that is wanted of them.

use std::cmp::Ordering;
use std::fmt;

use dbjob_plan::{DataType, Decimal, Refinement, Value, parse};

use super::types;
use crate::syntax;

const DAY: i64 = 86_400_000_000;

/// What a constant must be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wanted {
    pub dtype: DataType,
    pub nullable: bool,
    pub refinement: Option<Refinement>,
}

/// As it is declared: `int in 1..=5`.
impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.dtype, if self.nullable { "?" } else { "" })?;
        let end = |value: &Option<Value>| value.as_ref().map(Value::to_string).unwrap_or_default();
        match &self.refinement {
            None => Ok(()),
            Some(Refinement::Range { low, high, inclusive }) => {
                write!(f, " in {}{}{}", end(low), if *inclusive { "..=" } else { ".." }, end(high))
            }
            Some(Refinement::OneOf(values)) => write!(f, " in {}", Value::List(values.clone())),
        }
    }
}

/// The constant in the wanted type, or in words what it is instead.
pub(super) fn fit(value: Value, wanted: &Wanted) -> Result<Value, String> {
    let shown = value.to_string();
    let value = match (value, &wanted.dtype) {
        (Value::Null, _) if wanted.nullable => return Ok(Value::Null),
        (Value::Null, _) => return Err(shown),
        (value, DataType::Unknown) => return Ok(value),
        (Value::Int(i), DataType::Float) => Value::Float(i as f64),
        (Value::Date(day), DataType::Datetime) => Value::Datetime(i64::from(day) * DAY),
        (Value::String(text), DataType::Category { levels: Some(levels) }) if !levels.contains(&text) => {
            return Err(shown);
        }
        (Value::String(text), DataType::String | DataType::Category { .. }) => Value::String(text),
        (Value::String(text), DataType::Decimal { precision, scale }) => {
            Value::Decimal(parse::decimal(&text, *precision, *scale).ok_or_else(|| shown.clone())?)
        }
        (value, DataType::Decimal { precision, scale }) => {
            Value::Decimal(types::fitted(&value, *precision, *scale).ok_or_else(|| shown.clone())?)
        }
        (Value::List(items), DataType::Vector { width }) => {
            if width.is_some_and(|n| n != items.len()) {
                return Err(format!("{shown} of {} items", items.len()));
            }
            let each = Wanted { dtype: DataType::Float, nullable: false, refinement: None };
            Value::List(items.into_iter().map(|i| fit(i, &each)).collect::<Result<_, _>>()?)
        }
        (Value::List(items), DataType::List { item }) => {
            let each = Wanted { dtype: (**item).clone(), nullable: true, refinement: None };
            Value::List(items.into_iter().map(|i| fit(i, &each)).collect::<Result<_, _>>()?)
        }
        (value @ (Value::Size(_) | Value::Word(_) | Value::List(_)), _) => return Err(value.to_string()),
        (value, dtype) if types::of_value(&value) == *dtype => value,
        _ => return Err(shown),
    };
    if wanted.refinement.as_ref().is_none_or(|r| holds(r, &value)) { Ok(value) } else { Err(shown) }
}

/// The constant that a text of the command line means: strings and dates need no marks there.
pub(super) fn read(text: &str, wanted: &Wanted) -> Result<Value, String> {
    if wanted.nullable && text == "null" {
        return Ok(Value::Null);
    }
    let constant = syntax::constant(text);
    match (&wanted.dtype, constant) {
        (DataType::String | DataType::Category { .. }, Some(Value::String(quoted))) => Ok(Value::String(quoted)),
        (DataType::String | DataType::Category { .. }, _) => Ok(Value::String(text.to_owned())),
        // All of its digits count, and a float keeps but 15.
        (DataType::Decimal { .. }, _) => Ok(Value::String(text.to_owned())),
        (DataType::Date | DataType::Datetime, None | Some(Value::Int(_))) => {
            syntax::constant(&format!("@{text}")).ok_or_else(|| format!("{text:?}"))
        }
        (_, constant) => constant.ok_or_else(|| format!("{text:?}")),
    }
}

/// Whether a constant that is not null keeps the promise of a refinement.
pub(super) fn holds(refinement: &Refinement, value: &Value) -> bool {
    match refinement {
        Refinement::OneOf(values) => values.iter().any(|v| compare(v, value) == Some(Ordering::Equal)),
        Refinement::Range { low, high, inclusive } => {
            let above = low.as_ref().is_none_or(|low| compare(value, low).is_some_and(Ordering::is_ge));
            let below = high.as_ref().is_none_or(|high| {
                compare(value, high).is_some_and(|o| o == Ordering::Less || (*inclusive && o == Ordering::Equal))
            });
            above && below
        }
    }
}

/// Whether no value lies from the one to the other.
pub(super) fn holds_nothing(low: &Value, high: &Value, inclusive: bool) -> bool {
    matches!((compare(low, high), inclusive), (Some(Ordering::Greater), _) | (Some(Ordering::Equal), false))
}

fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    Some(match (a, b) {
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Decimal(a), Value::Decimal(b)) => a.cmp(b),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::Datetime(a), Value::Datetime(b)) | (Value::Duration(a), Value::Duration(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        _ => a.as_f64()?.total_cmp(&b.as_f64()?),
    })
}

/// Some value of the type.
pub(super) fn example(wanted: &Wanted) -> Value {
    let plain = match &wanted.dtype {
        DataType::Float => Value::Float(1.0),
        DataType::Bool => Value::Bool(true),
        DataType::String | DataType::Category { levels: None } => Value::String("text".into()),
        DataType::Category { levels: Some(levels) } => Value::String(levels.first().cloned().unwrap_or_default()),
        DataType::Date => Value::Date(19_723),
        DataType::Datetime => Value::Datetime(19_723 * DAY),
        DataType::Duration => Value::Duration(DAY),
        DataType::List { .. } => Value::List(Vec::new()),
        DataType::Vector { width } => Value::List(vec![Value::Float(1.0); width.unwrap_or(1)]),
        DataType::Decimal { precision, scale } if precision == scale => {
            Value::Decimal(Decimal { unscaled: 1, scale: *scale })
        }
        DataType::Decimal { scale, .. } => {
            Value::Decimal(Decimal::of_int(1).with_scale(*scale).unwrap_or(Decimal::of_int(1)))
        }
        DataType::Int | DataType::Unknown => Value::Int(1),
    };
    match &wanted.refinement {
        None => plain,
        Some(refinement) if holds(refinement, &plain) => plain,
        Some(Refinement::OneOf(values)) => values.first().cloned().unwrap_or(plain),
        Some(Refinement::Range { low, high, .. }) => low.clone().or_else(|| high.clone()).unwrap_or(plain),
    }
}
