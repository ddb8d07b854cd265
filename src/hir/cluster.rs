//! Clusters, and what refers to them.

use std::collections::BTreeMap;

use dbjob_plan::{Cluster, ClusterEngine, Environment, EnvironmentValue, Said, Value};

use super::check::Context;
use super::items::unknown_item;
use super::options;
use super::setting::{Settings, names, twice, wrong};
use crate::catalog::setting::{ENGINE, ENGINES};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, Ident, ItemKind, Setting, SettingValue};

/// The clusters of the job; what is wrong in those of used files is reported too.
pub(super) fn check_all(file: &ast::File, cx: &mut Context<'_>) -> Vec<Cluster> {
    let mut clusters: Vec<Cluster> = Vec::new();
    for (index, item) in file.items.iter().enumerate() {
        let ItemKind::Cluster { name, settings } = &item.kind else { continue };
        let Some(engine) = engine(name, settings, cx.is_broken(item.span), cx) else { continue };
        if cx.program.takes(index) && !clusters.iter().any(|c| c.name == name.name) {
            clusters.push(Cluster { name: name.name.clone(), engine });
        }
    }
    clusters
}

fn engine(name: &Ident, settings: &[Setting], broken: bool, cx: &mut Context<'_>) -> Option<ClusterEngine> {
    let (chosen, rest): (Vec<&Setting>, Vec<&Setting>) = settings.iter().partition(|s| s.name.name == ENGINE.name);
    let Some(first) = chosen.first() else {
        if !broken {
            let message = format!("the cluster `{}` has no engine", name.name);
            let words: Vec<_> = ENGINES.iter().map(|e| e.name).collect();
            let diagnostic = Diagnostic::error(Code::E0108, name.span, message).label("without `engine`");
            cx.out.push(diagnostic.help(format!("write `engine = local`; there are {}", words.join(", "))));
        }
        return None;
    };
    for again in &chosen[1..] {
        cx.out.push(twice(again, first));
    }
    let engine_of =
        Settings::read(std::slice::from_ref(*first), "`cluster`", std::slice::from_ref(&ENGINE), &mut cx.out);
    let word = engine_of.text(ENGINE.name)?.value;
    let engine = ENGINES.iter().find(|e| e.name == word).expect("the words of `engine` are the engines");
    let mut own: Vec<Setting> = Vec::new();
    for setting in rest {
        let other = ENGINES.iter().find(|e| e.settings.iter().any(|s| s.name == setting.name.name));
        match other {
            Some(other) if !engine.settings.iter().any(|s| s.name == setting.name.name) => {
                let names: Vec<_> = engine.settings.iter().map(|s| s.name).collect();
                let message = format!("`{}` is a setting of engine = {}", setting.name.name, other.name);
                let diagnostic = Diagnostic::error(Code::E0104, setting.name.span, message)
                    .label(format!("not of {word}"))
                    .related(first.span, "the engine")
                    .help(format!("{word} has {}", names.join(", ")));
                cx.out.push(diagnostic);
            }
            _ => own.push(setting.clone()),
        }
    }
    let own = cx.bind_settings(&own, engine.settings).into_owned();
    let own = Settings::read(&own, &format!("engine = {word}"), engine.settings, &mut cx.out);
    Some(match word.as_str() {
        "local" => ClusterEngine::Local {
            threads: own.count("threads").map(|s| s.value),
            memory: own.size("memory").map(|s| s.value),
        },
        "spark" => ClusterEngine::Spark {
            master: own.text("master").map(|s| s.value),
            executors: own.count("executors").map(|s| s.value),
            conf: own.block("conf").map(|(inner, _)| properties(inner, &mut cx.out)).unwrap_or_default(),
        },
        _ => ClusterEngine::Databricks {
            host: own.text("host").map(|s| s.value),
            node_type: own.text("node_type").map(|s| s.value),
            workers: own.count("workers").map(|s| s.value),
        },
    })
}

/// Each name once, with its value, read by `value`; the rest is reported as not being `takes`.
fn entries<T>(
    settings: &[Setting],
    takes: &str,
    value: impl Fn(&ast::Expr) -> Option<T>,
    out: &mut Vec<Diagnostic>,
) -> BTreeMap<String, T> {
    let mut entries = BTreeMap::new();
    for (at, setting) in settings.iter().enumerate() {
        if let Some(first) = settings[..at].iter().find(|s| s.name.name == setting.name.name) {
            out.push(twice(setting, first));
            continue;
        }
        let found = match &setting.value {
            SettingValue::Expr(expr) => value(expr),
            SettingValue::Block(_) => None,
        };
        match found {
            Some(found) => {
                entries.insert(setting.name.name.clone(), found);
            }
            None => out.push(wrong(setting, takes)),
        }
    }
    entries
}

fn properties(settings: &[Setting], out: &mut Vec<Diagnostic>) -> BTreeMap<String, String> {
    let text = |e: &ast::Expr| match options::constant(e)? {
        Value::String(text) => Some(text),
        value @ (Value::Int(_) | Value::Float(_) | Value::Bool(_)) => Some(value.to_string()),
        _ => None,
    };
    entries(settings, "a text, a number, true or false", text, out)
}

/// `environment { HOST = "127.0.0.1", HOME = unset, PATH = pass }`
pub(super) fn environment(settings: &[Setting], out: &mut Vec<Diagnostic>) -> Environment {
    let value = |e: &ast::Expr| match (options::constant(e), options::word(e)) {
        (Some(Value::String(text)), _) => Some(EnvironmentValue::Set(text)),
        (_, Some("unset")) => Some(EnvironmentValue::Unset),
        (_, Some("pass")) => Some(EnvironmentValue::Pass),
        _ => None,
    };
    entries(settings, "a text, unset or pass", value, out)
}

/// The cluster that a job or module names.
pub(super) fn named(setting: Option<&Setting>, cx: &mut Context<'_>) -> Option<Said<String>> {
    let setting = setting?;
    let named = names(setting).unwrap_or_default();
    let [(None, name)] = &named[..] else {
        cx.out.push(wrong(setting, "the name of a cluster"));
        return None;
    };
    let declared = cx.program.ast.items.iter().filter_map(|item| match &item.kind {
        ItemKind::Cluster { name, .. } => Some(name.name.as_str()),
        _ => None,
    });
    let declared: Vec<&str> = declared.collect();
    if !declared.contains(&name.name.as_str()) {
        if !cx.lost.contains(&name.name) {
            let help = "declare it: `cluster NAME { engine = local }`";
            let diagnostic = unknown_item(name, "cluster", declared.into_iter());
            cx.out.push(if diagnostic.help.is_some() { diagnostic } else { diagnostic.help(help) });
        }
        return None;
    }
    Some(Said { value: name.name.clone(), span: setting.span })
}
