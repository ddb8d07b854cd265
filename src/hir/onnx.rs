//! What of a model an ONNX file cannot hold, found before anything is learned.

use dbjob_plan::{DataType, Field, Span};

use super::Model;
use super::check::Context;
use crate::catalog::algorithm::{self, ALGORITHMS};
use crate::diagnostic::{Code, Diagnostic};

/// Whether the model goes into a file that `to` speaks of. What stands against it is told where it is written.
pub(super) fn check(model: &Model, to: Span, mlflow: bool, cx: &mut Context<'_>) -> bool {
    let spec = &model.spec;
    let refused = |span: Span, what: &str, help: &str| {
        let place = if span == Span::default() { to } else { span };
        let diagnostic = Diagnostic::error(Code::E0603, place, format!("ONNX cannot express {what}"));
        let diagnostic = diagnostic.label("not in ONNX").help(help);
        let goal = if mlflow { "MLflow gets the model as ONNX" } else { "to be written as ONNX" };
        if place == to { diagnostic } else { diagnostic.related(to, goal) }
    };
    let tried = spec.search.iter().flat_map(|search| search.candidates.iter().map(|c| &c.algorithm));
    let algorithms = tried.chain(spec.search.is_none().then_some(&spec.algorithm));
    let mut found: Vec<Diagnostic> = Vec::new();
    for given in algorithms {
        if algorithm::find(&given.name).is_some_and(|entry| !entry.exportable) {
            let others = ALGORITHMS.iter().filter(|a| a.exportable && a.tasks.contains(&spec.task)).map(|a| a.name);
            let others: Vec<&str> = others.collect();
            let help = format!("learn with one of {}, or deploy it `to registry(…)`", others.join(", "));
            found.push(refused(given.span, &format!("a model of the algorithm `{}`", given.name), &help));
        }
    }
    found.extend(dbjob_onnx::check(spec).iter().map(|part| refused(part.span, &part.what, &part.help)));
    if mlflow {
        let lists = |f: &&Field| matches!(f.dtype, DataType::Vector { .. } | DataType::List { .. });
        let lists = spec.serving.request.visible().filter(lists);
        found.extend(lists.map(|f| {
            let message = format!("MLflow cannot hand the field `{}`, a {}, to an ONNX file", f.name, f.dtype);
            let help = "let callers send its numbers as columns, or write `to onnx(…)`";
            Diagnostic::error(Code::E0603, to, message).label("a list in a data frame").help(help)
        }));
    }
    let fits = found.is_empty();
    for diagnostic in found {
        if !cx.out.contains(&diagnostic) {
            cx.out.push(diagnostic);
        }
    }
    fits
}
