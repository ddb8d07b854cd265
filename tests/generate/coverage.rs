//! Which parts of the language occurred in jobs: a generator that never writes a thing proves nothing about it.

use std::collections::BTreeMap;

use dbjob::catalog::{ALGORITHMS, MAPS, METRICS, function, words};
use dbjob::syntax::ast::{self, ExprKind, ItemKind, SourceExpr, SplitSize, StepKind};
use dbjob_plan::{Plan, Task};
use serde_json::Value as Json;

use super::step::verb_of;

const JOINS: &[&str] = &["inner", "left", "full", "semi", "anti", "cross", "asof"];

/// `last 7d` is (t - 7d, t], and so on; `rows` counts them, and without a number means all of them.
const FRAMES: &[&str] =
    &["all", "last 1d", "last 1 rows", "next 1d", "next 1 rows", "previous 1d", "previous 1 rows", "previous rows"];

/// Ways to write steps and expressions that change what they mean.
const FORMS: &[&str] = &[
    "asof by",
    "asof within",
    "asof strictly before",
    "derive label",
    "derive replace",
    "distinct by",
    "distinct keep",
    "expect drop",
    "expect fail",
    "expect quarantine",
    "expect warn",
    "filter on train",
    "group without keys",
    "if",
    "in",
    "join many_to_many",
    "join many_to_one",
    "join one_to_many",
    "join lookup",
    "known at",
    "late after",
    "map as new",
    "map of several",
    "map where",
    "match",
    "named",
    "predict",
    "predict out_of_fold",
    "refinement",
    "sample by",
    "sample on train",
    "select all except",
    "select where",
    "split by",
    "split at shares",
    "split at times",
    "split folds",
    "split folds at",
    "split folds with test",
    "split gap",
    "split stratify",
    "split using",
    "the rest of the columns",
    "window by",
    "window order",
];

/// The keyword of an item. A new item does not compile until it is generated.
fn keyword_of(kind: &ItemKind) -> &'static str {
    match kind {
        ItemKind::Job { .. } => "job",
        ItemKind::Use { .. } => "use",
        ItemKind::Param { .. } => "param",
        ItemKind::Profile { .. } => "profile",
        ItemKind::Cluster { .. } => "cluster",
        ItemKind::Dataset(_) => "dataset",
        ItemKind::Transform(_) => "transform",
        ItemKind::Model(_) => "model",
        ItemKind::Deploy(_) => "deploy",
        ItemKind::Module { .. } => "module",
        ItemKind::Fn { .. } => "fn",
        ItemKind::Test { .. } => "test",
        ItemKind::Unknown { .. } => "unknown",
    }
}

/// One of [`FRAMES`].
fn frame_of(over: &ast::Over) -> &'static str {
    match (over.direction.name.as_str(), over.size.is_some(), over.rows.is_some()) {
        ("last", true, false) => "last 1d",
        ("last", true, true) => "last 1 rows",
        ("next", true, false) => "next 1d",
        ("next", true, true) => "next 1 rows",
        ("previous", true, false) => "previous 1d",
        ("previous", true, true) => "previous 1 rows",
        ("previous", false, _) => "previous rows",
        _ => "all",
    }
}

/// The [`FORMS`] of a step.
fn forms(kind: &StepKind, saw: &mut dyn FnMut(&str)) {
    let mut when = |holds: bool, form: &str| {
        if holds {
            saw(form);
        }
    };
    let narrows = |selection: &ast::Selection| {
        let of = |wanted: fn(&ast::Selector) -> bool| selection.items.iter().any(wanted);
        (
            of(|s| matches!(s, ast::Selector::All { except, .. } if !except.is_empty())),
            of(|s| matches!(s, ast::Selector::Where { .. })),
        )
    };
    match kind {
        StepKind::Filter { on_train, .. } => when(on_train.is_some(), "filter on train"),
        StepKind::Derive { replace, columns } => {
            when(*replace, "derive replace");
            when(columns.iter().any(|c| c.label.is_some()), "derive label");
        }
        StepKind::Select(selection) => {
            let (except, by_type) = narrows(selection);
            when(except, "select all except");
            when(by_type, "select where");
        }
        StepKind::Join(join) => {
            join.modifiers.iter().for_each(|word| when(true, &format!("join {}", word.name)));
            let asof = join.kind.as_ref().is_some_and(|k| k.name == "asof");
            when(asof && !join.by.is_empty(), "asof by");
            when(join.within.is_some(), "asof within");
            let strict = |on: &ast::Expr| matches!(on.kind, ExprKind::Binary { op: dbjob_plan::BinaryOp::Gt, .. });
            when(asof && join.on.iter().any(strict), "asof strictly before");
        }
        StepKind::Group { keys, .. } => when(keys.is_empty(), "group without keys"),
        StepKind::Window { by, order, .. } => {
            when(!by.is_empty(), "window by");
            when(!order.is_empty(), "window order");
        }
        StepKind::Distinct { by, keep, .. } => {
            when(!by.is_empty(), "distinct by");
            when(keep.is_some(), "distinct keep");
        }
        StepKind::Sample { by, on_train, .. } => {
            when(!by.is_empty(), "sample by");
            when(on_train.is_some(), "sample on train");
        }
        StepKind::Split(split) => {
            let of_time = |p: &ast::SplitPart| matches!(p.size, SplitSize::Time { .. });
            when(!split.by.is_empty() && split.folds.is_none(), "split by");
            when(split.at.is_some() && !split.parts.is_empty() && !split.parts.iter().any(of_time), "split at shares");
            when(split.parts.iter().any(of_time), "split at times");
            when(split.folds.is_some() && split.parts.is_empty() && split.at.is_none(), "split folds");
            when(split.folds.is_some() && split.at.is_some(), "split folds at");
            when(split.folds.is_some() && !split.parts.is_empty(), "split folds with test");
            when(split.gap.is_some(), "split gap");
            when(split.stratify.is_some(), "split stratify");
            when(split.using.is_some(), "split using");
        }
        StepKind::Map(map) => {
            when(map.name.is_some() && !map.grouped, "map as new");
            when(map.grouped, "map of several");
            when(narrows(&map.columns).1, "map where");
        }
        StepKind::Predict { out_of_fold: None, .. } => when(true, "predict"),
        StepKind::Predict { .. } => when(true, "predict out_of_fold"),
        StepKind::Expect(expect) => {
            let action = expect.action.as_ref().map_or("fail", |a| &a.name);
            when(true, &format!("expect {action}"));
        }
        _ => {}
    }
}

/// How often each part occurred: kind and name, such as ("step", "filter").
#[derive(Debug, Default, Clone)]
pub struct Coverage(pub BTreeMap<(&'static str, String), usize>);

const DATABASES: &[&str] = &["sqlite", "postgres", "mysql"];
const ELSEWHERE: &[&str] = &["onnx", "http", "mlflow"];

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

    /// What is written in a file: items, types, steps and their forms, functions, sources and sinks.
    pub fn file(&mut self, file: &ast::File) {
        for item in &file.items {
            self.saw("item", keyword_of(&item.kind));
            match &item.kind {
                ItemKind::Dataset(dataset) => self.dataset(dataset),
                ItemKind::Transform(transform) => transform.steps.iter().for_each(|step| {
                    self.saw("step", verb_of(&step.kind));
                    if let StepKind::Join(join) = &step.kind {
                        self.saw("join", join.kind.as_ref().map_or("inner", |k| &k.name));
                    }
                    forms(&step.kind, &mut |form| self.saw("form", form));
                }),
                ItemKind::Deploy(deploy) => {
                    for statement in &deploy.statements {
                        if let ast::DeployStatement::To(call) = statement {
                            self.saw("sink", &call.name.name);
                        }
                    }
                }
                _ => {}
            }
            // What became an operator is no call in the plan.
            for expr in ast::Item::clone(item).parts().exprs {
                expr.walk(&mut |e| match &e.kind {
                    ExprKind::Call(call) => {
                        self.saw("function", &call.name.name);
                        if let Some(over) = &call.over {
                            self.saw("frame", frame_of(over));
                        }
                    }
                    ExprKind::Match { .. } => self.saw("form", "match"),
                    ExprKind::If { .. } => self.saw("form", "if"),
                    ExprKind::In { .. } => self.saw("form", "in"),
                    _ => {}
                });
            }
        }
    }

    fn dataset(&mut self, dataset: &ast::Dataset) {
        match &dataset.source {
            SourceExpr::Call(call) => self.saw("source", &call.name.name),
            SourceExpr::Inline { .. } => self.saw("source", "inline"),
            SourceExpr::Name(_) => {}
        }
        for column in &dataset.columns {
            self.saw("type", &column.ty.name.name);
            for attribute in &column.attributes {
                self.saw("role", &attribute.name.name);
                if attribute.known_at.is_some() {
                    self.saw("form", "known at");
                }
                if attribute.after.is_some() {
                    self.saw("form", "late after");
                }
            }
            if column.named.is_some() {
                self.saw("form", "named");
            }
            if column.refinement.is_some() {
                self.saw("form", "refinement");
            }
        }
        if dataset.rest.is_some() {
            self.saw("form", "the rest of the columns");
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
                    self.saw("metric", name.split('(').next().unwrap_or(name));
                }
                fields.values().for_each(|value| self.walk(value));
            }
            _ => {}
        }
    }

    /// What the catalog lists and never occurred.
    pub fn missing(&self) -> Vec<(&'static str, String)> {
        let built = |words: &'static [words::Word]| words.iter().filter(|w| w.built).map(|w| w.name);
        let kinds: [(&'static str, Vec<&str>); 13] = [
            ("item", built(words::ITEMS).collect()),
            // Of expressions only.
            ("type", built(words::TYPES).filter(|t| *t != "duration").collect()),
            ("role", words::ROLES.to_vec()),
            ("form", FORMS.to_vec()),
            ("frame", FRAMES.to_vec()),
            // A process of another language is not generated: the tests of the engine have it.
            ("step", built(words::STEPS).filter(|s| *s != "extern").collect()),
            // What leaves the machine has tests of its own, on servers, and so have ONNX files and models without an output.
            ("source", built(words::SOURCES).filter(|s| !DATABASES.contains(s)).collect()),
            ("sink", built(words::SINKS).filter(|s| !DATABASES.contains(s) && !ELSEWHERE.contains(s)).collect()),
            ("function", function::all().map(|f| f.name).collect()),
            ("map", MAPS.iter().map(|m| m.name).collect()),
            ("algorithm", ALGORITHMS.iter().filter(|a| a.tasks != [Task::Clustering]).map(|a| a.name).collect()),
            ("metric", METRICS.iter().filter(|m| m.task != Task::Clustering).map(|m| m.name).collect()),
            ("join", JOINS.to_vec()),
        ];
        let wanted = kinds.into_iter().flat_map(|(kind, names)| names.into_iter().map(move |n| (kind, n.to_owned())));
        wanted.filter(|part| !self.0.contains_key(part)).collect()
    }
}
