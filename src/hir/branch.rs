//! What is computed only where a condition holds: the branches of `if`, the arms of `match`.

use dbjob_plan::{BinaryOp, DataType, Expr, ExprKind, Span, Value};

use super::expr::{Checker, Scope, Typed};
use super::facts;
use super::table::Table;
use crate::catalog::function;
use crate::syntax::ast;

impl Checker<'_, '_> {
    /// A branch that is taken where the condition is true, or where it is not, and knows so.
    pub(super) fn branch(&mut self, condition: &Typed, holds: bool, ast: &ast::Expr) -> Typed {
        let table = facts::branch(self.scope.table, &condition.expr, holds);
        self.within(&table, ast)
    }

    /// An expression of the row sees what is known of the row. An aggregate looks at others.
    fn within(&mut self, table: &Table, ast: &ast::Expr) -> Typed {
        if looks_at_other_rows(ast) {
            return self.expr(ast);
        }
        Checker { scope: Scope { table, ..self.scope }, out: self.out }.expr(ast)
    }

    /// `match` as a chain of `if`s, the last arm innermost.
    pub(super) fn matched(
        &mut self,
        value: &ast::Expr,
        arms: &[(ast::Expr, ast::Expr)],
        otherwise: Option<&ast::Expr>,
        span: Span,
    ) -> Typed {
        let mut rest = self.scope.table.clone();
        let mut chosen: Vec<(Typed, Typed)> = Vec::with_capacity(arms.len());
        for (pattern, outcome) in arms {
            let condition = self.pattern(value, pattern);
            let outcome = self.within(&facts::branch(&rest, &condition.expr, true), outcome);
            rest = facts::branch(&rest, &condition.expr, false);
            chosen.push((condition, outcome));
        }
        let mut result = match otherwise {
            Some(e) => self.within(&rest, e),
            None => Typed::of(Expr::literal(Value::Null, DataType::Unknown, span)),
        };
        // Where the arm stands that all above it must agree with.
        let mut last = otherwise.map_or(span, |e| e.span);
        for ((condition, outcome), (_, written)) in chosen.into_iter().zip(arms).rev() {
            result.expr.span = last;
            result = self.choose(condition, outcome, result, span);
            last = written.span;
        }
        result
    }

    /// Whether a value matches.
    fn pattern(&mut self, value: &ast::Expr, pattern: &ast::Expr) -> Typed {
        match &pattern.kind {
            ast::ExprKind::List(_) | ast::ExprKind::Range { .. } => self.contained(value, pattern, pattern.span),
            ast::ExprKind::Literal(Value::Null) => {
                let value = self.expr(value);
                let mut typed = self.unary(value, pattern.span, ExprKind::IsNull);
                typed.expr.dtype = DataType::Bool;
                typed.expr.nullable = false;
                typed
            }
            _ => self.binary(BinaryOp::Eq, pattern.span, value, pattern, pattern.span),
        }
    }
}

fn looks_at_other_rows(ast: &ast::Expr) -> bool {
    let mut found = false;
    ast.walk(&mut |e| {
        if let ast::ExprKind::Call(call) = &e.kind {
            found |= function::find(&call.name.name).is_some_and(|f| f.aggregate || f.of_order);
        }
    });
    found
}
