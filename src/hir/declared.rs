//! Types as written.

use dbjob_plan::{DataType, Refinement, Span, Value};

use super::items::not_yet;
use super::options;
use super::value::{self, Wanted};
use crate::catalog::words;
use crate::diagnostic::{Code, Diagnostic, Fix};
use crate::syntax::ast::{Expr, ExprKind, Type};

/// The type and whether it may be null; `Unknown` when something was reported.
pub(super) fn resolve(ty: &Type, out: &mut Vec<Diagnostic>) -> (DataType, bool) {
    // Not null: a bare `null` is what is unknown and may be null.
    let unknown = (DataType::Unknown, false);
    let name = ty.name.name.as_str();
    match words::find(words::TYPES, name) {
        None => {
            let diagnostic = Diagnostic::error(Code::E0110, ty.name.span, format!("there is no type `{name}`"))
                .label("unknown type");
            let alias = match name {
                "integer" | "int64" | "i64" | "bigint" | "long" => Some("int"),
                "double" | "real" | "f64" | "float64" | "number" | "numeric" => Some("float"),
                "boolean" => Some("bool"),
                "str" | "text" | "varchar" | "char" => Some("string"),
                "timestamp" | "time" => Some("datetime"),
                "categorical" | "enum" | "factor" => Some("category"),
                _ => None,
            };
            let names: Vec<_> = words::TYPES.iter().map(|w| w.name).collect();
            out.push(match alias {
                Some(alias) => diagnostic.instead(alias),
                None => {
                    diagnostic.help(format!("the types are {}", names.join(", "))).near(name, names.iter().copied())
                }
            });
            unknown
        }
        Some(word) if !word.built => {
            out.push(not_yet(&format!("the type `{name}`"), ty.name.span));
            unknown
        }
        Some(_) => {
            let dtype = match name {
                "int" => DataType::Int,
                "float" => DataType::Float,
                "bool" => DataType::Bool,
                "string" => DataType::String,
                "date" => DataType::Date,
                "datetime" => DataType::Datetime,
                "duration" => DataType::Duration,
                _ => DataType::Category { levels: None },
            };
            if ty.args.is_empty() {
                return (dtype, ty.nullable);
            }
            if name != "category" {
                let diagnostic =
                    Diagnostic::error(Code::E0110, ty.args[0].span, format!("`{name}` takes no arguments"))
                        .label("one too many");
                out.push(diagnostic);
                return unknown;
            }
            let mut levels: Vec<String> = Vec::new();
            for arg in &ty.args {
                match options::constant(arg) {
                    Some(Value::String(level)) if !levels.contains(&level) => levels.push(level),
                    Some(Value::String(level)) => {
                        out.push(
                            Diagnostic::error(Code::E0110, arg.span, format!("the level {level:?} stands twice"))
                                .label("again here")
                                .needless(arg.span),
                        );
                        return unknown;
                    }
                    _ => {
                        let what = options::describe(arg);
                        out.push(
                            Diagnostic::error(
                                Code::E0110,
                                arg.span,
                                format!("a level is a text in quotes, not {what}"),
                            )
                            .label("not a text")
                            .help("write category(\"a\", \"b\")"),
                        );
                        return unknown;
                    }
                }
            }
            (DataType::Category { levels: Some(levels) }, ty.nullable)
        }
    }
}

/// Takes the `?` from a type that has one.
pub(super) fn not_null(ty: &Type) -> Fix {
    Fix::write(Span { start: ty.span.end - 1, ..ty.span }, "")
}

/// The promise of `in …`, in the type that it narrows.
pub(super) fn refine(ast: &Expr, dtype: &DataType, out: &mut Vec<Diagnostic>) -> Option<Refinement> {
    let mut bad: Option<Span> = None;
    let wanted = Wanted { dtype: dtype.clone(), nullable: false, refinement: None };
    let mut bound = |e: &Expr| {
        let value = options::constant(e).and_then(|v| value::fit(v, &wanted).ok());
        if value.is_none() {
            bad.get_or_insert(e.span);
        }
        value
    };
    let refinement = match &ast.kind {
        ExprKind::Range { low, high, inclusive } => Refinement::Range {
            low: low.as_deref().and_then(&mut bound),
            high: high.as_deref().and_then(&mut bound),
            inclusive: *inclusive,
        },
        ExprKind::List(items) => Refinement::OneOf(items.iter().filter_map(&mut bound).collect()),
        _ => {
            bad = Some(ast.span);
            Refinement::OneOf(Vec::new())
        }
    };
    match bad {
        Some(span) => {
            let diagnostic =
                Diagnostic::error(Code::E0201, span, format!("a column of {dtype} is refined by constants of {dtype}"))
                    .label("not such a constant")
                    .help("write a range `in 1..=500` or a list `in [1, 2]`");
            out.push(diagnostic);
            None
        }
        None => Some(refinement),
    }
}
