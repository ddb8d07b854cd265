//! Rows as JSON objects.

use dbjob_plan::Value;
use serde_json::{Map, Value as Json, json};

use crate::synth::Synthetic;

/// One object a line.
pub fn lines(made: &Synthetic) -> Vec<u8> {
    objects(made).flat_map(|object| (object.to_string() + "\n").into_bytes()).collect()
}

/// One array, a line for each object.
pub fn array(made: &Synthetic) -> Vec<u8> {
    let objects: Vec<String> = objects(made).map(|object| object.to_string()).collect();
    if objects.is_empty() { b"[]\n".to_vec() } else { format!("[\n{}\n]\n", objects.join(",\n")).into_bytes() }
}

fn objects(made: &Synthetic) -> impl Iterator<Item = Json> {
    made.rows.iter().map(|row| {
        let cells = made.source.columns.iter().zip(row).map(|(c, v)| (c.header.clone(), value(v)));
        Json::Object(cells.collect::<Map<_, _>>())
    })
}

/// Numbers, texts and lists as they are; dates, times and decimals as texts.
pub fn value(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Int(i) => json!(i),
        Value::Float(x) if x.is_finite() => json!(x),
        Value::Bool(b) => json!(b),
        Value::String(text) | Value::Word(text) => json!(text),
        Value::List(items) => Json::Array(items.iter().map(self::value).collect()),
        other => json!(other.to_string().trim_start_matches('@')),
    }
}
