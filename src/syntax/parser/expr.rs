//! Expressions.

use dbjob_plan::Value;

use super::precedence::level;
use super::{Pair, Reader, Rule};
use crate::diagnostic::Code;
use crate::syntax::ast::{Arg, Call, Expr, ExprKind, Over};

/// How deep the tree of one expression may be: a bound on the stack of everything that walks it.
const DEEPEST: usize = 250;

impl Reader<'_> {
    /// An `expr` pair.
    pub(super) fn expr(&mut self, pair: Pair<'_>) -> Expr {
        let span = self.span(&pair);
        let items: Vec<_> = pair.into_inner().collect();
        let height = 1 + items.len() / 2;
        if self.depth + height > DEEPEST {
            self.error(
                Code::E0001,
                span,
                "this expression has too many operators",
                "too long",
                "compute a part of it in a `derive` of its own, or write `x in [a, b, …]`",
            );
            return Expr { kind: ExprKind::Literal(Value::Null), span };
        }
        self.depth += height;
        let expr = self.climb(&mut items.into_iter().peekable(), level::OR);
        self.depth -= height;
        expr
    }

    pub(super) fn primary(&mut self, pair: Pair<'_>) -> Expr {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::literal => ExprKind::Literal(self.literal(pair)),
            Rule::list => ExprKind::List(pair.into_inner().map(|item| self.expr(item)).collect()),
            Rule::paren => {
                let inner = pair.into_inner().next().expect("brackets hold an expression");
                self.expr(inner).kind
            }
            Rule::if_expr => return self.if_expr(pair),
            Rule::match_expr => self.match_expr(pair),
            _ => self.reference(pair),
        };
        Expr { kind, span }
    }

    fn reference(&mut self, pair: Pair<'_>) -> ExprKind {
        let span = self.span(&pair);
        let mut parts = pair.into_inner();
        let name = self.ident(&parts.next().expect("a reference has a name"));
        let mut call = None;
        for part in parts {
            match part.as_rule() {
                Rule::args => call = Some(Call { name: name.clone(), args: self.args(part), over: None, span }),
                Rule::over => {
                    let over = self.over(part);
                    call = call.map(|call| Call { over: Some(over.into()), ..call });
                }
                Rule::name => return ExprKind::Field { base: name, name: self.ident(&part) },
                _ => {}
            }
        }
        call.map_or(ExprKind::Name(name.name), ExprKind::Call)
    }

    /// An `operation` pair: a name with or without arguments.
    pub(super) fn operation(&mut self, pair: Pair<'_>) -> Call {
        let span = self.span(&pair);
        let mut parts = pair.into_inner();
        let name = self.ident(&parts.next().expect("an operation has a name"));
        let args = parts.next().map(|args| self.args(args)).unwrap_or_default();
        Call { name, args, over: None, span }
    }

    pub(super) fn args(&mut self, pair: Pair<'_>) -> Vec<Arg> {
        self.marks.calls.insert(self.span(&pair).start);
        pair.into_inner()
            .map(|arg| {
                let mut name = None;
                let mut value = None;
                for part in arg.into_inner() {
                    match part.as_rule() {
                        Rule::name => name = Some(self.ident(&part)),
                        Rule::expr => value = Some(self.expr(part)),
                        _ => {}
                    }
                }
                Arg { name, value: value.expect("an argument has a value") }
            })
            .collect()
    }

    fn over(&mut self, pair: Pair<'_>) -> Over {
        let span = self.span(&pair);
        let (mut direction, mut size, mut rows) = (None, None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => direction = Some(self.ident(&part)),
                Rule::over_rows => rows = Some(self.span(&part)),
                Rule::over_size => {
                    let inner = part.into_inner().next().expect("a size is something");
                    size = Some(match inner.as_rule() {
                        Rule::name => {
                            let name = self.ident(&inner);
                            Expr { kind: ExprKind::Name(name.name), span: name.span }
                        }
                        _ => self.primary(inner),
                    });
                }
                _ => {}
            }
        }
        Over { direction: direction.expect("`over` has a direction"), size, rows, span }
    }

    fn if_expr(&mut self, pair: Pair<'_>) -> Expr {
        let end = self.span(&pair);
        let mut starts = Vec::new();
        let mut values = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::kw_if => starts.push(self.span(&part)),
                Rule::expr => values.push(self.expr(part)),
                _ => {}
            }
        }
        let mut otherwise = values.pop().expect("`if` has an `else`");
        for start in starts.into_iter().rev() {
            let then = values.pop().expect("every `if` has a value");
            let condition = values.pop().expect("every `if` has a condition");
            let kind = ExprKind::If { condition: condition.into(), then: then.into(), otherwise: otherwise.into() };
            otherwise = Expr { kind, span: start.to(end) };
        }
        otherwise
    }

    fn match_expr(&mut self, pair: Pair<'_>) -> ExprKind {
        let mut value = None;
        let mut arms = Vec::new();
        let mut otherwise = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::expr => value = Some(self.expr(part)),
                Rule::match_arm => {
                    let mut sides = part.into_inner().filter(|side| side.as_rule() == Rule::expr);
                    let pattern = self.expr(sides.next().expect("an arm has a pattern"));
                    arms.push((pattern, self.expr(sides.next().expect("an arm has a value"))));
                }
                Rule::match_else => {
                    let value = part.into_inner().find(|side| side.as_rule() == Rule::expr);
                    otherwise = Some(Box::new(self.expr(value.expect("an arm has a value"))));
                }
                _ => {}
            }
        }
        ExprKind::Match { value: Box::new(value.expect("`match` has a value")), arms, otherwise }
    }
}
