//! Modules: named groups of nodes.

use std::collections::BTreeMap;

use dbjob_plan::{Accelerator, ElementSpec, Instance, Limits, Said, Span};

use super::check::Context;
use super::items::unknown_item;
use super::setting::{Settings, names, wrong};
use super::{ItemBody, Module, cluster};
use crate::catalog::instance;
use crate::catalog::setting::{self, SettingType};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, Ident, ItemKind};

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
                    .again()
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
            limits: Limits::default(),
            span: name.span,
            position,
        };
        let mut has_runs = false;
        let settings = cx.bind_settings(settings, setting::MODULE);
        // An unknown setting may have been `runs`.
        let unknown = settings.iter().any(|s| setting::MODULE.iter().all(|known| known.name != s.name.name));
        let settings = Settings::read(&settings, "`module`", setting::MODULE, &mut cx.out);
        module.limits = limits(&settings, cx);
        for setting in ["role", "after", "runs"].into_iter().filter_map(|name| settings.names(name)) {
            match setting.name.name.as_str() {
                "role" => match names(setting).as_deref() {
                    Some([(None, role)]) => module.role = Some(role.name.clone()),
                    _ => cx.out.push(wrong(setting, takes("role"))),
                },
                "after" => {
                    let Some(after) = names(setting) else {
                        cx.out.push(wrong(setting, takes("after")));
                        continue;
                    };
                    for (_, other) in after {
                        if declared.iter().any(|d| d.name == other.name) && other.name != name.name {
                            module.after.push(other.name);
                        } else if !cx.excuses(&other.name) {
                            let known = declared.iter().map(|d| d.name.as_str()).filter(|n| *n != name.name);
                            cx.out.push(unknown_item(&other, "other module", known));
                        }
                    }
                }
                "runs" => {
                    let Some(runs) = names(setting) else {
                        has_runs = true;
                        cx.out.push(wrong(setting, takes("runs")));
                        continue;
                    };
                    has_runs = !runs.is_empty();
                    for (base, node) in runs {
                        let key = match base {
                            Some(base) if base.name == "deploy" => {
                                if !deployments.iter().any(|d| d.name == node.name) {
                                    if cx.excuses(&node.name) {
                                        continue;
                                    }
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
                            None if cx.excuses(&node.name) => continue,
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
                            .again()
                            .related(*span, "first here")
                            .help("leave it in one of them");
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
        if !has_runs && !unknown && !cx.is_broken(item.span) {
            let diagnostic =
                Diagnostic::error(Code::E0108, name.span, format!("the module `{}` runs nothing", name.name))
                    .label("nothing to run")
                    .help("write `runs = NODE`");
            cx.out.push(diagnostic);
        }
        modules.push(module);
    }
    after_circles(&modules, cx);
    after_contradicts_data(&modules, cx);
    modules
}

/// What a setting of names is, in words.
fn takes(name: &str) -> &'static str {
    match setting::MODULE.iter().find(|s| s.name == name).map(|s| s.ty) {
        Some(SettingType::Names(words)) => words,
        _ => unreachable!("`{name}` is a setting of names"),
    }
}

fn limits(settings: &Settings<'_>, cx: &mut Context<'_>) -> Limits {
    Limits {
        cluster: cluster::named(settings.names("cluster"), cx),
        replicas: settings.count("replicas"),
        resources: settings.count("resources"),
        memory: settings.size("memory"),
        time: settings.duration("time"),
        interval: settings.duration("interval"),
        retries: settings.count("retries"),
        element_spec: settings.block("element_spec").and_then(|(inner, span)| {
            let read = Settings::read(inner, "`element_spec`", setting::ELEMENT_SPEC, &mut cx.out);
            element_spec(&read, &mut cx.out).map(|value| Said { value, span })
        }),
    }
}

/// The machine of an `element_spec`; `None` if its instance is wrong, which is reported.
fn element_spec(settings: &Settings<'_>, out: &mut Vec<Diagnostic>) -> Option<ElementSpec> {
    const GIB: u64 = 1 << 30;
    let mut spec = ElementSpec { instance: None, accelerator: Accelerator::Off };
    if settings.text("accelerator").is_some_and(|word| word.value == "auto") {
        spec.accelerator = Accelerator::Auto;
    }
    let Some(name) = settings.text("input_config") else { return Some(spec) };
    let place = settings.place("input_config").unwrap_or(name.span);
    if let Some(found) = instance::find(&name.value) {
        spec.instance = Some(Instance {
            name: found.name.into(),
            cores: found.cores,
            memory: u64::from(found.memory) * GIB,
            node_type: found.node_type.into(),
        });
        return Some(spec);
    }
    if instance::is_off(&name.value) {
        if spec.accelerator == Accelerator::Auto {
            let message = format!("{:?} says that there is no accelerator, and `accelerator` says auto", name.value);
            out.push(Diagnostic::error(Code::E0105, place, message).label("off").help("drop one of them"));
            return None;
        }
        return Some(spec);
    }
    let diagnostic = Diagnostic::error(Code::E0105, place, format!("there is no instance {:?}", name.value))
        .label("unknown instance")
        .near(&name.value, instance::INSTANCES.iter().map(|i| i.name));
    let help = "an instance is called \"ml.t2.medium\" or \"ml.m5.xlarge\"";
    out.push(if diagnostic.help.is_some() { diagnostic } else { diagnostic.help(help) });
    None
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
