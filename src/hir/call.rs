//! Types a call of a function of the catalog.

use dbjob_plan::{DataType, Expr, ExprKind, Frame, Span, Value};

use super::expr::{Aggregates, Checker, Typed};
use super::range::Range;
use super::text;
use super::types;
use super::window::Sight;
use crate::catalog::function::{self, Accepts, Arity, Domain, Function, Kind, Nulls, Param, ResultType};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast;

impl Checker<'_, '_> {
    pub(super) fn call(&mut self, call: &ast::Call, span: Span) -> Typed {
        let name = call.name.name.as_str();
        if let Some(function) = self.scope.functions.get(name) {
            return self.call_of_job(function, call, span);
        }
        let Some(function) = function::find(name) else {
            if self.scope.table.lost.contains(name) {
                return Typed::unknown(span);
            }
            if function::LATER.contains(&name) {
                return self.report(
                    Diagnostic::error(Code::E0901, call.name.span, format!("not supported yet: the function `{name}`"))
                        .label("not built yet"),
                );
            }
            let diagnostic = Diagnostic::error(Code::E0205, call.name.span, format!("there is no function `{name}`"))
                .label("unknown function")
                .near(name, self.scope.functions.names().chain(function::all().map(|f| f.name)));
            return self.report(diagnostic);
        };
        let outer = self.scope.aggregates;
        let Ok(frame) = self.frame(function, call) else { return Typed::unknown(span) };
        if function.aggregate || function.of_order {
            if let Aggregates::Forbidden(place) = outer {
                return self.report(
                    Diagnostic::error(
                        Code::E0206,
                        span,
                        format!("`{name}` is an aggregate, and {place} is computed row by row"),
                    )
                    .label("needs more than its row")
                    .help("aggregates stand in `group by … { }`, in `window … { }` and in `expect`"),
                );
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
        self.result(function, args, frame, call, span)
    }

    /// One typed argument for each parameter that was given, `Many` spread out; `None` when something was reported.
    fn arguments(&mut self, function: &Function, call: &ast::Call) -> Option<Vec<Typed>> {
        let wrong = |span: Span, message: String| {
            Diagnostic::error(Code::E0202, span, message)
                .label("here")
                .help(format!("it is written {}", function.signature()))
        };
        let mut bound: Vec<(&Param, &ast::Expr)> = Vec::new();
        let mut positional = 0;
        for arg in &call.args {
            let param = match &arg.name {
                Some(name) => {
                    let found = function.params.iter().find(|p| p.name == name.name);
                    let Some(param) = found else {
                        let diagnostic =
                            wrong(name.span, format!("`{}` has no argument `{}`", function.name, name.name));
                        self.out.push(diagnostic.near(&name.name, function.params.iter().map(|p| p.name)));
                        return None;
                    };
                    param
                }
                None => {
                    let many = function.params.last().filter(|p| p.arity == Arity::Many);
                    let Some(param) = function.params.get(positional).or(many) else {
                        self.out.push(wrong(arg.value.span, format!("`{}` takes no argument here", function.name)));
                        return None;
                    };
                    positional += 1;
                    param
                }
            };
            if param.arity != Arity::Many && bound.iter().any(|(p, _)| p.name == param.name) {
                self.out.push(wrong(arg.value.span, format!("`{}` is given twice", param.name)));
                return None;
            }
            bound.push((param, &arg.value));
        }
        for param in function.params {
            if param.arity != Arity::Optional && !bound.iter().any(|(p, _)| p.name == param.name) {
                self.out.push(wrong(call.span, format!("`{}` misses the argument `{}`", function.name, param.name)));
                return None;
            }
        }
        bound.sort_by_key(|(param, _)| function.params.iter().position(|p| p.name == param.name));
        let mut args = Vec::new();
        let mut sound = true;
        for (param, ast) in bound {
            match self.argument(function, param, ast) {
                Some(arg) => args.push(arg),
                None => sound = false,
            }
        }
        sound.then_some(args)
    }

    fn argument(&mut self, function: &Function, param: &Param, ast: &ast::Expr) -> Option<Typed> {
        let literal = match &ast.kind {
            ast::ExprKind::Literal(value) => Some(value),
            _ => None,
        };
        let fits_literal = match (param.accepts, literal) {
            (Accepts::LiteralText([]), Some(Value::String(_))) => Some(true),
            (Accepts::LiteralText(words), Some(Value::String(text))) => Some(words.contains(&text.as_str())),
            (Accepts::LiteralInt, Some(Value::Int(_))) => Some(true),
            (Accepts::LiteralCount, Some(Value::Int(count))) => Some(*count > 0),
            (Accepts::LiteralShare, Some(value)) => Some(value.as_f64().is_some_and(|x| (0.0..=1.0).contains(&x))),
            (Accepts::LiteralText(_) | Accepts::LiteralInt | Accepts::LiteralCount | Accepts::LiteralShare, _) => {
                Some(false)
            }
            _ => None,
        };
        let typed = self.expr(ast);
        if typed.is_unknown() {
            return None;
        }
        let dtype = typed.dtype().clone();
        let fits = fits_literal.unwrap_or_else(|| match param.accepts {
            _ if dtype == DataType::Unknown => true,
            Accepts::Any => true,
            Accepts::Number => dtype.is_numeric(),
            Accepts::Float => types::converts(&dtype, &DataType::Float),
            Accepts::Int => dtype == DataType::Int,
            Accepts::Bool => dtype == DataType::Bool,
            Accepts::Text => dtype.is_text(),
            Accepts::Date => dtype == DataType::Date,
            Accepts::Temporal | Accepts::Datetime => dtype.is_temporal(),
            Accepts::Duration => dtype == DataType::Duration,
            Accepts::Ordered => dtype.is_ordered(),
            Accepts::Summable => dtype.is_numeric() || dtype == DataType::Bool || dtype == DataType::Duration,
            Accepts::CastFrom(kinds) => Kind::of(&dtype).is_some_and(|k| kinds.contains(&k)),
            Accepts::LiteralText(_) | Accepts::LiteralInt | Accepts::LiteralCount | Accepts::LiteralShare => {
                unreachable!("decided above")
            }
        });
        if !fits {
            let message =
                format!("`{}` takes {} as `{}`, not {}", function.name, param.accepts.words(), param.name, dtype);
            let mut diagnostic = Diagnostic::error(Code::E0202, ast.span, message).label(format!("this is {dtype}"));
            if let (Accepts::LiteralText(words), Some(Value::String(text))) = (param.accepts, literal) {
                diagnostic =
                    Diagnostic::error(Code::E0202, ast.span, format!("`{}` does not know {text:?}", function.name))
                        .label(format!("it takes {}", param.accepts.words()))
                        .near_text(text, words.iter().copied());
            }
            let diagnostic = self.string_for_column(ast, diagnostic);
            self.out.push(diagnostic);
            return None;
        }
        let typed = match param.accepts {
            Accepts::Float | Accepts::LiteralShare => typed.convert(&DataType::Float),
            Accepts::Datetime => typed.convert(&DataType::Datetime),
            _ => typed,
        };
        Some(typed)
    }

    fn result(
        &mut self,
        function: &Function,
        mut args: Vec<Typed>,
        frame: Option<Frame>,
        call: &ast::Call,
        span: Span,
    ) -> Typed {
        let outer = self.scope.aggregates;
        // The values of `greatest(a, b)`, `coalesce(a, b)`, `clip(x, low, high)` and `lag(x, 1, default)` become one type.
        let defaulted = function.nulls == Nulls::Elsewhere;
        let uniform = function.params.iter().any(|p| p.arity == Arity::Many) || function.name == "clip" || defaulted;
        if uniform {
            let of_one_type = |i: usize| !defaulted || i != 1;
            let mut common = DataType::Unknown;
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
                            .label(format!("this is {}", arg.dtype()));
                        return self.report(diagnostic);
                    }
                }
            }
            let convert = |(i, a): (usize, Typed)| if of_one_type(i) { a.convert(&common) } else { a };
            args = args.into_iter().enumerate().map(convert).collect();
        }
        let first = args.first().map(|a| a.dtype().clone());
        let dtype = match function.result {
            ResultType::Int => DataType::Int,
            ResultType::Float => DataType::Float,
            ResultType::Bool => DataType::Bool,
            ResultType::String => DataType::String,
            ResultType::Date => DataType::Date,
            ResultType::Datetime => DataType::Datetime,
            ResultType::Same => first.clone().unwrap_or(DataType::Unknown),
            ResultType::Sum => match first {
                Some(DataType::Bool) => DataType::Int,
                other => other.unwrap_or(DataType::Unknown),
            },
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
                };
                any || !inside
            }
        };
        let mut typed = Typed::of(Expr { kind: ExprKind::Literal(Value::Null), dtype, nullable, span });
        args.iter().for_each(|a| typed.absorb(a));
        typed.range = match function.name {
            "count" if args.is_empty() && !may_be_empty => Range::from(1.0, f64::INFINITY),
            name => result_range(name, &args, x),
        };
        let of_rows = function.aggregate || function.of_order;
        if let (Aggregates::Window(window), true) = (outer, of_rows) {
            // How many rows there are, and which is the one before, depends on what chose them.
            let mut seen = args.first().map(|a| a.taint.clone()).unwrap_or_default();
            seen.absorb(&self.scope.table.chosen_by);
            let sight = Sight::of(function.name, frame);
            typed.taint = window.taint(sight, &seen, span, &text::call(call));
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

fn result_range(name: &str, args: &[Typed], x: Range) -> Range {
    match name {
        "abs" => x.abs(),
        "float" | "min" | "max" | "mean" | "median" | "quantile" | "first" | "last" | "mode" => x,
        "sqrt" | "length" | "count" | "count_distinct" | "std" | "var" => Range::from(0.0, f64::INFINITY),
        "exp" => Range { low: 0.0, above: true, ..Range::ALL },
        "clip" => {
            args.get(1).zip(args.get(2)).map_or(Range::ALL, |(low, high)| Range::from(low.range.low, high.range.high))
        }
        "greatest" => Range { low: args.iter().map(|a| a.range.low).fold(f64::NEG_INFINITY, f64::max), ..Range::ALL },
        "quarter" => Range::from(1.0, 4.0),
        "month" => Range::from(1.0, 12.0),
        "week" => Range::from(1.0, 53.0),
        "day" => Range::from(1.0, 31.0),
        "day_of_year" => Range::from(1.0, 366.0),
        "weekday" => Range::from(1.0, 7.0),
        "hour" => Range::from(0.0, 23.0),
        "minute" | "second" => Range::from(0.0, 59.0),
        "lag" | "lead" => args.get(2).map_or(x, |default| x.or(default.range)),
        "row_number" | "rank" | "dense_rank" => Range::from(1.0, f64::INFINITY),
        "sum" if x.is_positive() => Range { low: 0.0, above: true, ..Range::ALL },
        "sum" if x.is_non_negative() => Range::from(0.0, f64::INFINITY),
        _ => Range::ALL,
    }
}
