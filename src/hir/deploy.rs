//! Deployments: where a model or a table goes.

use std::collections::HashMap;
use std::sync::Arc;

use dbjob_plan::{Span, Target};

use super::check::Context;
use super::finished::plain;
use super::items::unknown_item;
use super::{Deploy, Item, ItemBody, onnx, target};
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
    let mut accepted: Option<Span> = None;
    for statement in &deploy.statements {
        match statement {
            DeployStatement::To(call) => {
                said_to = true;
                let what = target::Deployed { name, is_model, declared: declared.span, table: &from.name };
                if let Some(goes_to) = target::check(call, &what, cx) {
                    if let Some((dataset, span)) = target::source_at(&goes_to, cx) {
                        let message = format!("this would overwrite the file that `{dataset}` is read from");
                        let diagnostic = Diagnostic::error(Code::E0602, call.span, message)
                            .label("the same file")
                            .related(span, "read from there")
                            .help("write to another path");
                        cx.out.push(diagnostic);
                        continue;
                    }
                    if let Some((_, first)) = targets.iter().find(|(t, _)| *t == goes_to) {
                        let diagnostic = Diagnostic::error(Code::E0102, call.span, "it goes there twice")
                            .again()
                            .related(*first, "first here")
                            .help("leave one of them out");
                        cx.out.push(diagnostic);
                        continue;
                    }
                    let whole = match &goes_to {
                        Target::Onnx { .. } => goes_into_onnx(from, call.span, false, cx),
                        Target::Service(service) if service.kind == "mlflow" => {
                            goes_into_onnx(from, call.span, true, cx)
                        }
                        _ => true,
                    };
                    if !whole {
                        continue;
                    }
                    targets.push((goes_to, call.span));
                }
            }
            DeployStatement::Accept(what) => {
                if let Some(first) = accepted.replace(what.span) {
                    let message = "what callers send is said twice";
                    let diagnostic =
                        Diagnostic::error(Code::E0102, what.span, message).again().related(first, "first here");
                    cx.out.push(diagnostic);
                }
                accept(what, from, is_model, cx);
            }
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
        match &cx.items.named(&from.name).map(|i| &i.body) {
            Some(ItemBody::Model(model)) => Some(model.schema.clone()),
            _ => None,
        }
    } else {
        cx.tables.get(&from.name).filter(|t| !t.broken).map(super::Table::schema)
    };
    let Some(schema) = schema else { return };
    let body = ItemBody::Deploy(Deploy { from: from.name.clone(), targets, schema });
    cx.items.push(Arc::new(Item { name: name.name.clone(), doc, span, body, position }));
}

/// `mlflow`: as the model of a run there, which is an ONNX file, too.
fn goes_into_onnx(from: &ast::Ident, to: Span, mlflow: bool, cx: &mut Context<'_>) -> bool {
    let item = cx.items.iter().find(|i| i.name == from.name && matches!(i.body, ItemBody::Model(_))).cloned();
    match item.as_deref().map(|i| &i.body) {
        Some(ItemBody::Model(model)) => onnx::check(model, to, mlflow, cx),
        // What is wrong with it was told.
        _ => true,
    }
}

/// No two tables or models are written to one path, where the later would replace the earlier. What is added to a folder may be of
/// several tables.
pub(super) fn check_all(cx: &mut Context<'_>) {
    let mut written: Vec<(&str, bool, &str, Span)> = Vec::new();
    for item in cx.items.iter() {
        let ItemBody::Deploy(deploy) = &item.body else { continue };
        for (goes_to, span) in &deploy.targets {
            let Some(path) = goes_to.written_path() else { continue };
            let adds = matches!(goes_to, Target::Folder(folder) if folder.append);
            written.push((plain(path), adds, &deploy.from, *span));
        }
    }
    written.sort_by_key(|(.., span)| cx.program.place(*span));
    let mut found = Vec::new();
    let mut first: HashMap<&str, (bool, &str, Span)> = HashMap::new();
    for (path, adds, from, span) in written {
        let (also_adds, other, place) = *first.entry(path).or_insert((adds, from, span));
        if place == span || (adds && also_adds) {
            continue;
        }
        let message = if other == from {
            format!("`{from}` is written to this path already")
        } else {
            format!("`{other}` is written to this path, and `{from}` would replace it")
        };
        found.push(
            Diagnostic::error(Code::E0602, span, message)
                .label("the same path")
                .related(place, "written there")
                .help("write to another path"),
        );
    }
    cx.out.extend(found);
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
    while let Some(ItemBody::Table { input: Some(input), .. }) = cx.items.named(&root).map(|i| &i.body) {
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
