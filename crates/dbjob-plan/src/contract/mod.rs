//! What callers of a model send and get, as JSON Schema 2020-12 and OpenAPI 3.1: before training from a plan, after it from
//! a package.

mod bounds;
mod change;
mod field;
mod json;
mod need;
mod openapi;
mod range;

use std::collections::BTreeMap;

use serde_json::Value as J;

pub use bounds::{Bounds, Rule, rules};
pub use change::{ContractChange, ContractPart, Promise, changes};
pub use field::json;
pub use json::Json;
pub use need::{needs, notes};
pub use openapi::{openapi, segment};

use crate::{DataType, Field, Refinement, Schema, Serving};

/// A model as its callers see it.
#[derive(Debug, Clone, Copy)]
pub struct Contract<'a> {
    pub model: &'a str,
    pub doc: Option<&'a str>,
    pub serving: &'a Serving,
    /// The columns of a prediction, named from `prediction`.
    pub response: &'a Schema,
    /// What is to be said of a field of the request beyond its doc comment, in sentences.
    pub notes: &'a BTreeMap<String, Vec<String>>,
}

/// The schema of one row of a request, as a document of its own.
pub fn json_schema(contract: &Contract<'_>) -> Json {
    let row = row(contract);
    match row {
        Json::Object(fields) => {
            let head = ("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
            Json::Object(std::iter::once(head).chain(fields).collect())
        }
        other => other,
    }
}

/// The schema of one row of a request.
fn row(contract: &Contract<'_>) -> Json {
    let rules = rules(contract.serving);
    let fields = &contract.serving.request.fields;
    let properties = fields.iter().filter(|f| !f.hidden).fold(Json::object(), |out, f| {
        let bounds = bounds_of(f, &rules);
        out.with(f.name.clone(), field::schema(f, bounds, described(contract, f)))
    });
    let required: Vec<String> = fields.iter().filter(|f| !f.hidden).map(|f| f.name.clone()).collect();
    let example = example(contract, &rules);
    Json::object()
        .with("title", format!("A row for {}", contract.model))
        .with_some("description", rules_text(contract, &rules))
        .with("type", "object")
        .with("properties", properties)
        .with("required", required)
        .with("additionalProperties", false)
        .with_some("examples", example.map(|e| vec![e]))
}

fn bounds_of(field: &Field, rules: &[Rule<'_>]) -> Bounds {
    let declared = field.refinement.as_ref().map(Bounds::of_refinement).unwrap_or_default();
    let of_rules = rules.iter().flat_map(|r| &r.bounds).filter(|(name, _)| *name == field.name);
    of_rules.fold(declared, |all, (_, bounds)| all.and(*bounds))
}

fn described(contract: &Contract<'_>, field: &Field) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(contract.serving.docs.get(&field.name).cloned());
    match (&field.refinement, &field.dtype) {
        // JSON Schema has no ends for dates.
        (Some(Refinement::Range { low, high, inclusive }), DataType::Date | DataType::Datetime) => {
            let shown = |v: &crate::Value| json(v).as_str().unwrap_or_default().to_owned();
            parts.extend(low.as_ref().map(|low| format!("Not before {}.", shown(low))));
            let word = if *inclusive { "Not after" } else { "Before" };
            parts.extend(high.as_ref().map(|high| format!("{word} {}.", shown(high))));
        }
        (_, DataType::Datetime) => parts.push("UTC where nothing else is said.".into()),
        _ => {}
    }
    parts.extend(contract.notes.get(&field.name).into_iter().flatten().cloned());
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// The rules of a row in words; those that the fields' own schemas say are among them.
fn rules_text(contract: &Contract<'_>, rules: &[Rule<'_>]) -> Option<String> {
    let mut texts: Vec<String> = Vec::new();
    for rule in rules {
        let text = format!("`{}`", rule.text);
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    let of = contract.serving.dataset.as_ref().map(|d| format!("A row of `{d}`."));
    let refused = (!texts.is_empty()).then(|| format!("A row is refused (422) unless {}.", texts.join(" and ")));
    let parts: Vec<String> = contract.doc.map(str::to_owned).into_iter().chain(of).chain(refused).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// A row that is taken, as far as one can be made up from types.
fn example(contract: &Contract<'_>, rules: &[Rule<'_>]) -> Option<Json> {
    if rules.iter().any(|r| !r.told) {
        return None;
    }
    let fields = contract.serving.request.visible();
    Some(fields.fold(Json::object(), |out, f| {
        let value: J = field::example(f, bounds_of(f, rules));
        out.with(f.name.clone(), value)
    }))
}

/// The schema of one prediction.
fn prediction(contract: &Contract<'_>) -> Json {
    let share = Bounds { low: Some((0.0, true)), high: Some((1.0, true)), not: None };
    let is_share = |name: &str| name.starts_with("prediction_probability");
    let properties = contract.response.visible().fold(Json::object(), |out, f| {
        let bounds = if is_share(&f.name) { share } else { Bounds::default() };
        out.with(f.name.clone(), field::schema(f, bounds, None))
    });
    let open = contract.response.open.iter().fold(Json::object(), |out, prefix| {
        let value = field::schema(&Field::new(prefix.clone(), DataType::Float, false), share, None);
        out.with(format!("^{prefix}"), value)
    });
    let required: Vec<String> = contract.response.visible().map(|f| f.name.clone()).collect();
    let out = Json::object()
        .with("title", format!("A prediction of {}", contract.model))
        .with("type", "object")
        .with("properties", properties)
        .with("required", required);
    let out = if contract.response.open.is_empty() { out } else { out.with("patternProperties", open) };
    out.with("additionalProperties", false)
}
