//! Rows that come as columns of their types already: of an Arrow or Parquet file.

use dbjob_plan::{DataType, Decimal, Value};

use super::{Rows, TOLD, too_many};
use crate::problem::Problem;
use crate::shape::{Rule, Shape};
use crate::{Columns, Values};

/// Errors: there are more rows than a request may have.
pub fn rows(columns: Vec<Values>, rows: usize, shape: &Shape, limit: usize) -> Result<Rows, Problem> {
    if rows > limit {
        return Err(too_many(limit));
    }
    let (mut good, mut bad, mut told) = (Vec::with_capacity(rows), Vec::new(), 0);
    for row in 0..rows {
        let mut wrong = Vec::new();
        for (rule, values) in shape.fields.iter().zip(&columns) {
            if let Err(why) = check(rule, values, row)
                && (wrong.is_empty() || told < TOLD)
            {
                told += 1;
                wrong.push(rule.wrong(why));
            }
        }
        if wrong.is_empty() { good.push(row) } else { bad.push((row, wrong)) }
    }
    let all = Columns::from_columns(columns, rows);
    let good = if bad.is_empty() { all } else { all.take(&good) };
    Ok(Rows { good, bad })
}

fn check(rule: &Rule, values: &Values, row: usize) -> Result<(), String> {
    match values {
        Values::Bool(v) => v[row].map_or_else(|| rule.null(), |b| rule.value(&Value::Bool(b))),
        Values::Int(v) => v[row].map_or_else(|| rule.null(), |x| rule.int(x)),
        Values::Float(v) => match v[row] {
            None => rule.null(),
            Some(x) if !x.is_finite() => Err(format!("is {x}, not {}", rule.expected())),
            Some(x) => rule.float(x),
        },
        Values::Text(v) => v[row].as_ref().map_or_else(|| rule.null(), |text| rule.text(text)),
        Values::Date(v) => v[row].map_or_else(|| rule.null(), |d| rule.value(&Value::Date(d))),
        Values::Datetime(v) => v[row].map_or_else(|| rule.null(), |us| rule.value(&Value::Datetime(us))),
        Values::Duration(v) => v[row].map_or_else(|| rule.null(), |us| rule.value(&Value::Duration(us))),
        Values::Decimal(v) => match (v[row], &rule.field.dtype) {
            (None, _) => rule.null(),
            (Some(unscaled), DataType::Decimal { scale, .. }) => {
                rule.value(&Value::Decimal(Decimal { unscaled, scale: *scale }))
            }
            _ => Ok(()),
        },
        Values::List(v) => match (&v[row], &rule.field.dtype) {
            (None, _) => rule.null(),
            (Some(items), DataType::Vector { width }) => {
                if width.is_some_and(|n| n != items.len()) {
                    return Err(format!("has {} places, not {}", items.len(), rule.expected()));
                }
                let finite = items.iter().all(|v| v.as_f64().is_some_and(f64::is_finite));
                if finite { Ok(()) } else { Err(format!("is not {}", rule.expected())) }
            }
            (Some(items), _) => rule.value(&Value::List(items.clone())),
        },
    }
}
