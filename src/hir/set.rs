//! Lists as values, and what stands behind `in`.

use dbjob_plan::{DataType, Expr, ExprKind, Span, Value};

use super::expr::{Checker, Typed, unknown_level};
use super::value::holds_nothing;
use super::{constant, decimal, types};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast;

impl Checker<'_, '_> {
    /// `[a, b]` as a value.
    pub(super) fn list(&mut self, items: &[ast::Expr], span: Span) -> Typed {
        let mut typed: Vec<Typed> = items.iter().map(|i| self.expr(i)).collect();
        if typed.iter().any(Typed::is_unknown) {
            return Typed::unknown(span);
        }
        let mut common = DataType::Unknown;
        for (item, ast) in typed.iter_mut().zip(items) {
            decimal::meet_type(&common, item);
            match types::common(&common, item.dtype()) {
                Some(t) => common = t,
                None => {
                    let message = format!("the items of a list are of one type, not {common} and {}", item.dtype());
                    let mut diagnostic = Diagnostic::error(Code::E0201, ast.span, message)
                        .label(format!("this is {}", item.dtype()))
                        .related(items[0].span, format!("this is {common}"));
                    diagnostic.help = types::bridge(&common, item.dtype()).map(str::to_owned);
                    return self.report(diagnostic);
                }
            }
        }
        let dtype = DataType::List { item: Box::new(common.clone()) };
        let mut list = Typed::of(Expr { kind: ExprKind::List(Vec::new()), dtype, nullable: false, span });
        typed.iter().for_each(|item| list.absorb(item));
        let items: Vec<Expr> = typed.into_iter().map(|item| item.convert(&common).expr).collect();
        let constants: Option<Vec<Value>> = items
            .iter()
            .map(|item| if let ExprKind::Literal(value) = &item.kind { Some(value.clone()) } else { None })
            .collect();
        list.expr.kind = match constants {
            Some(values) => ExprKind::Literal(Value::List(values)),
            None => ExprKind::List(items),
        };
        list
    }

    /// `value in set`
    pub(super) fn contained(&mut self, value: &ast::Expr, set: &ast::Expr, span: Span) -> Typed {
        let mut v = self.expr(value);
        match &set.kind {
            ast::ExprKind::List(items) if items.is_empty() => self.report(
                Diagnostic::error(Code::E0201, set.span, "nothing is in an empty list")
                    .label("never true")
                    .help("write `x in [1, 2]`"),
            ),
            ast::ExprKind::List(items) => {
                let mut items: Vec<(Typed, Span)> = items.iter().map(|i| (self.expr(i), i.span)).collect();
                items.iter_mut().for_each(|(item, _)| decimal::meet(&mut v, item));
                let mut common = v.dtype().clone();
                for (item, item_span) in &items {
                    if v.is_unknown() || item.is_unknown() {
                        continue;
                    }
                    match types::common(&common, item.dtype()) {
                        Some(t) => common = t,
                        None => {
                            let message = format!("{} is never equal to {}", item.dtype(), v.dtype());
                            let mut diagnostic = Diagnostic::error(Code::E0201, *item_span, message)
                                .label(format!("this is {}", item.dtype()))
                                .related(value.span, format!("this is {}", v.dtype()));
                            diagnostic.help = types::bridge(item.dtype(), v.dtype()).map(str::to_owned);
                            return self.report(diagnostic);
                        }
                    }
                    if let Some(diagnostic) = unknown_level(&v, item) {
                        return self.report(diagnostic);
                    }
                }
                if v.is_unknown() || items.iter().any(|(i, _)| i.is_unknown()) {
                    return Typed::unknown(span);
                }
                let nullable = v.expr.nullable || items.iter().any(|(i, _)| i.expr.nullable);
                let mut typed =
                    Typed::of(Expr { kind: ExprKind::Literal(Value::Null), dtype: DataType::Bool, nullable, span });
                typed.absorb(&v);
                items.iter().for_each(|(i, _)| typed.absorb(i));
                let items = items.into_iter().map(|(i, _)| i.convert(&common).expr).collect();
                typed.expr.kind = ExprKind::InList { value: Box::new(v.convert(&common).expr), items };
                typed
            }
            ast::ExprKind::Range { low, high, inclusive } => {
                let mut low = low.as_ref().map(|e| self.expr(e));
                let mut high = high.as_ref().map(|e| self.expr(e));
                [&mut low, &mut high].into_iter().flatten().for_each(|bound| decimal::meet(&mut v, bound));
                let mut common = v.dtype().clone();
                for bound in [&low, &high].into_iter().flatten() {
                    if v.is_unknown() || bound.is_unknown() {
                        return Typed::unknown(span);
                    }
                    match types::common(&common, bound.dtype()).filter(DataType::is_ordered) {
                        Some(t) => common = t,
                        None => {
                            let message = format!("a range of {} does not bound {}", bound.dtype(), v.dtype());
                            let mut diagnostic = Diagnostic::error(Code::E0201, bound.expr.span, message)
                                .label(format!("this is {}", bound.dtype()))
                                .related(value.span, format!("this is {}", v.dtype()));
                            diagnostic.help = types::bridge(bound.dtype(), v.dtype()).map(str::to_owned);
                            return self.report(diagnostic);
                        }
                    }
                }
                if let (Some(low), Some(high)) = (&low, &high)
                    && let (Some(from), Some(to)) = (constant::value_of(&low.expr), constant::value_of(&high.expr))
                    && holds_nothing(&from, &to, *inclusive)
                {
                    let diagnostic = Diagnostic::error(Code::E0201, set.span, "no value lies in this range")
                        .label("never true")
                        .help("the lower end comes first: `x in 1..=5`");
                    return self.report(diagnostic);
                }
                let mut typed = Typed::of(Expr {
                    kind: ExprKind::Literal(Value::Null),
                    dtype: DataType::Bool,
                    nullable: v.expr.nullable,
                    span,
                });
                typed.absorb(&v);
                for bound in [&low, &high].into_iter().flatten() {
                    typed.absorb(bound);
                    typed.expr.nullable |= bound.expr.nullable;
                }
                let bound = |b: Option<Typed>| b.map(|b| Box::new(b.convert(&common).expr));
                typed.expr.kind = ExprKind::InRange {
                    low: bound(low),
                    high: bound(high),
                    inclusive: *inclusive,
                    value: Box::new(v.convert(&common).expr),
                };
                typed
            }
            _ => {
                let set = self.expr(set);
                if v.is_unknown() || set.is_unknown() {
                    return Typed::unknown(span);
                }
                if matches!(set.dtype(), DataType::List { .. } | DataType::Vector { .. }) {
                    return self.contains(set, v, span);
                }
                let diagnostic = Diagnostic::error(Code::E0201, set.expr.span, "`in` takes a list or a range")
                    .label(format!("this is {}", set.dtype()))
                    .help("write `x in [1, 2]` or `x in 1..=5`");
                self.report(diagnostic)
            }
        }
    }
}
