use dbjob_plan::{DataType, Field};
use serde_json::{Value as Json, json};

/// What callers send and get, in MLflow's words.
pub(crate) fn signature(request: &[Field], answers: &[(String, &'static str)]) -> (Json, Json) {
    let inputs: Vec<Json> =
        request.iter().map(|f| json!({"type": kind(f), "name": f.name, "required": true})).collect();
    let outputs: Vec<Json> =
        answers.iter().map(|(name, kind)| json!({"type": kind, "name": name, "required": true})).collect();
    (Json::Array(inputs), Json::Array(outputs))
}

/// A whole number or a truth value that may be null is no `long` and no `boolean` of MLflow.
fn kind(field: &Field) -> &'static str {
    match (&field.dtype, field.nullable) {
        (DataType::Int, false) => "long",
        (DataType::Int | DataType::Float, _) => "double",
        (DataType::Bool, false) => "boolean",
        (DataType::Bool, true) => "any",
        (DataType::Date | DataType::Datetime, _) => "datetime",
        _ => "string",
    }
}

/// How the loader makes a column's values what the file takes.
pub(crate) fn feed(field: &Field) -> &'static str {
    match (&field.dtype, field.nullable) {
        (DataType::Int, false) => "int",
        (DataType::Bool, false) => "bool",
        (DataType::Int | DataType::Float | DataType::Bool, _) => "float",
        (DataType::Date, _) => "date",
        (DataType::Datetime, _) => "datetime",
        _ => "text",
    }
}

/// The type of a column of answers.
pub(crate) fn answer(dtype: &DataType) -> &'static str {
    match dtype {
        DataType::Int => "long",
        DataType::Bool => "boolean",
        DataType::Float => "double",
        _ => "string",
    }
}
