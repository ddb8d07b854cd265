use serde::{Deserialize, Serialize};

use crate::{DataType, Field, Refinement, Value};

/// A difference between two contracts of a model, and whether it breaks callers of the old one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractChange {
    pub breaking: bool,
    pub what: String,
}

/// How the requests and answers of a model change for its callers. Requests may hold no further fields, and need all.
pub fn changes(was: (&[Field], &DataType), now: (&[Field], &DataType)) -> Vec<ContractChange> {
    let mut found = Vec::new();
    let mut say = |breaking: bool, what: String| found.push(ContractChange { breaking, what });
    for field in now.0 {
        let Some(old) = was.0.iter().find(|f| f.name == field.name) else {
            say(true, format!("requests need the new field {field}"));
            continue;
        };
        let name = &field.name;
        if old.dtype != field.dtype {
            say(!widens(&old.dtype, &field.dtype), format!("`{name}` is {} instead of {}", field.dtype, old.dtype));
        }
        match (old.nullable, field.nullable) {
            (true, false) => say(true, format!("`{name}` may not be null any more")),
            (false, true) => say(false, format!("`{name}` may be null now")),
            _ => {}
        }
        if old.refinement != field.refinement {
            let shown = |r: &Option<Refinement>| r.as_ref().map_or("any value".to_owned(), |r| format!("in {r}"));
            let what = format!("`{name}` takes {} instead of {}", shown(&field.refinement), shown(&old.refinement));
            say(!contains(&field.refinement, &old.refinement), what);
        }
    }
    for field in was.0.iter().filter(|f| !now.0.iter().any(|n| n.name == f.name)) {
        say(true, format!("requests may not have the field `{}` any more", field.name));
    }
    if was.1 != now.1 {
        say(true, format!("the answer is {} instead of {}", now.1, was.1));
    }
    found
}

/// Whether every value of `was` is one of `now`, as callers write it.
fn widens(was: &DataType, now: &DataType) -> bool {
    match (was, now) {
        (DataType::Int, DataType::Float) => true,
        (DataType::Category { .. }, DataType::String | DataType::Category { levels: None }) => true,
        (DataType::Category { levels: Some(was) }, DataType::Category { levels: Some(now) }) => {
            was.iter().all(|level| now.contains(level))
        }
        (DataType::String, DataType::Category { levels: None }) => true,
        _ => false,
    }
}

/// Whether all that `inner` lets through, `outer` does too.
fn contains(outer: &Option<Refinement>, inner: &Option<Refinement>) -> bool {
    match (outer, inner) {
        (None, _) => true,
        (_, None) => false,
        (Some(Refinement::OneOf(outer)), Some(Refinement::OneOf(inner))) => inner.iter().all(|v| outer.contains(v)),
        (
            Some(Refinement::Range { low, high, inclusive }),
            Some(Refinement::Range { low: inner_low, high: inner_high, inclusive: inner_inclusive }),
        ) => {
            let number = |v: &Option<Value>| v.as_ref().and_then(Value::as_f64);
            let low_holds = low.is_none()
                || match (number(low), number(inner_low)) {
                    (Some(outer), Some(inner)) => outer <= inner,
                    _ => false,
                };
            let high_holds = high.is_none()
                || match (number(high), number(inner_high)) {
                    (Some(outer), Some(inner)) => outer > inner || outer == inner && (*inclusive || !inner_inclusive),
                    _ => false,
                };
            low_holds && high_holds
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(dtype: DataType, nullable: bool, refinement: Option<Refinement>) -> Field {
        Field { refinement, ..Field::new("x", dtype, nullable) }
    }

    fn range(low: i64, high: i64) -> Option<Refinement> {
        Some(Refinement::Range { low: Some(Value::Int(low)), high: Some(Value::Int(high)), inclusive: true })
    }

    #[test]
    fn what_old_callers_may_still_do_breaks_nothing() {
        let breaks = |was: Field, now: Field| {
            changes((&[was], &DataType::Bool), (&[now], &DataType::Bool)).iter().map(|c| c.breaking).collect::<Vec<_>>()
        };
        let int = |nullable, refinement| field(DataType::Int, nullable, refinement);
        assert_eq!(breaks(int(false, None), int(false, None)), Vec::<bool>::new());
        assert_eq!(breaks(int(false, None), int(true, None)), [false]);
        assert_eq!(breaks(int(true, None), int(false, None)), [true]);
        assert_eq!(breaks(int(false, range(1, 5)), int(false, range(0, 9))), [false]);
        assert_eq!(breaks(int(false, range(1, 5)), int(false, range(2, 5))), [true]);
        assert_eq!(breaks(int(false, range(1, 5)), int(false, None)), [false]);
        assert_eq!(breaks(int(false, None), field(DataType::Float, false, None)), [false]);
        assert_eq!(breaks(int(false, None), field(DataType::String, false, None)), [true]);
    }

    #[test]
    fn fields_that_come_and_go_break_callers() {
        let one = [field(DataType::Int, false, None)];
        let found = changes((&one, &DataType::Bool), (&[], &DataType::Float));
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|c| c.breaking));
        assert!(changes((&[], &DataType::Bool), (&one, &DataType::Bool))[0].what.contains("x: int"));
    }
}
