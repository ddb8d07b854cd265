//! Deployments: where a model or a table goes.

use std::sync::Arc;

use dbjob_plan::{Span, Target};

use super::check::Context;
use super::items::{not_yet, unknown_item};
use super::quarantine::read_from;
use super::{Deploy, Item, ItemBody};
use crate::catalog::words;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, DeployStatement};

pub(super) fn check(deploy: &ast::Deploy, doc: Option<String>, span: Span, position: usize, cx: &mut Context<'_>) {
    let name = deploy.name.as_ref().unwrap_or(&deploy.from);
    let from = &deploy.from;
    let Some(declared) = cx.names.get(&from.name).copied() else {
        if cx.excuses(&from.name) {
            return;
        }
        let diagnostic = unknown_item(from, "dataset, transform or model", cx.names.keys().map(String::as_str));
        return cx.out.push(diagnostic);
    };
    let is_model = declared.kind == "model";
    let mut targets: Vec<(Target, Span)> = Vec::new();
    let mut said_to = false;
    for statement in &deploy.statements {
        match statement {
            DeployStatement::To(call) => {
                said_to = true;
                if let Some(target) = target(call, is_model, name, declared.span, cx) {
                    if let Some((dataset, span)) = source_at(&target, cx) {
                        let message = format!("this would overwrite the file that `{dataset}` is read from");
                        let diagnostic = Diagnostic::error(Code::E0602, call.span, message)
                            .label("the same file")
                            .related(span, "read from there")
                            .help("write to another path");
                        cx.out.push(diagnostic);
                        continue;
                    }
                    if let Some((_, first)) = targets.iter().find(|(t, _)| *t == target) {
                        let diagnostic = Diagnostic::error(Code::E0102, call.span, "it goes there twice")
                            .label("again here")
                            .related(*first, "first here");
                        cx.out.push(diagnostic);
                        continue;
                    }
                    targets.push((target, call.span));
                }
            }
            DeployStatement::Accept(what) => accept(what, from, is_model, cx),
            DeployStatement::Setting(setting) => {
                let diagnostic = Diagnostic::error(
                    Code::E0104,
                    setting.name.span,
                    format!("a deployment has no setting `{}`", setting.name.name),
                )
                .label("unknown setting")
                .help("where it goes is said by a verb: `to registry(\"models\")`");
                cx.out.push(diagnostic);
            }
            DeployStatement::Unknown { verb } => {
                let diagnostic =
                    Diagnostic::error(Code::E0103, verb.span, format!("a deployment has no `{}`", verb.name))
                        .label("unknown verb");
                cx.out.push(
                    diagnostic
                        .help("write `to registry(\"models\")`")
                        .near(&verb.name, words::DEPLOY_VERBS.iter().copied()),
                );
            }
        }
    }
    // An unknown verb may have been `to`.
    let unknown = deploy.statements.iter().any(|s| matches!(s, DeployStatement::Unknown { .. }));
    if !said_to && !unknown && !cx.is_broken(span) {
        let diagnostic = Diagnostic::error(Code::E0108, name.span, format!("`{}` goes nowhere", name.name))
            .label("without `to`")
            .help(if is_model { "write `to registry(\"models\")`" } else { "write `to parquet(\"out.parquet\")`" });
        cx.out.push(diagnostic);
    }
    let schema = if is_model {
        let Some(Some(fact)) = cx.models.get(&from.name) else { return };
        if !targets.is_empty() {
            request_is_computable(deploy, fact.boundary.clone(), cx);
        }
        cx.items.iter().find_map(|i| match &i.body {
            ItemBody::Model(model) if i.name == from.name => Some(model.schema.clone()),
            _ => None,
        })
    } else {
        cx.tables.get(&from.name).filter(|t| !t.broken).map(super::Table::schema)
    };
    let Some(schema) = schema else { return };
    let body = ItemBody::Deploy(Deploy { from: from.name.clone(), targets, schema });
    cx.items.push(Arc::new(Item { name: name.name.clone(), doc, span, body, position }));
}

fn request_is_computable(deploy: &ast::Deploy, boundary: Option<(Span, String)>, cx: &mut Context<'_>) {
    let accepts_inputs =
        deploy.statements.iter().any(|s| matches!(s, DeployStatement::Accept(what) if what.name == "inputs"));
    if let (Some((span, why)), false) = (boundary, accepts_inputs) {
        let diagnostic = Diagnostic::error(
            Code::E0601,
            deploy.from.span,
            format!("`{}` cannot be asked with one row of its dataset", deploy.from.name),
        )
        .label("to be deployed")
        .related(span, why)
        .help("write `accept inputs` so that callers send the model's inputs, or make the step a `lookup` join");
        cx.out.push(diagnostic);
    }
}

fn accept(what: &ast::Ident, from: &ast::Ident, is_model: bool, cx: &mut Context<'_>) {
    if !is_model {
        cx.out.push(
            Diagnostic::error(Code::E0109, what.span, "a table accepts nothing").label("no effect").help("drop it"),
        );
        return;
    }
    if what.name == "inputs" {
        return;
    }
    // The dataset at the root of the model's table.
    let mut root = match cx.models.get(&from.name) {
        Some(Some(fact)) => fact.input.clone(),
        _ => return,
    };
    while let Some(ItemBody::Table { input: Some(input), .. }) =
        cx.items.iter().find(|i| i.name == root).map(|i| &i.body)
    {
        root.clone_from(input);
    }
    if what.name == root {
        return;
    }
    let diagnostic = match cx.names.get(&what.name) {
        Some(declared) => Diagnostic::error(
            Code::E0602,
            what.span,
            format!("the rows of `{}` come from `{root}`, not from `{}`", from.name, what.name),
        )
        .label("another item")
        .related(declared.span, "declared here"),
        None => unknown_item(what, "dataset", [root.as_str(), "inputs"].into_iter()),
    };
    let help = format!("write `accept {root}` or `accept inputs`");
    cx.out.push(if diagnostic.help.is_some() { diagnostic } else { diagnostic.help(help) });
}

fn target(
    call: &ast::Call,
    is_model: bool,
    deploy: &ast::Ident,
    declared: Span,
    cx: &mut Context<'_>,
) -> Option<Target> {
    let name = call.name.name.as_str();
    match words::find(words::SINKS, name) {
        None => {
            let diagnostic = Diagnostic::error(Code::E0101, call.name.span, format!("there is no target `{name}`"))
                .label("unknown target");
            let built: Vec<_> = words::SINKS.iter().filter(|w| w.built).map(|w| w.name).collect();
            cx.out.push(
                diagnostic
                    .help(format!("the targets are {}", built.join(", ")))
                    .near(name, words::SINKS.iter().map(|w| w.name)),
            );
            return None;
        }
        Some(word) if !word.built => {
            cx.out.push(not_yet(&format!("the target `{name}`"), call.name.span));
            return None;
        }
        Some(_) => {}
    }
    if is_model != (name == "registry") {
        let (what, help) = if is_model {
            (
                "a model goes to a registry",
                "write `to registry(\"models\")`; its predictions are a table: `predict … as p` in a transform"
                    .to_owned(),
            )
        } else {
            (
                "a table goes to a file",
                "write `to csv(\"out.csv\")`, `to parquet(\"out.parquet\")` or `to ndjson(\"out.ndjson\")`".to_owned(),
            )
        };
        let diagnostic = Diagnostic::error(Code::E0602, call.name.span, what)
            .label("does not fit")
            .related(declared, "what is deployed")
            .help(help);
        cx.out.push(diagnostic);
        return None;
    }
    let mut path: Option<String> = None;
    for (position, arg) in call.args.iter().enumerate() {
        let is_path = arg.name.as_ref().map_or(position == 0, |n| n.name == "path");
        if !is_path {
            let (span, what) = match &arg.name {
                Some(n) if ["mode", "partition"].contains(&n.name.as_str()) => {
                    cx.out.push(not_yet(&format!("`{}` of `{name}`", n.name), n.span));
                    return None;
                }
                Some(n) => (n.span, format!("`{name}` has no option `{}`", n.name)),
                None => (arg.value.span, format!("`{name}` takes one path")),
            };
            cx.out.push(Diagnostic::error(Code::E0104, span, what).label("one too many"));
            return None;
        }
        path = Some(cx.path(&arg.value, &format!("write {name}(\"out\")"))?.text);
    }
    let Some(path) = path else {
        cx.out.push(
            Diagnostic::error(Code::E0108, call.span, format!("`{name}` needs a path"))
                .label("no path")
                .help(format!("write {name}(\"out\")")),
        );
        return None;
    };
    Some(match name {
        "registry" => Target::Registry { path, deploy: deploy.name.clone() },
        "csv" => Target::Csv { path },
        "parquet" => Target::Parquet { path },
        _ => Target::Ndjson { path },
    })
}

/// The dataset whose file a table would be written over.
fn source_at(target: &Target, cx: &Context<'_>) -> Option<(String, Span)> {
    let (Target::Csv { path } | Target::Parquet { path } | Target::Ndjson { path }) = target else { return None };
    read_from(path, cx)
}
