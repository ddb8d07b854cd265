//! Types as written.

use dbjob_plan::{DECIMAL_DIGITS, DataType, FileId, Refinement, Span, Value};

use super::options;
use super::value::{self, Wanted};
use crate::catalog::words;
use crate::diagnostic::{Code, Diagnostic, Fix};
use crate::syntax::ast::{Expr, ExprKind, ItemKind, Type};

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
        Some(_) => {
            let dtype = match name {
                "decimal" => decimal(ty, out),
                "list" => list(ty, out),
                "vector" => vector(ty, out),
                "category" => category(ty, out),
                _ => plain(name, ty, out),
            };
            dtype.map_or(unknown, |dtype| (dtype, ty.nullable))
        }
    }
}

/// A type as it is written in a job: `float?`.
pub fn type_of_text(text: &str) -> Option<(DataType, bool)> {
    let parsed = crate::syntax::parse(FileId(0), &format!("param x: {text}"));
    let [item] = parsed.ast.items.as_slice() else { return None };
    let ItemKind::Param { ty, value: None, .. } = &item.kind else { return None };
    let mut problems = Vec::new();
    let found = resolve(ty, &mut problems);
    (parsed.errors.is_empty() && problems.is_empty() && ty.refinement.is_none()).then_some(found)
}

fn plain(name: &str, ty: &Type, out: &mut Vec<Diagnostic>) -> Option<DataType> {
    if let Some(arg) = ty.args.first() {
        let diagnostic =
            Diagnostic::error(Code::E0110, arg.span, format!("`{name}` takes no arguments")).label("one too many");
        out.push(diagnostic);
        return None;
    }
    if let Some(span) = ty.empty {
        let diagnostic = Diagnostic::error(Code::E0110, span, format!("`{name}` takes no arguments"));
        out.push(diagnostic.label("nothing in them").help(format!("write `{name}` alone")).needless(span));
        return None;
    }
    without_items(name, ty, out)?;
    Some(match name {
        "int" => DataType::Int,
        "float" => DataType::Float,
        "bool" => DataType::Bool,
        "string" => DataType::String,
        "date" => DataType::Date,
        "datetime" => DataType::Datetime,
        _ => DataType::Duration,
    })
}

fn without_items(name: &str, ty: &Type, out: &mut Vec<Diagnostic>) -> Option<()> {
    let Some(item) = &ty.item else { return Some(()) };
    let diagnostic = Diagnostic::error(Code::E0110, item.span, format!("`{name}` has no items"))
        .label("not a list")
        .help("lists are written `list[int]`");
    out.push(diagnostic);
    None
}

/// `decimal(10, 2)`
fn decimal(ty: &Type, out: &mut Vec<Diagnostic>) -> Option<DataType> {
    without_items("decimal", ty, out)?;
    const WRITE: &str = "write `decimal(10, 2)`: digits in all, digits after the point";
    let digits = |arg: &Expr, low: i64, high: i64| match options::constant(arg) {
        Some(Value::Int(n)) if (low..=high).contains(&n) => Ok(n as u8),
        _ => Err(Diagnostic::error(
            Code::E0110,
            arg.span,
            format!("a number of digits is a whole number from {low} to {high}, not {}", options::describe(arg)),
        )
        .label("not such a number")
        .help(WRITE)),
    };
    let [p, s] = &ty.args[..] else {
        let diagnostic = Diagnostic::error(Code::E0110, ty.span, "`decimal` takes two numbers of digits")
            .label(format!("{} given", ty.args.len()))
            .help(WRITE);
        out.push(diagnostic);
        return None;
    };
    let most = i64::from(DECIMAL_DIGITS);
    let made = digits(p, 1, most)
        .and_then(|precision| digits(s, 0, i64::from(precision)).map(|scale| DataType::Decimal { precision, scale }));
    made.map_err(|diagnostic| out.push(diagnostic)).ok()
}

/// `list[T]`; the items may be null anyway.
fn list(ty: &Type, out: &mut Vec<Diagnostic>) -> Option<DataType> {
    let (Some(item), []) = (&ty.item, &ty.args[..]) else {
        let diagnostic = Diagnostic::error(Code::E0110, ty.span, "a list says what its items are")
            .label("of what?")
            .help("write `list[int]` or `list[string]`");
        out.push(diagnostic);
        return None;
    };
    let (dtype, nullable) = resolve(item, out);
    if dtype == DataType::Unknown {
        return None;
    }
    if nullable {
        let diagnostic = Diagnostic::error(Code::E0109, item.span, "the items of a list may be null anyway")
            .label("no effect")
            .help("drop the `?`; behind the `]` it says that the list itself may be null")
            .fix(not_null(item));
        out.push(diagnostic);
    }
    if let Some(refinement) = &item.refinement {
        let diagnostic = Diagnostic::error(Code::E0110, refinement.span, "the items of a list are not narrowed")
            .label("not possible")
            .help("say it of the rows: `expect list_min(xs) >= 0`");
        out.push(diagnostic);
    }
    Some(DataType::List { item: Box::new(dtype) })
}

/// `vector(3)`
fn vector(ty: &Type, out: &mut Vec<Diagnostic>) -> Option<DataType> {
    without_items("vector", ty, out)?;
    match (&ty.args[..], ty.args.first().and_then(options::constant)) {
        ([_], Some(Value::Int(n))) if (1..=1_000_000).contains(&n) => {
            Some(DataType::Vector { width: Some(n as usize) })
        }
        _ => {
            let diagnostic =
                Diagnostic::error(Code::E0110, ty.span, "`vector` takes one whole number from 1 to 1000000")
                    .label("how many floats?")
                    .help("write `vector(3)`");
            out.push(diagnostic);
            None
        }
    }
}

fn category(ty: &Type, out: &mut Vec<Diagnostic>) -> Option<DataType> {
    without_items("category", ty, out)?;
    if let Some(span) = ty.empty {
        let diagnostic = Diagnostic::error(Code::E0110, span, "a category of no levels")
            .label("no level")
            .help("write `category(\"a\", \"b\")`, or `category` alone: its levels are learned")
            .needless(span);
        out.push(diagnostic);
        return None;
    }
    if ty.args.is_empty() {
        return Some(DataType::Category { levels: None });
    }
    let mut levels: Vec<String> = Vec::new();
    for arg in &ty.args {
        match options::constant(arg) {
            Some(Value::String(level)) if !levels.contains(&level) => levels.push(level),
            Some(Value::String(level)) => {
                out.push(
                    Diagnostic::error(Code::E0110, arg.span, format!("the level {level:?} stands twice"))
                        .again()
                        .needless(arg.span),
                );
                return None;
            }
            _ => {
                let what = options::describe(arg);
                out.push(
                    Diagnostic::error(Code::E0110, arg.span, format!("a level is a text in quotes, not {what}"))
                        .label("not a text")
                        .help("write category(\"a\", \"b\")"),
                );
                return None;
            }
        }
    }
    Some(DataType::Category { levels: Some(levels) })
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
        None if is_empty(&refinement) => {
            let diagnostic = Diagnostic::error(Code::E0201, ast.span, "no value lies in it")
                .label("holds nothing")
                .help("write a range `in 1..=500`, the lower end first, or a list `in [1, 2]`");
            out.push(diagnostic);
            None
        }
        None => Some(refinement),
    }
}

fn is_empty(refinement: &Refinement) -> bool {
    match refinement {
        Refinement::OneOf(values) => values.is_empty(),
        Refinement::Range { low: Some(low), high: Some(high), inclusive } => {
            value::holds_nothing(low, high, *inclusive)
        }
        Refinement::Range { .. } => false,
    }
}
