//! Which values a refinement lets through.

use std::cmp::Ordering;

use crate::{Refinement, Value};

/// Whether all that `inner` lets through, `outer` does too.
pub(super) fn contains(outer: &Option<Refinement>, inner: &Option<Refinement>) -> bool {
    match (outer, inner) {
        (None, _) => true,
        (_, None) => false,
        (Some(outer), Some(Refinement::OneOf(values))) => values.iter().all(|value| holds(outer, value)),
        // A range of whole numbers has an end of its own to be looked at; others have values without end.
        (Some(Refinement::OneOf(_)), Some(Refinement::Range { .. })) => false,
        (
            Some(Refinement::Range { low, high, inclusive }),
            Some(Refinement::Range { low: inner_low, high: inner_high, inclusive: inner_inclusive }),
        ) => {
            let low_holds = match (low, inner_low) {
                (None, _) => true,
                (_, None) => false,
                (Some(low), Some(inner)) => order(low, inner).is_some_and(Ordering::is_le),
            };
            let high_holds = match (last(high, *inclusive), last(inner_high, *inner_inclusive)) {
                (None, _) => true,
                (_, None) => false,
                (Some((high, belongs)), Some((inner, inner_belongs))) => match order(&high, &inner) {
                    Some(Ordering::Greater) => true,
                    Some(Ordering::Equal) => belongs || !inner_belongs,
                    _ => false,
                },
            };
            low_holds && high_holds
        }
    }
}

/// Whether a value passes.
fn holds(refinement: &Refinement, value: &Value) -> bool {
    match refinement {
        Refinement::OneOf(values) => values.contains(value),
        Refinement::Range { low, high, inclusive } => {
            let above = low.as_ref().is_none_or(|low| order(low, value).is_some_and(Ordering::is_le));
            let below = high.as_ref().is_none_or(|high| match order(value, high) {
                Some(Ordering::Less) => true,
                Some(Ordering::Equal) => *inclusive,
                _ => false,
            });
            above && below
        }
    }
}

/// The upper end, and whether it belongs to the range: of whole numbers and days the last one that does.
fn last(high: &Option<Value>, inclusive: bool) -> Option<(Value, bool)> {
    Some(match high.as_ref()? {
        Value::Int(i) if !inclusive => (Value::Int(i.saturating_sub(1)), true),
        Value::Date(d) if !inclusive => (Value::Date(d.saturating_sub(1)), true),
        value => (value.clone(), inclusive),
    })
}

fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) | (Value::Datetime(a), Value::Datetime(b)) => Some(a.cmp(b)),
        (Value::Duration(a), Value::Duration(b)) => Some(a.cmp(b)),
        (Value::Date(a), Value::Date(b)) => Some(a.cmp(b)),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Decimal(a), Value::Decimal(b)) => a.partial_cmp(b),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(low: Option<Value>, high: Option<Value>, inclusive: bool) -> Option<Refinement> {
        Some(Refinement::Range { low, high, inclusive })
    }

    #[test]
    fn wider_ranges_contain_narrower_ones_of_every_type() {
        let days = |low, high| range(Some(Value::Date(low)), Some(Value::Date(high)), true);
        assert!(contains(&days(0, 10), &days(1, 9)));
        assert!(!contains(&days(1, 9), &days(0, 10)));
        let ints = |high, inclusive| range(Some(Value::Int(0)), Some(Value::Int(high)), inclusive);
        assert!(contains(&ints(9, true), &ints(10, false)), "0..10 is 0..=9");
        assert!(!contains(&ints(9, true), &ints(10, true)));
        let from = range(Some(Value::Float(0.5)), None, false);
        assert!(!contains(&from, &ints(9, true)) && contains(&from, &range(Some(Value::Int(1)), None, true)));
        let some = |values: &[i64]| Some(Refinement::OneOf(values.iter().map(|i| Value::Int(*i)).collect()));
        assert!(contains(&some(&[1, 2, 3]), &some(&[3, 1])) && !contains(&some(&[1]), &some(&[1, 2])));
        assert!(contains(&ints(3, false), &some(&[0, 2])) && !contains(&ints(3, false), &some(&[0, 3])));
        assert!(!contains(&some(&[0, 1, 2, 3]), &ints(3, true)));
    }
}
