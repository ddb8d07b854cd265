//! The gates of a model: `require accuracy > baseline`.

use dbjob_plan::{BinaryOp, DataType, Expr, ExprKind, Requirement, Span, Task};

use super::check::Context;
use super::expr::{Aggregates, Checker, Scope};
use super::metric::{self, in_gate};
use super::model::Draft;
use super::table::{Column, Table};
use super::text;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast;

impl Draft {
    /// The gates; the metrics that they need are evaluated too.
    pub(super) fn gates(
        &mut self,
        task: Task,
        mut metrics: Vec<String>,
        cx: &mut Context<'_>,
    ) -> (Vec<Requirement>, Vec<String>) {
        let mut gates = Vec::new();
        for (condition, for_each, span) in self.require.clone() {
            let Some(resolved) = self.gate_names(&condition, None, task, &mut metrics, cx) else { continue };
            // Metrics are the columns of a table of one row.
            let mut table = Table::default();
            for name in &metrics {
                for column in [name.clone(), format!("baseline.{name}"), format!("deployed.{name}")] {
                    table.put(Column::new(column, DataType::Float, false, span));
                }
            }
            let scope =
                Scope { table: &table, functions: &cx.functions, aggregates: Aggregates::Forbidden("a requirement") };
            let typed = Checker { scope, out: &mut cx.out }.wanted(&resolved, &DataType::Bool, "`require`");
            if typed.is_unknown() {
                self.wrong = true;
                continue;
            }
            if let Some(bad) = unsupported_gate(&typed.expr) {
                let diagnostic = Diagnostic::error(Code::E0201, bad, "a requirement compares metrics and numbers")
                    .label("neither")
                    .help("write `require auc >= 0.75 and accuracy > baseline`");
                self.report(diagnostic, cx);
                continue;
            }
            gates.push(Requirement {
                expr: typed.expr,
                for_each: for_each.as_ref().map(|by| by.name.clone()),
                text: match &for_each {
                    Some(by) => format!("{} for each {}", text::of(&condition), by.name),
                    None => text::of(&condition),
                },
                span: condition.span,
            });
        }
        (gates, metrics)
    }

    /// The condition with `baseline` bound to the metric that it is compared with.
    fn gate_names(
        &mut self,
        ast: &ast::Expr,
        compared: Option<&str>,
        task: Task,
        metrics: &mut Vec<String>,
        cx: &mut Context<'_>,
    ) -> Option<ast::Expr> {
        let kind = match &ast.kind {
            ast::ExprKind::Name(name) if name == "baseline" || name == "deployed" => match compared {
                Some(metric) => ast::ExprKind::Name(format!("{name}.{metric}")),
                None => {
                    let what = if name == "baseline" { "a baseline of what?" } else { "what of the live version?" };
                    let diagnostic = Diagnostic::error(Code::E0201, ast.span, what)
                        .label("not compared with a metric")
                        .help(format!("write `accuracy > {name}`"));
                    self.report(diagnostic, cx);
                    return None;
                }
            },
            ast::ExprKind::Name(_) | ast::ExprKind::Call(_) => {
                let name = self.metric(&in_gate(ast)?, task, cx)?;
                if !metrics.contains(&name) {
                    metrics.push(name.clone());
                }
                ast::ExprKind::Name(name)
            }
            ast::ExprKind::Binary { op, op_span, left, right } => {
                let logical = matches!(op, BinaryOp::And | BinaryOp::Or);
                let of = |side: &ast::Expr| if logical { None } else { only_metric(side) };
                let (in_left, in_right) = (of(left), of(right));
                let left = self.gate_names(left, in_right.as_deref().or(compared), task, metrics, cx);
                let right = self.gate_names(right, in_left.as_deref().or(compared), task, metrics, cx);
                ast::ExprKind::Binary { op: *op, op_span: *op_span, left: Box::new(left?), right: Box::new(right?) }
            }
            ast::ExprKind::Not(x) => ast::ExprKind::Not(Box::new(self.gate_names(x, compared, task, metrics, cx)?)),
            ast::ExprKind::Negate(x) => {
                ast::ExprKind::Negate(Box::new(self.gate_names(x, compared, task, metrics, cx)?))
            }
            ast::ExprKind::In { value, set, negated } => ast::ExprKind::In {
                value: Box::new(self.gate_names(value, compared, task, metrics, cx)?),
                set: set.clone(),
                negated: *negated,
            },
            other => other.clone(),
        };
        Some(ast::Expr { kind, span: ast.span })
    }
}

/// The one metric that an operand speaks of. One that is wrong is told where it stands.
fn only_metric(ast: &ast::Expr) -> Option<String> {
    match &ast.kind {
        ast::ExprKind::Name(_) | ast::ExprKind::Call(_) => in_gate(ast).map(|call| metric::in_plan(&call)),
        ast::ExprKind::Binary { left, right, .. } => only_metric(left).or_else(|| only_metric(right)),
        ast::ExprKind::Negate(x) => only_metric(x),
        _ => None,
    }
}

/// The place of something that gates cannot compute.
fn unsupported_gate(expr: &Expr) -> Option<Span> {
    match &expr.kind {
        ExprKind::Call { function, .. } if function != "float" => Some(expr.span),
        ExprKind::If { .. } | ExprKind::IsNull(_) | ExprKind::InList { .. } | ExprKind::Aggregate { .. } => {
            Some(expr.span)
        }
        ExprKind::Binary { op: BinaryOp::FloorDiv | BinaryOp::Mod | BinaryOp::Pow | BinaryOp::Coalesce, .. } => {
            Some(expr.span)
        }
        _ => expr.operands().into_iter().find_map(unsupported_gate),
    }
}
