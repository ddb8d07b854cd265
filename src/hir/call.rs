//! Types a call of a function of the catalog.

use dbjob_plan::{BinaryOp, DataType, Expr, ExprKind, Frame, Span, Value};

use super::expr::{Aggregates, Checker, Typed};
use super::range::Range;
use super::result::result_type;
use super::window::Sight;
use super::{constant, decimal, reach, text, types};
use crate::catalog::function::{self, Arity, Domain, Function, Nulls, ResultType};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast;

impl Checker<'_, '_> {
    pub(super) fn call(&mut self, call: &ast::Call, span: Span) -> Typed {
        let name = call.name.name.as_str();
        if let Some(function) = self.scope.functions.get(name) {
            return self.call_of_job(function, call, span);
        }
        let Some(function) = function::find(name) else {
            if self.scope.table.is_lost(name) {
                return Typed::unknown(span);
            }
            let diagnostic = Diagnostic::error(Code::E0205, call.name.span, format!("there is no function `{name}`"))
                .label("unknown function");
            return self.report(match function::instead(name) {
                Some(instead) => diagnostic.help(format!("write {instead}")),
                None => diagnostic
                    .help("docs/functions.md lists them all")
                    .near(name, self.scope.functions.names().chain(function::all().map(|f| f.name))),
            });
        };
        let outer = self.scope.aggregates;
        let Ok(frame) = self.frame(function, call) else { return Typed::unknown(span) };
        if function.aggregate || function.of_order {
            if let Aggregates::Forbidden(place) = outer {
                let message = format!("`{name}` is an aggregate, and {place} is computed row by row");
                let help = self.of_one_row(name, call).unwrap_or_else(|| {
                    "aggregates stand in `group by … { }`, in `window … { }` and in `expect`".to_owned()
                });
                return self
                    .report(Diagnostic::error(Code::E0206, span, message).label("needs more than its row").help(help));
            }
            self.scope.aggregates =
                Aggregates::Forbidden(if function.aggregate { "what is aggregated" } else { "what other rows bring" });
        }
        let args = self.arguments(function, call);
        self.scope.aggregates = outer;
        let Some(mut args) = args else { return Typed::unknown(span) };
        if function.nulls == Nulls::Elsewhere && !has_offset(call) {
            args.insert(1, Typed::of(Expr::literal(Value::Int(1), DataType::Int, span)));
        }
        if let Some(as_written) = self.as_operator(name, &args, call, span) {
            return as_written;
        }
        if let Some((span, why, help)) = constant::wrong_together(name, &args) {
            return self.report(
                Diagnostic::error(Code::E0202, span, format!("`{name}`: {why}"))
                    .label("does not go together")
                    .help(help),
            );
        }
        if let Some(why) = constant::cast_failure(name, &args) {
            let diagnostic = Diagnostic::error(Code::E0202, args[0].expr.span, why)
                .label("fails in every row")
                .help(format!("write what it can read, or `try_{name}` for a null"));
            return self.report(diagnostic);
        }
        self.result(function, args, frame, Some(call), span)
    }

    /// What to write where an aggregate of a list of the row was meant.
    fn of_one_row(&mut self, name: &str, call: &ast::Call) -> Option<String> {
        let arg = &call.args.first()?.value;
        let (mut told, scope) = (Vec::new(), self.scope);
        let dtype = Checker { scope, out: &mut told }.expr(arg).dtype().clone();
        types::item_type(&dtype)?;
        let xs = text::of(arg);
        Some(match name {
            "count" => format!("for the items of a list write `length({xs})`"),
            "first" => format!("for the items of a list write `get({xs}, 1)`"),
            "last" => format!("for the items of a list write `get({xs}, -1)`"),
            _ => format!("for the items of a list write `list_{name}({xs})`"),
        })
        .filter(|_| matches!(name, "count" | "first" | "last") || function::find(&format!("list_{name}")).is_some())
    }

    /// The functions that say what an operator says.
    fn as_operator(&mut self, name: &str, args: &[Typed], call: &ast::Call, span: Span) -> Option<Typed> {
        let op = match name {
            "mod" => BinaryOp::Mod,
            "pow" => BinaryOp::Pow,
            "nullif" => BinaryOp::Eq,
            _ => return None,
        };
        let [x, y] = [&call.args.first()?.value, &call.args.get(1)?.value];
        let result = self.binary(op, call.name.span, x, y, span);
        if name != "nullif" || result.is_unknown() {
            return Some(result);
        }
        let x = args[0].clone();
        let null = Typed::of(Expr::literal(Value::Null, x.dtype().clone(), span));
        Some(self.choose(result, null, x, span))
    }

    /// `x in xs` of a list or vector.
    pub(super) fn contains(&mut self, list: Typed, value: Typed, span: Span) -> Typed {
        let function = function::find("contains").expect("in the catalog");
        let Some(value) = self.item_for(&list, value, function) else { return Typed::unknown(span) };
        self.result(function, vec![list, value], None, None, span)
    }

    fn result(
        &mut self,
        function: &Function,
        mut args: Vec<Typed>,
        frame: Option<Frame>,
        call: Option<&ast::Call>,
        span: Span,
    ) -> Typed {
        let outer = self.scope.aggregates;
        // The values of `greatest(a, b)`, `coalesce(a, b)`, `clip(x, low, high)` and `lag(x, 1, default)` become one type.
        let defaulted = function.nulls == Nulls::Elsewhere;
        let uniform = function.params.iter().any(|p| p.arity == Arity::Many) || function.name == "clip" || defaulted;
        let mut common = DataType::Unknown;
        if uniform {
            let of_one_type = |i: usize| !defaulted || i != 1;
            let is_decimal = |a: &Typed| matches!(a.dtype(), DataType::Decimal { .. });
            if let Some(dtype) = args.iter().find(|a| is_decimal(a)).map(|a| a.dtype().clone()) {
                args.iter_mut().for_each(|arg| decimal::meet_type(&dtype, arg));
            }
            for arg in args.iter().enumerate().filter(|(i, _)| of_one_type(*i)).map(|(_, arg)| arg) {
                match types::common(&common, arg.dtype()) {
                    Some(t) => common = t,
                    None => {
                        let message = format!(
                            "the arguments of `{}` are of two types, {common} and {}",
                            function.name,
                            arg.dtype()
                        );
                        let diagnostic = Diagnostic::error(Code::E0202, arg.expr.span, message)
                            .label(format!("this is {}", arg.dtype()))
                            .help(types::bridge(&common, arg.dtype()).unwrap_or("convert them to one type"));
                        return self.report(diagnostic);
                    }
                }
            }
            let convert = |(i, a): (usize, Typed)| if of_one_type(i) { a.convert(&common) } else { a };
            args = args.into_iter().enumerate().map(convert).collect();
        }
        let dtype = match function.result {
            // A category among texts stays what it is, and is a text among them.
            ResultType::Same if uniform => common,
            result => result_type(result, &args),
        };
        let may_be_empty = match (outer, frame) {
            (Aggregates::Group, _) => false,
            (Aggregates::Window(window), Some(frame)) => window.may_be_empty(frame),
            _ => true,
        };
        let any = args.iter().any(|a| a.expr.nullable);
        let x = args.first().map_or(Range::ALL, |a| a.range);
        let nullable = match function.nulls {
            Nulls::FromAny => any || (function.aggregate && may_be_empty),
            Nulls::FromAll => args.iter().all(|a| a.expr.nullable),
            Nulls::Never => false,
            Nulls::Always => true,
            Nulls::Elsewhere => args.get(2).is_none_or(|default| default.expr.nullable || args[0].expr.nullable),
            Nulls::Domain(domain) => {
                let inside = match domain {
                    Domain::Positive => x.is_positive(),
                    Domain::NonNegative => x.is_non_negative(),
                    Domain::AboveMinusOne => x.is_above(-1.0),
                    Domain::Unit => x.low >= -1.0 && x.high <= 1.0,
                };
                // A logarithm to a base: neither the base nor its logarithm is 0.
                let base = args.get(1).is_none_or(|b| b.range.is_above(1.0));
                any || !inside || !base
            }
        };
        let mut typed = Typed::of(Expr { kind: ExprKind::Literal(Value::Null), dtype, nullable, span });
        args.iter().for_each(|a| typed.absorb(a));
        typed.range = match function.name {
            "count" if args.is_empty() && !may_be_empty => Range::from(1.0, f64::INFINITY),
            name => {
                let args: Vec<(Range, bool)> = args.iter().map(|a| (a.range, a.expr.nullable)).collect();
                reach::of_call(name, &reach::counting(name, &args))
            }
        };
        let of_rows = function.aggregate || function.of_order;
        if let (Aggregates::Window(window), true) = (outer, of_rows) {
            // How many rows there are, and which is the one before, depends on what chose them.
            let mut seen = args.first().map(|a| a.taint.clone()).unwrap_or_default();
            seen.absorb(&self.scope.table.chosen_by);
            let sight = Sight::of(function.name, frame);
            if window.is_elsewhere(sight) {
                // All of what is looked at is of other rows; what the rest of the call says is of this one.
                typed.elsewhere.clone_from(&typed.origin);
                args.iter().skip(1).flat_map(|own| &own.origin).for_each(|source| {
                    typed.elsewhere.remove(source);
                });
            }
            typed.taint = window.taint(sight, &seen, span, &call.map(text::call).unwrap_or_default());
            args.iter().skip(1).for_each(|own| typed.taint.absorb(&own.taint));
        } else if of_rows {
            typed.taint.absorb(&self.scope.table.chosen_by);
            typed.taint = typed.taint.elsewhere();
        }
        let args = args.into_iter().map(|a| a.expr).collect();
        let function = function.name.to_owned();
        typed.expr.kind =
            if of_rows { ExprKind::Aggregate { function, args, frame } } else { ExprKind::Call { function, args } };
        typed
    }
}

/// Whether a call of `lag` or `lead` says how far.
fn has_offset(call: &ast::Call) -> bool {
    call.args.iter().filter(|a| a.name.is_none()).count() > 1
        || call.args.iter().any(|a| a.name.as_ref().is_some_and(|n| n.name == "offset"))
}
