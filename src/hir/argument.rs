//! The arguments of a call against the parameters of its function.

use dbjob_plan::{DataType, Span, Value};

use super::expr::{Checker, Typed};
use super::{constant, decimal, options, types};
use crate::catalog::function::{Accepts, Arity, Function, Kind, Param};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast;

impl Checker<'_, '_> {
    /// One typed argument for each parameter that was given, `Many` spread out; `None` when something was reported.
    pub(super) fn arguments(&mut self, function: &Function, call: &ast::Call) -> Option<Vec<Typed>> {
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
        let mut args: Vec<Typed> = Vec::new();
        let mut sound = true;
        for (param, ast) in bound {
            match self.argument(function, param, ast, args.first().cloned()) {
                Some(arg) => args.push(arg),
                None => sound = false,
            }
        }
        sound.then_some(args)
    }

    fn argument(&mut self, function: &Function, param: &Param, ast: &ast::Expr, first: Option<Typed>) -> Option<Typed> {
        let literal = options::constant(ast);
        let fits_literal = constant::fits(param.accepts, literal.as_ref());
        let typed = self.expr(ast);
        if typed.is_unknown() {
            return None;
        }
        let dtype = typed.dtype().clone();
        if let (Accepts::Item, Some(first)) = (param.accepts, &first) {
            return self.item_for(first, typed, function);
        }
        let fits = fits_literal.unwrap_or_else(|| accepts(param.accepts, &dtype));
        if !fits {
            // What must stand there as a constant is told by what stands there, all else by its type.
            let (found, label) = match (fits_literal, &literal) {
                (Some(_), Some(_)) => (options::describe(ast), "not such a constant".to_owned()),
                (Some(_), None) => (format!("a computed {dtype}"), "computed".to_owned()),
                _ => (dtype.to_string(), format!("this is {dtype}")),
            };
            let message =
                format!("`{}` takes {} as `{}`, not {found}", function.name, param.accepts.words(), param.name);
            let mut diagnostic = Diagnostic::error(Code::E0202, ast.span, message).label(label);
            diagnostic.help = match (fits_literal, param.accepts.kind()) {
                (None, Some(kind)) => types::bridge(&dtype, &kind).map(str::to_owned),
                _ => None,
            }
            .or_else(|| Some(format!("it is written {}", function.signature())));
            if let (Accepts::LiteralText(words), Some(Value::String(text))) = (param.accepts, &literal) {
                diagnostic =
                    Diagnostic::error(Code::E0202, ast.span, format!("`{}` does not know {text:?}", function.name))
                        .label(format!("it takes {}", param.accepts.words()))
                        .help(format!("write {}", param.accepts.words()))
                        .near_text(text, words.iter().copied());
            }
            let diagnostic = match types::item_type(&dtype) {
                Some(_) if function.aggregate => {
                    diagnostic.help("aggregate an item or the sum of the list: `list_sum(xs)`, `get(xs, 1)`")
                }
                _ => self.string_for_column(ast, diagnostic),
            };
            self.out.push(diagnostic);
            return None;
        }
        if let Some(why) = constant::wrong_text(param.accepts, literal.as_ref()) {
            let diagnostic = Diagnostic::error(Code::E0202, ast.span, format!("`{}`: {why}", function.name))
                .label(format!("it takes {}", param.accepts.words()))
                .help(match param.accepts {
                    Accepts::Regex => "write one as Rust's `regex` has them; `\\[` in quotes is a bracket itself",
                    Accepts::Zone => "write a name of the IANA database: \"Europe/Paris\"",
                    _ => "write directives of strftime: \"%Y-%m-%d %H:%M:%S\"",
                });
            self.out.push(match (param.accepts, literal.as_ref().and_then(Value::as_str)) {
                (Accepts::Zone, Some(zone)) => diagnostic.near(zone, constant::zones()),
                _ => diagnostic,
            });
            return None;
        }
        let typed = match param.accepts {
            Accepts::Float | Accepts::Rate | Accepts::LiteralShare => typed.convert(&DataType::Float),
            Accepts::Datetime => typed.convert(&DataType::Datetime),
            _ => typed,
        };
        Some(typed)
    }

    /// A value as an item of the list, or as a part of the string.
    pub(super) fn item_for(&mut self, first: &Typed, mut value: Typed, function: &Function) -> Option<Typed> {
        let item = types::item_type(first.dtype()).unwrap_or(first.dtype()).clone();
        decimal::meet_type(&item, &mut value);
        if value.is_unknown() || item == DataType::Unknown || types::converts(value.dtype(), &item) {
            return (!value.is_unknown()).then(|| value.convert(&item));
        }
        let message = format!("`{}` looks for {item} in {}, not for {}", function.name, first.dtype(), value.dtype());
        let diagnostic = Diagnostic::error(Code::E0202, value.expr.span, message)
            .label(format!("this is {}", value.dtype()))
            .related(first.expr.span, format!("this is {}", first.dtype()))
            .help(types::bridge(&item, value.dtype()).unwrap_or("look for a value of the items' type"));
        self.report(diagnostic);
        None
    }
}

/// Whether a parameter takes values of the type.
fn accepts(accepts: Accepts, dtype: &DataType) -> bool {
    let item = types::item_type(dtype);
    match accepts {
        // A bare null, and the items of an empty list.
        _ if *dtype == DataType::Unknown => true,
        Accepts::Any | Accepts::First => true,
        Accepts::Comparable => dtype.is_comparable(),
        Accepts::Number | Accepts::Float => dtype.is_numeric(),
        Accepts::Int => *dtype == DataType::Int,
        Accepts::Bool => *dtype == DataType::Bool,
        Accepts::Text => dtype.is_text(),
        Accepts::Date => *dtype == DataType::Date,
        Accepts::Temporal | Accepts::Datetime => dtype.is_temporal(),
        Accepts::Duration => *dtype == DataType::Duration,
        Accepts::Ordered => dtype.is_ordered(),
        Accepts::Summable => dtype.is_numeric() || matches!(dtype, DataType::Bool | DataType::Duration),
        Accepts::Rate => dtype.is_numeric() || *dtype == DataType::Bool,
        Accepts::List => item.is_some(),
        Accepts::Texts => item.is_some_and(|i| i.is_text() || *i == DataType::Unknown),
        Accepts::Numbers => item.is_some_and(|i| i.is_numeric() || *i == DataType::Unknown),
        Accepts::OrderedList => item.is_some_and(|i| i.is_ordered() || *i == DataType::Unknown),
        Accepts::Sized | Accepts::Item => dtype.is_text() || item.is_some(),
        Accepts::CastFrom(kinds) => Kind::of(dtype).is_some_and(|k| kinds.contains(&k)),
        // Decided by the literal.
        _ => false,
    }
}
