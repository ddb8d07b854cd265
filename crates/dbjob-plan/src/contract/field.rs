use serde_json::Value as J;

use super::bounds::Bounds;
use super::json::Json;
use crate::{DataType, Field, Refinement, Value, civil_date, civil_datetime};

/// The JSON Schema of a field's values.
pub fn schema(field: &Field, bounds: Bounds, description: Option<String>) -> Json {
    let (name, format) = type_of(&field.dtype);
    let ty: Json = if field.nullable { vec![name, "null"].into() } else { name.into() };
    let mut out = Json::object().with("type", ty).with_some("format", format);
    if let Some(values) = choices(field) {
        let null = field.nullable.then_some(J::Null);
        out = out.with("enum", values.into_iter().chain(null).collect::<Vec<_>>());
    }
    out = match &field.dtype {
        DataType::Int => limits(out, &int_bounds(bounds)).with_some("not", not(bounds)),
        DataType::Float => limits(out, &number_bounds(bounds)).with_some("not", not(bounds)),
        DataType::Decimal { precision, scale } => {
            let whole = precision - scale;
            let fraction = if *scale > 0 { format!("(\\.\\d{{1,{scale}}})?") } else { String::new() };
            out.with("pattern", format!("^-?\\d{{1,{}}}{fraction}$", whole.max(1)))
        }
        DataType::List { item } => {
            out.with("items", schema(&Field::new("item", (**item).clone(), true), Bounds::default(), None))
        }
        DataType::Vector { width } => {
            let out = out.with("items", Json::object().with("type", "number"));
            match width {
                Some(n) => out.with("minItems", *n as i64).with("maxItems", *n as i64),
                None => out,
            }
        }
        _ => out,
    };
    out.with_some("description", description)
}

/// The JSON type, and the format where it has one.
fn type_of(dtype: &DataType) -> (&'static str, Option<&'static str>) {
    match dtype {
        DataType::Int => ("integer", Some("int64")),
        DataType::Float => ("number", Some("double")),
        DataType::Bool => ("boolean", None),
        DataType::Date => ("string", Some("date")),
        DataType::Datetime => ("string", Some("date-time")),
        DataType::Duration => ("string", Some("duration")),
        // A decimal keeps its digits: not every reader of JSON keeps those of a number.
        DataType::Decimal { .. } | DataType::String | DataType::Category { .. } => ("string", None),
        DataType::List { .. } | DataType::Vector { .. } => ("array", None),
        DataType::Unknown => unreachable!("no finished plan has an unknown type"),
    }
}

fn choices(field: &Field) -> Option<Vec<J>> {
    match (&field.refinement, &field.dtype) {
        (Some(Refinement::OneOf(values)), _) => Some(values.iter().map(json).collect()),
        (_, DataType::Category { levels: Some(levels) }) => Some(levels.iter().map(|l| l.as_str().into()).collect()),
        _ => None,
    }
}

/// A value as JSON has it.
pub fn json(value: &Value) -> J {
    match value {
        Value::Null => J::Null,
        Value::Int(i) => (*i).into(),
        Value::Float(x) => (*x).into(),
        Value::Bool(b) => (*b).into(),
        Value::String(s) | Value::Word(s) => s.as_str().into(),
        Value::Date(d) => civil_date(*d).into(),
        Value::Datetime(us) => (civil_datetime(*us) + "Z").into(),
        Value::List(items) => items.iter().map(json).collect(),
        other => other.to_string().into(),
    }
}

/// Ends with the words of JSON Schema.
type Limits = Vec<(&'static str, J)>;

fn limits(out: Json, limits: &Limits) -> Json {
    limits.iter().fold(out, |out, (name, value)| out.with(*name, value.clone()))
}

fn number_bounds(bounds: Bounds) -> Limits {
    let mut out = Vec::new();
    if let Some((x, belongs)) = bounds.low.filter(|(x, _)| x.is_finite()) {
        out.push((if belongs { "minimum" } else { "exclusiveMinimum" }, x.into()));
    }
    if let Some((x, belongs)) = bounds.high.filter(|(x, _)| x.is_finite()) {
        out.push((if belongs { "maximum" } else { "exclusiveMaximum" }, x.into()));
    }
    out
}

fn not(bounds: Bounds) -> Option<Json> {
    // To JSON Schema 0 and 0.0 are one number.
    bounds.not.map(|x| Json::object().with("const", J::from(x)))
}

/// Ints have a next one, and an end of their own.
fn int_bounds(bounds: Bounds) -> Limits {
    let low = bounds.low.map_or(i64::MIN, |(x, belongs)| if belongs { x.ceil() as i64 } else { x.floor() as i64 + 1 });
    let high =
        bounds.high.map_or(i64::MAX, |(x, belongs)| if belongs { x.floor() as i64 } else { x.ceil() as i64 - 1 });
    vec![("minimum", low.into()), ("maximum", high.into())]
}

/// A value that the field takes.
pub fn example(field: &Field, bounds: Bounds) -> J {
    if let Some(first) = choices(field).and_then(|c| c.into_iter().next()) {
        return first;
    }
    let low = bounds.low.map(|(x, belongs)| (x, if belongs { 0.0 } else { 1.0 }));
    let high = bounds.high.map(|(x, belongs)| (x, if belongs { 0.0 } else { 1.0 }));
    let number = match (low, high) {
        (Some((low, _)), Some((high, _))) => low + (high - low) / 2.0,
        (Some((low, step)), None) => low + step,
        (None, Some((high, step))) => high - step,
        (None, None) => 1.0,
    };
    // Halfway to the upper end, or one further.
    let number = match (bounds.not, bounds.high) {
        (Some(not), Some((high, _))) if not == number => number + (high - number) / 2.0,
        (Some(not), None) if not == number => number + 1.0,
        _ => number,
    };
    match &field.dtype {
        DataType::Int => (number.round() as i64).into(),
        DataType::Float => number.into(),
        DataType::Bool => true.into(),
        DataType::Date => date(field).into(),
        DataType::Datetime => moment(field).into(),
        DataType::Duration => "PT1H".into(),
        DataType::Decimal { .. } => "1".into(),
        DataType::String | DataType::Category { .. } => "text".into(),
        DataType::List { .. } => J::Array(Vec::new()),
        DataType::Vector { width } => vec![0.0; width.unwrap_or(1)].into(),
        DataType::Unknown => J::Null,
    }
}

fn end(field: &Field) -> Option<&Value> {
    match &field.refinement {
        Some(Refinement::Range { low, high, .. }) => low.as_ref().or(high.as_ref()),
        _ => None,
    }
}

fn date(field: &Field) -> String {
    match end(field) {
        Some(Value::Date(d)) => civil_date(*d),
        _ => "2024-01-31".into(),
    }
}

fn moment(field: &Field) -> String {
    match end(field) {
        Some(Value::Datetime(us)) => civil_datetime(*us) + "Z",
        _ => "2024-01-31T09:30:00Z".into(),
    }
}
