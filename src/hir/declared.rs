//! Types as written.

use dbjob_plan::{DataType, Span, Value};

use super::items::not_yet;
use super::options;
use crate::catalog::words;
use crate::diagnostic::{Code, Diagnostic, Fix};
use crate::syntax::ast::Type;

/// The type and whether it may be null; `Unknown` when something was reported.
pub(super) fn resolve(ty: &Type, out: &mut Vec<Diagnostic>) -> (DataType, bool) {
    let unknown = (DataType::Unknown, true);
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
