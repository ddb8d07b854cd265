//! Which parts of the language occurred in jobs: a generator that never writes a thing proves nothing about it.

use std::collections::BTreeMap;

use dbjob::catalog::{ALGORITHMS, MAPS, METRICS, function, words};
use dbjob::syntax::ast::{self, ItemKind};
use dbjob_plan::Plan;
use serde_json::Value as Json;

use super::step::verb_of;

/// How often each part occurred: kind and name, such as ("step", "filter").
#[derive(Debug, Default, Clone)]
pub struct Coverage(pub BTreeMap<(&'static str, String), usize>);

impl Coverage {
    fn saw(&mut self, kind: &'static str, name: &str) {
        *self.0.entry((kind, name.to_owned())).or_default() += 1;
    }

    #[cfg(feature = "local")]
    pub fn add(&mut self, other: &Coverage) {
        for (part, times) in &other.0 {
            *self.0.entry(part.clone()).or_default() += times;
        }
    }

    /// The steps, sources and sinks of a file.
    pub fn file(&mut self, file: &ast::File) {
        for item in &file.items {
            match &item.kind {
                ItemKind::Dataset(dataset) => {
                    if let ast::SourceExpr::Call(call) = &dataset.source {
                        self.saw("source", &call.name.name);
                    }
                }
                ItemKind::Transform(transform) => {
                    for step in &transform.steps {
                        self.saw("step", verb_of(&step.kind));
                        if let ast::StepKind::Join(join) = &step.kind {
                            self.saw("join", join.kind.as_ref().map_or("inner", |k| &k.name));
                        }
                    }
                }
                ItemKind::Deploy(deploy) => {
                    for statement in &deploy.statements {
                        if let ast::DeployStatement::To(call) = statement {
                            self.saw("sink", &call.name.name);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// The functions, maps, algorithms and metrics of a plan, wherever in it they stand.
    pub fn plan(&mut self, plan: &Plan) {
        self.walk(&serde_json::to_value(plan).expect("a plan is plain data"));
    }

    fn walk(&mut self, json: &Json) {
        match json {
            Json::Array(items) => items.iter().for_each(|item| self.walk(item)),
            Json::Object(fields) => {
                let text = |name: &str| fields.get(name).and_then(Json::as_str);
                if let (Some(name), true) = (text("function"), fields.contains_key("args")) {
                    self.saw("function", name);
                }
                if let (Some(name), true) = (text("map"), fields.contains_key("options")) {
                    self.saw("map", name);
                }
                if let Some(name) = fields.get("algorithm").and_then(|a| a.get("name")).and_then(Json::as_str) {
                    self.saw("algorithm", name);
                }
                for name in
                    fields.get("metrics").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str)
                {
                    self.saw("metric", name);
                }
                fields.values().for_each(|value| self.walk(value));
            }
            _ => {}
        }
    }

    /// What the catalog lists and never occurred.
    pub fn missing(&self) -> Vec<(&'static str, String)> {
        let built = |words: &'static [words::Word]| words.iter().filter(|w| w.built).map(|w| w.name);
        let kinds: [(&'static str, Vec<&str>); 8] = [
            // A process of another language is not generated: the tests of the engine have it.
            ("step", built(words::STEPS).filter(|s| *s != "extern").collect()),
            ("source", built(words::SOURCES).collect()),
            ("sink", built(words::SINKS).collect()),
            ("function", function::all().map(|f| f.name).collect()),
            ("map", MAPS.iter().map(|m| m.name).collect()),
            ("algorithm", ALGORITHMS.iter().map(|a| a.name).collect()),
            ("metric", METRICS.iter().map(|m| m.name).collect()),
            ("join", vec!["inner", "left", "full", "semi", "anti", "cross"]),
        ];
        let wanted = kinds.into_iter().flat_map(|(kind, names)| names.into_iter().map(move |n| (kind, n.to_owned())));
        wanted.filter(|part| !self.0.contains_key(part)).collect()
    }
}
