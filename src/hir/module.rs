//! Modules: named groups of nodes.

use std::collections::BTreeMap;

use dbjob_plan::Span;

use super::check::Context;
use super::items::unknown_item;
use super::job::{known_settings, wrong};
use super::{ItemBody, Module};
use crate::catalog::words;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, ExprKind, Ident, ItemKind, Setting, SettingValue};

pub(super) fn check_all(file: &ast::File, cx: &mut Context<'_>) -> Vec<Module> {
    let mut modules: Vec<Module> = Vec::new();
    let mut owner_of: BTreeMap<String, (String, Span)> = BTreeMap::new();
    let declared: Vec<&Ident> = file
        .items
        .iter()
        .filter_map(|i| match &i.kind {
            ItemKind::Module { name, .. } => Some(name),
            _ => None,
        })
        .collect();
    let deployments: Vec<&Ident> = file
        .items
        .iter()
        .filter_map(|i| match &i.kind {
            ItemKind::Deploy(d) => Some(d.name.as_ref().unwrap_or(&d.from)),
            _ => None,
        })
        .collect();
    for (position, item) in file.items.iter().enumerate() {
        let ItemKind::Module { name, settings } = &item.kind else { continue };
        if let Some(first) = modules.iter().find(|m| m.name == name.name) {
            let diagnostic =
                Diagnostic::error(Code::E0102, name.span, format!("there are two modules `{}`", name.name))
                    .label("again here")
                    .related(first.span, "first here");
            cx.out.push(diagnostic);
            continue;
        }
        let doc = (!item.doc.is_empty()).then(|| item.doc.join("\n"));
        let mut module = Module {
            name: name.name.clone(),
            doc,
            role: None,
            runs: Vec::new(),
            after: Vec::new(),
            span: name.span,
            position,
        };
        let mut has_runs = false;
        for setting in known_settings(settings, "`module`", words::MODULE_SETTINGS, &mut cx.out) {
            match setting.name.name.as_str() {
                "role" => match names(setting).as_deref() {
                    Some([(None, role)]) => module.role = Some(role.name.clone()),
                    _ => cx.out.push(wrong(setting, "a name like worker")),
                },
                "after" => {
                    let Some(after) = names(setting) else {
                        cx.out.push(wrong(setting, "a module or a list of modules"));
                        continue;
                    };
                    for (_, other) in after {
                        if declared.iter().any(|d| d.name == other.name) && other.name != name.name {
                            module.after.push(other.name);
                        } else {
                            let known = declared.iter().map(|d| d.name.as_str()).filter(|n| *n != name.name);
                            cx.out.push(unknown_item(&other, "other module", known));
                        }
                    }
                }
                "runs" => {
                    has_runs = true;
                    let Some(runs) = names(setting) else {
                        cx.out.push(wrong(setting, "a node or a list of nodes, `deploy.NAME` for deployments"));
                        continue;
                    };
                    for (base, node) in runs {
                        let key = match base {
                            Some(base) if base.name == "deploy" => {
                                if !deployments.iter().any(|d| d.name == node.name) {
                                    let known = deployments.iter().map(|d| d.name.as_str());
                                    cx.out.push(unknown_item(&node, "deployment", known));
                                    continue;
                                }
                                format!("deploy.{}", node.name)
                            }
                            Some(base) => {
                                let diagnostic = Diagnostic::error(
                                    Code::E0105,
                                    base.span,
                                    format!("`{}.{}` is no node", base.name, node.name),
                                )
                                .label("unknown kind")
                                .help(format!("write `{}`, or `deploy.NAME` for a deployment", node.name));
                                cx.out.push(diagnostic);
                                continue;
                            }
                            None if cx.names.contains_key(&node.name) => node.name.clone(),
                            None if deployments.iter().any(|d| d.name == node.name) => {
                                let diagnostic = Diagnostic::error(
                                    Code::E0101,
                                    node.span,
                                    format!("there is no node `{}`", node.name),
                                )
                                .label("a deployment")
                                .help(format!("write `deploy.{}`", node.name));
                                cx.out.push(diagnostic);
                                continue;
                            }
                            None if cx.lost.contains(&node.name) => continue,
                            None => {
                                cx.out.push(unknown_item(&node, "node", cx.names.keys().map(String::as_str)));
                                continue;
                            }
                        };
                        if let Some((other, span)) = owner_of.get(&key) {
                            let diagnostic = Diagnostic::error(
                                Code::E0102,
                                node.span,
                                format!("`{key}` runs in two modules, {other} and {}", name.name),
                            )
                            .label("again here")
                            .related(*span, "first here");
                            cx.out.push(diagnostic);
                            continue;
                        }
                        owner_of.insert(key.clone(), (name.name.clone(), node.span));
                        module.runs.push(key);
                    }
                }
                _ => {}
            }
        }
        if !has_runs && !cx.is_broken(item.span) {
            let diagnostic =
                Diagnostic::error(Code::E0108, name.span, format!("the module `{}` runs nothing", name.name))
                    .label("without `runs`")
                    .help("write `runs = NODE`");
            cx.out.push(diagnostic);
        }
        modules.push(module);
    }
    after_circles(&modules, cx);
    after_contradicts_data(&modules, cx);
    modules
}

/// `a`, `deploy.a`, `[a, deploy.b]` as (base, name) pairs.
fn names(setting: &Setting) -> Option<Vec<(Option<Ident>, Ident)>> {
    let SettingValue::Expr(value) = &setting.value else { return None };
    let one = |e: &ast::Expr| match &e.kind {
        ExprKind::Name(name) => Some((None, Ident { name: name.clone(), span: e.span })),
        ExprKind::Field { base, name } => Some((Some(base.clone()), name.clone())),
        _ => None,
    };
    match &value.kind {
        ExprKind::List(items) => items.iter().map(one).collect(),
        _ => one(value).map(|n| vec![n]),
    }
}

fn runs_before<'m>(modules: &'m [Module], of: &'m Module, seen: &mut Vec<&'m str>) {
    for name in &of.after {
        if let Some(module) = modules.iter().find(|m| m.name == *name)
            && !seen.contains(&module.name.as_str())
        {
            seen.push(&module.name);
            runs_before(modules, module, seen);
        }
    }
}

fn after_circles(modules: &[Module], cx: &mut Context<'_>) {
    for module in modules {
        let mut before = Vec::new();
        runs_before(modules, module, &mut before);
        if before.contains(&module.name.as_str()) {
            let diagnostic =
                Diagnostic::error(Code::E0106, module.span, format!("the module `{}` runs after itself", module.name))
                    .label("its `after` leads back to it");
            cx.out.push(diagnostic);
        }
    }
}

/// A module may not be ordered before one whose result it reads.
fn after_contradicts_data(modules: &[Module], cx: &mut Context<'_>) {
    for module in modules {
        let mut before = Vec::new();
        runs_before(modules, module, &mut before);
        for earlier in modules.iter().filter(|m| before.contains(&m.name.as_str()) && m.name != module.name) {
            for run in &earlier.runs {
                let Some(item) = cx.items.iter().find(|i| i.key() == *run) else { continue };
                let needs: Vec<String> = match &item.body {
                    ItemBody::Model(model) => vec![model.input.clone()],
                    ItemBody::Deploy(deploy) => vec![deploy.from.clone()],
                    ItemBody::Table { input, steps, .. } => {
                        input.iter().cloned().chain(steps.iter().flat_map(|s| s.others.clone())).collect()
                    }
                };
                if let Some(needed) = needs.iter().find(|n| module.runs.contains(n)) {
                    let message =
                        format!("`{}` runs after `{}`, but `{run}` in it reads `{needed}`", module.name, earlier.name);
                    let diagnostic = Diagnostic::error(Code::E0106, module.span, message)
                        .label("runs what the other needs")
                        .related(earlier.span, "needs it first");
                    cx.out.push(diagnostic);
                }
            }
        }
    }
}
