use std::collections::BTreeSet;

use super::json::Json;
use super::{Contract, prediction, row};

/// The OpenAPI 3.1 document of a server that answers for these models: `POST /predict/MODEL`. A body is one row or a list
/// of rows; a list is answered by a list with one prediction or problem a row, in their order.
pub fn openapi(title: &str, version: &str, contracts: &[Contract<'_>]) -> Json {
    let mut names = Names::default();
    let mut paths = Json::object();
    let mut schemas = Json::object();
    for contract in contracts {
        let name = names.of(contract.model);
        let at = |part: &str| format!("#/components/schemas/{name}.{part}");
        let item = Json::object().with("post", operation(contract, &name, &at("row"), &at("prediction")));
        paths = paths.with(format!("/predict/{}", segment(contract.model)), item);
        schemas =
            schemas.with(format!("{name}.row"), row(contract)).with(format!("{name}.prediction"), prediction(contract));
    }
    let info = Json::object().with("title", title).with("version", version);
    Json::object()
        .with("openapi", "3.1.0")
        .with("info", info)
        .with("paths", paths)
        .with("components", Json::object().with("schemas", schemas.with("problem", problem())))
}

const PROBLEM: &str = "#/components/schemas/problem";

fn operation(contract: &Contract<'_>, name: &str, row: &str, prediction: &str) -> Json {
    let either = |one: Json, many: Json| {
        let list = Json::object().with("type", "array").with("minItems", 1).with("items", many);
        Json::object().with("oneOf", Json::List(vec![one, list]))
    };
    let result = Json::object().with("oneOf", vec![Json::reference(prediction), Json::reference(PROBLEM)]);
    let content = |kind: &str, schema: Json| Json::object().with(kind, Json::object().with("schema", schema));
    let answer = |text: &str, content: Json| Json::object().with("description", text).with("content", content);
    let failed = |text: &str| answer(text, content("application/problem+json", Json::reference(PROBLEM)));
    let body = Json::object()
        .with("required", true)
        .with("content", content("application/json", either(Json::reference(row), Json::reference(row))));
    let predictions = content("application/json", either(Json::reference(prediction), result));
    let responses = Json::object()
        .with("200", answer("The prediction, or for a list one prediction or problem a row, in order", predictions))
        .with("400", failed("The body is not JSON"))
        .with("413", failed("The body is too large"))
        .with("415", failed("The body is of a type that is not understood"))
        .with(
            "422",
            failed("The row is refused: a field is missing, unknown or not of its type, or a rule does not hold"),
        );
    Json::object()
        .with("operationId", format!("predict_{name}"))
        .with("summary", format!("Predictions of {}", contract.model))
        .with_some("description", contract.doc)
        .with("requestBody", body)
        .with("responses", responses)
}

/// Problem details of RFC 9457, with one entry for each field or rule that is wrong.
fn problem() -> Json {
    let text = || Json::object().with("type", "string");
    let error = Json::object()
        .with("type", "object")
        .with(
            "properties",
            Json::object()
                .with(
                    "row",
                    Json::object()
                        .with("type", "integer")
                        .with("minimum", 1_i64)
                        .with("description", "The row of the request, from 1; none where the body is one row."),
                )
                .with("field", text().with("description", "The field of the row; none where a rule speaks of several."))
                .with("reason", text())
                .with(
                    "inputs",
                    Json::object()
                        .with("type", "array")
                        .with("items", text())
                        .with("description", "The inputs of the model that need it."),
                ),
        )
        .with("required", vec!["reason"]);
    Json::object()
        .with("title", "Problem details (RFC 9457)")
        .with("type", "object")
        .with(
            "properties",
            Json::object()
                .with("type", text().with("format", "uri-reference"))
                .with("title", text())
                .with("status", Json::object().with("type", "integer").with("minimum", 400).with("maximum", 599))
                .with("detail", text())
                .with("errors", Json::object().with("type", "array").with("items", error)),
        )
        .with("required", vec!["title", "status"])
}

/// Names of components and operations have letters, digits, `.`, `-` and `_`; models may have others.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn of(&mut self, model: &str) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let mut name: String = model.chars().map(|c| if plain(c) { c } else { '_' }).collect();
        while !self.0.insert(name.clone()) {
            name.push('_');
        }
        name
    }
}

/// A name as a part of a path, percent-encoded.
pub fn segment(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte as char),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
