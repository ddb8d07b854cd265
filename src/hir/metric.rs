//! The metrics that a model names.

use dbjob_plan::{Span, Task};

use super::check::Context;
use super::model::Draft;
use super::options::{self, Given};
use crate::catalog::{self, metric};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast;

impl Draft {
    /// The metric as the plan calls it: `auc`, `quantile_loss(0.9)`; `None` when something was reported.
    pub(super) fn metric(&mut self, call: &ast::Call, task: Task, cx: &mut Context<'_>) -> Option<String> {
        let (name, span) = (call.name.name.as_str(), call.name.span);
        let fitting = || catalog::METRICS.iter().filter(|m| m.task == task).map(|m| m.name);
        let listed = || fitting().collect::<Vec<_>>().join(", ");
        let diagnostic = match metric::find(name) {
            Some(found) if found.task == task => return self.arguments(found, call, cx),
            Some(found) => {
                let (judges, has) = (matter(found.task), matter(task));
                let message = match task {
                    Task::Clustering => format!("`{name}` judges {judges}, and the model has no output"),
                    _ => format!("`{name}` judges {judges}, and the output has {has}"),
                };
                Diagnostic::error(Code::E0403, span, message)
                    .label("does not fit the task")
                    .help(format!("for {has} there are {}", listed()))
            }
            None => Diagnostic::error(Code::E0205, span, format!("there is no metric `{name}`"))
                .label("unknown metric")
                .help(format!("the metrics are {}", listed()))
                .near(name, fitting()),
        };
        self.report(diagnostic, cx);
        None
    }

    fn arguments(&mut self, metric: &metric::Metric, call: &ast::Call, cx: &mut Context<'_>) -> Option<String> {
        let name = with_arguments(metric, call, &mut cx.out);
        self.wrong |= name.is_none();
        name
    }
}

/// What a task is about.
pub(super) fn matter(task: Task) -> &'static str {
    match task {
        Task::Classification => "classes",
        Task::Regression => "numbers",
        Task::Clustering => "clusters",
    }
}

/// The metric as the plan calls it, or the name of one that is wrong.
pub(super) fn in_plan(call: &ast::Call) -> String {
    let found = metric::find(&call.name.name).and_then(|metric| with_arguments(metric, call, &mut Vec::new()));
    found.unwrap_or_else(|| call.name.name.clone())
}

fn with_arguments(metric: &metric::Metric, call: &ast::Call, out: &mut Vec<Diagnostic>) -> Option<String> {
    let given: Vec<Given<'_>> =
        call.args.iter().map(|arg| Given { name: arg.name.as_ref(), value: &arg.value }).collect();
    let values = options::resolve(&format!("`{}`", metric.name), call.name.span, metric.options, &given, out)?;
    let values: Vec<String> = metric.options.iter().map(|o| values[o.name].to_string()).collect();
    Some(if values.is_empty() { metric.name.to_owned() } else { format!("{}({})", metric.name, values.join(", ")) })
}

/// The metric that stands in a gate, if an expression is the form of one.
pub(super) fn in_gate(ast: &ast::Expr) -> Option<ast::Call> {
    match &ast.kind {
        ast::ExprKind::Name(name) if !matches!(name.as_str(), "baseline" | "deployed") => Some(named(name, ast.span)),
        ast::ExprKind::Call(call) => Some(call.clone()),
        _ => None,
    }
}

/// A metric without arguments.
pub(super) fn named(name: &str, span: Span) -> ast::Call {
    let name = ast::Ident { name: name.to_owned(), span };
    ast::Call { name, args: Vec::new(), over: None, span }
}
