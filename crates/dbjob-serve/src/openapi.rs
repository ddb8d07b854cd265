//! The OpenAPI document of a server: the contracts of its models as `dbjob describe` writes them, and what else can be
//! asked.

use std::collections::BTreeMap;

use dbjob_plan::contract::{Contract, Json, notes, openapi, segment};
use dbjob_plan::{DataType, Schema};

use crate::model::Model;
use crate::read::tensors::datatype;

/// The path of a model's predictions.
pub fn predict_path(model: &str) -> String {
    format!("/predict/{}", segment(model))
}

pub fn document<'a>(title: &str, models: impl Iterator<Item = &'a Model>) -> Json {
    let models: Vec<&Model> = models.collect();
    let notes: Vec<BTreeMap<String, Vec<String>>> =
        models.iter().map(|m| notes(&m.manifest().serving, &m.manifest().inputs)).collect();
    let responses: Vec<Schema> = models.iter().map(|m| m.manifest().predictions()).collect();
    let contracts: Vec<Contract<'_>> = models
        .iter()
        .zip(notes.iter().zip(&responses))
        .map(|(model, (notes, response))| Contract {
            model: model.name(),
            doc: None,
            serving: &model.manifest().serving,
            response,
            notes,
        })
        .collect();
    let version = match models.as_slice() {
        [one] => one.manifest().version.to_string(),
        _ => env!("CARGO_PKG_VERSION").to_owned(),
    };
    let mut document = openapi(title, &version, &contracts);
    let Some(paths) = member(&mut document, "paths") else { return document };
    let mut more: Vec<(String, Json)> = Vec::new();
    if let [model] = models.as_slice()
        && let Json::Object(known) = &*paths
        && let Some((_, item)) = known.first()
    {
        let mut item = item.clone();
        if let Some(id) = member(&mut item, "post").and_then(|post| member(post, "operationId")) {
            *id = "predict".into();
        }
        more.push(("/predict".to_owned(), item));
        more.push(("/invocations".to_owned(), invocations(model, "invocations", &row_schema(known))));
    }
    let rows: Vec<Json> = match &*paths {
        Json::Object(known) => known.iter().map(|one| row_schema(std::slice::from_ref(one))).collect(),
        _ => Vec::new(),
    };
    for ((at, model), row) in models.iter().enumerate().zip(&rows) {
        let name = segment(model.name());
        more.push((format!("/invocations/{name}"), invocations(model, &format!("invocations_{at}"), row)));
        let v2 = format!("/v2/models/{name}");
        let version = model.manifest().version;
        for (place, versioned) in [(v2.clone(), ""), (format!("{v2}/versions/{version}"), "version_")] {
            let id = |what: &str| format!("{what}_{versioned}{at}");
            more.push((
                place.clone(),
                get(&id("metadata"), "Names, types and shapes of the tensors", "application/json"),
            ));
            more.push((format!("{place}/ready"), get(&id("ready"), "Whether it is live", "application/json")));
            more.push((format!("{place}/infer"), infer(model, &id("infer"))));
        }
    }
    for (path, id, what, kind) in [
        ("/ping", "ping", "The server is there", "text/plain"),
        ("/health", "health", "The server is there", "text/plain"),
        ("/ready", "ready", "A model is live", "text/plain"),
        ("/version", "version", "The versions of the server and of its models", "application/json"),
        ("/metrics", "metrics", "Counts and times in Prometheus' text format", "text/plain"),
        ("/openapi.json", "openapi", "This document", "application/json"),
        ("/docs", "docs", "A form for each model", "text/html"),
        ("/v2", "server", "The server, by the Open Inference Protocol", "application/json"),
        ("/v2/health/live", "live", "The server is there", "application/json"),
        ("/v2/health/ready", "models_ready", "A model is live", "application/json"),
    ] {
        more.push((path.to_owned(), get(id, what, kind)));
    }
    if let Json::Object(paths) = paths {
        paths.extend(more);
    }
    document
}

fn member<'a>(json: &'a mut Json, name: &str) -> Option<&'a mut Json> {
    match json {
        Json::Object(fields) => fields.iter_mut().find(|(n, _)| n == name).map(|(_, value)| value),
        _ => None,
    }
}

fn look<'a>(json: &'a Json, name: &str) -> Option<&'a Json> {
    match json {
        Json::Object(fields) => fields.iter().find(|(n, _)| n == name).map(|(_, value)| value),
        _ => None,
    }
}

/// The reference to the schema of a row, as the path of the predictions has it.
fn row_schema(paths: &[(String, Json)]) -> Json {
    let way = ["post", "requestBody", "content", "application/json", "schema", "oneOf"];
    let found = paths.first().and_then(|(_, item)| way.iter().try_fold(item, |at, name| look(at, name)));
    match found {
        Some(Json::List(both)) => both.first().cloned().unwrap_or_else(Json::object),
        _ => Json::object(),
    }
}

fn content(kind: &str, schema: Json) -> Json {
    Json::object().with(kind, Json::object().with("schema", schema))
}

fn answer(text: &str, content: Json) -> Json {
    Json::object().with("description", text).with("content", content)
}

fn failed(text: &str) -> Json {
    answer(text, content("application/problem+json", Json::reference("#/components/schemas/problem")))
}

fn get(id: &str, what: &str, kind: &str) -> Json {
    let schema = if kind == "application/json" { object() } else { Json::object().with("type", "string") };
    let responses = Json::object().with("200", answer(what, content(kind, schema)));
    let responses = match kind {
        _ if id.contains("ready") => responses.with("503", failed("No model is live")),
        _ => responses,
    };
    let operation = Json::object().with("operationId", id).with("summary", what).with("responses", responses);
    Json::object().with("get", operation)
}

fn object() -> Json {
    Json::object().with("type", "object")
}

fn list(items: Json) -> Json {
    Json::object().with("type", "array").with("items", items)
}

/// An object with this member and no other.
fn with_member(name: &str, schema: Json) -> Json {
    object()
        .with("properties", Json::object().with(name, schema))
        .with("required", vec![name])
        .with("additionalProperties", false)
}

fn post(id: &str, summary: String, body: Json, done: Json) -> Json {
    let responses = Json::object()
        .with("200", answer("A prediction for each row, in order", content("application/json", done)))
        .with("400", failed("The body is not of its format"))
        .with("413", failed("The body is too large"))
        .with("415", failed("The body is of a type that is not understood"))
        .with("422", failed("A row is refused, and the rest with it; the problem names row, field and reason"));
    let operation = Json::object()
        .with("operationId", id)
        .with("summary", summary)
        .with("requestBody", Json::object().with("required", true).with("content", body))
        .with("responses", responses);
    Json::object().with("post", operation)
}

fn invocations(model: &Model, id: &str, row: &Json) -> Json {
    let names: Vec<Json> = model.shape.fields.iter().map(|r| r.field.name.as_str().into()).collect();
    let columns = list(Json::object().with("enum", Json::List(names.clone())));
    let width = names.len() as i64;
    let columns = columns.with("minItems", width).with("maxItems", width).with("uniqueItems", true);
    let split = object()
        .with("properties", Json::object().with("columns", columns).with("data", list(list(Json::object()))))
        .with("required", vec!["columns", "data"]);
    let bodies = vec![
        with_member("dataframe_records", list(row.clone())),
        with_member("instances", list(row.clone())),
        with_member("inputs", list(row.clone())),
        with_member("dataframe_split", split),
    ];
    let body = content("application/json", Json::object().with("oneOf", Json::List(bodies)));
    let body = match body {
        Json::Object(kinds) => {
            let csv = Json::object().with("schema", Json::object().with("type", "string"));
            Json::Object(kinds.into_iter().chain([("text/csv".to_owned(), csv)]).collect())
        }
        other => other,
    };
    let done = object().with("properties", Json::object().with("predictions", list(object())));
    let done = done.with("required", vec!["predictions"]);
    post(id, format!("Predictions of {}, by MLflow's scoring protocol", model.name()), body, done)
}

fn infer(model: &Model, id: &str) -> Json {
    let tensor = |name: &str, dtype: &DataType| {
        let shape = list(Json::object().with("type", "integer").with("minimum", 0_i64));
        let properties = Json::object()
            .with("name", Json::object().with("const", name))
            .with("datatype", Json::object().with("const", datatype(dtype)))
            .with("shape", shape)
            .with("data", list(Json::object()));
        object().with("properties", properties).with("required", vec!["name", "datatype", "shape", "data"])
    };
    let inputs: Vec<Json> = model.shape.fields.iter().map(|r| tensor(&r.field.name, &r.field.dtype)).collect();
    let outputs: Vec<Json> = model.manifest().predictions().fields.iter().map(|f| tensor(&f.name, &f.dtype)).collect();
    let text = || Json::object().with("type", "string");
    let any = |of: Vec<Json>| list(Json::object().with("anyOf", Json::List(of)));
    let request = object()
        .with("properties", Json::object().with("id", text()).with("inputs", any(inputs)))
        .with("required", vec!["inputs"]);
    let done = object()
        .with(
            "properties",
            Json::object()
                .with("model_name", text())
                .with("model_version", text())
                .with("id", text())
                .with("outputs", any(outputs)),
        )
        .with("required", vec!["model_name", "outputs"]);
    let summary = format!("Predictions of {}, by the Open Inference Protocol v2", model.name());
    post(id, summary, content("application/json", request), done)
}
