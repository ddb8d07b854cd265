//! Options and settings against their entries of the catalog.

use std::collections::BTreeMap;

use dbjob_plan::{Span, Value};

use crate::catalog::options::{Default, OptionSpec, OptionType};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, Ident};

/// An option as given.
pub(super) struct Given<'a> {
    pub name: Option<&'a Ident>,
    pub value: &'a ast::Expr,
}

/// All options of `specs` with their values, defaults filled in; `None` if something was reported. `owner` is how a
/// message calls what they belong to: "`csv`".
pub(super) fn resolve(
    owner: &str,
    owner_span: Span,
    specs: &[OptionSpec],
    given: &[Given<'_>],
    out: &mut Vec<Diagnostic>,
) -> Option<BTreeMap<String, Value>> {
    let mut values: BTreeMap<String, Value> = BTreeMap::new();
    let mut sound = true;
    for (position, option) in given.iter().enumerate() {
        let spec = match option.name {
            Some(name) => match specs.iter().find(|s| s.name == name.name) {
                Some(spec) => spec,
                None => {
                    out.push(unknown_option(owner, name, specs, given));
                    sound = false;
                    continue;
                }
            },
            None => match specs.get(position).or(specs.last().filter(|s| s.ty == OptionType::ManyTexts)) {
                Some(spec) => spec,
                None => {
                    let message = if specs.is_empty() {
                        format!("{owner} takes no arguments")
                    } else {
                        format!("{owner} takes at most {} arguments", specs.len())
                    };
                    out.push(
                        Diagnostic::error(Code::E0104, option.value.span, message)
                            .label("one too many")
                            .help("leave it out"),
                    );
                    sound = false;
                    continue;
                }
            },
        };
        let many = spec.ty == OptionType::ManyTexts && option.name.is_none();
        if values.contains_key(spec.name) && !many {
            let span = option.name.map_or(option.value.span, |n| n.span);
            let diagnostic = Diagnostic::error(Code::E0104, span, format!("`{}` is given twice", spec.name)).again();
            let same = value_of(spec.ty, option.value).is_some_and(|value| values[spec.name] == value);
            out.push(if same { diagnostic.needless(span.to(option.value.span)) } else { diagnostic });
            sound = false;
            continue;
        }
        match value_of(spec.ty, option.value) {
            Some(Value::List(mut more)) if many => match values.get_mut(spec.name) {
                Some(Value::List(sofar)) => sofar.append(&mut more),
                _ => drop(values.insert(spec.name.to_owned(), Value::List(more))),
            },
            Some(value) => {
                values.insert(spec.name.to_owned(), value);
            }
            None => {
                let what = describe(option.value);
                let diagnostic = Diagnostic::error(
                    Code::E0105,
                    option.value.span,
                    format!("`{}` takes {}, not {what}", spec.name, spec.ty),
                )
                .label(format!("it takes {}", spec.ty))
                .help(format!("write `{}`", example(spec)));
                let diagnostic = match (spec.ty, word(option.value), constant(option.value)) {
                    (
                        OptionType::Word(words) | OptionType::WordOrAbove(words) | OptionType::WordOrLiteral(words),
                        Some(text),
                        _,
                    ) => diagnostic.near(text, words.iter().copied()),
                    (OptionType::Word(words), _, Some(Value::String(text))) => {
                        diagnostic.near(&text, words.iter().copied())
                    }
                    _ => diagnostic,
                };
                out.push(diagnostic);
                values.insert(spec.name.to_owned(), Value::Null);
                sound = false;
            }
        }
    }
    // A name that is wrong may be that of what is missing.
    let misnamed = given.iter().filter_map(|o| o.name).any(|name| specs.iter().all(|s| s.name != name.name));
    for spec in specs {
        if values.contains_key(spec.name) || misnamed && spec.default == Default::Required {
            continue;
        }
        match spec.default.value() {
            Some(value) => {
                values.insert(spec.name.to_owned(), value);
            }
            None => {
                let diagnostic = Diagnostic::error(Code::E0108, owner_span, format!("{owner} needs `{}`", spec.name))
                    .label(format!("{} is missing", spec.ty))
                    .help(format!("write `{}`", example(spec)));
                out.push(diagnostic);
                sound = false;
            }
        }
    }
    sound.then_some(values)
}

/// The option as one may write it.
fn example(spec: &OptionSpec) -> String {
    let value = match (spec.default.value(), spec.ty) {
        (Some(value), _) if !matches!(value, Value::Null) => value.to_string(),
        (_, OptionType::Int { min, .. }) => min.max(2).to_string(),
        (_, OptionType::Float { min, max, .. }) => Value::Float(1.0_f64.clamp(min, max)).to_string(),
        (_, OptionType::Number) => "2".into(),
        (_, OptionType::Numbers | OptionType::Ints { .. }) => "[1, 2]".into(),
        (_, OptionType::Bool) => "true".into(),
        (_, OptionType::Word(words) | OptionType::WordOrAbove(words) | OptionType::WordOrLiteral(words)) => {
            words.first().copied().unwrap_or("0").into()
        }
        (_, OptionType::Text) => "\"…\"".into(),
        (_, OptionType::Char) => "\";\"".into(),
        (_, OptionType::Texts | OptionType::ManyTexts) => "[\"a\", \"b\"]".into(),
        (_, OptionType::Column) => "COLUMN".into(),
        (_, OptionType::Inputs) => "[INPUT]".into(),
        (_, OptionType::Duration) => "20min".into(),
        (_, OptionType::Size) => "4GiB".into(),
    };
    format!("{} = {value}", spec.name)
}

fn unknown_option(owner: &str, name: &Ident, specs: &[OptionSpec], given: &[Given<'_>]) -> Diagnostic {
    let diagnostic = Diagnostic::error(Code::E0104, name.span, format!("{owner} has no option `{}`", name.name))
        .label("unknown option");
    if specs.is_empty() {
        return diagnostic.help("it has no options");
    }
    let names: Vec<_> = specs.iter().map(|s| s.name).collect();
    let is_free = |known: &&str| !given.iter().any(|g| g.name.is_some_and(|n| n.name == **known));
    diagnostic
        .help(format!("its options are {}", names.join(", ")))
        .near(&name.name, names.iter().copied().filter(is_free))
}

/// The constant that an option's expression stands for, if it is of the option's type.
pub(super) fn value_of(ty: OptionType, ast: &ast::Expr) -> Option<Value> {
    let constant = constant(ast);
    match (ty, constant) {
        (OptionType::Int { min, max }, Some(Value::Int(i))) if (min..=max).contains(&i) => Some(Value::Int(i)),
        (OptionType::Float { min, max, above }, Some(value)) => {
            let x = value.as_f64()?;
            (x <= max && if above { x > min } else { x >= min }).then_some(Value::Float(x))
        }
        (OptionType::Number, Some(Value::Float(x))) => x.is_finite().then_some(Value::Float(x)),
        (OptionType::Number, Some(Value::Int(i))) => Some(Value::Int(i)),
        (OptionType::Numbers, Some(Value::List(items))) => {
            items.iter().all(|i| i.as_f64().is_some_and(f64::is_finite)).then_some(Value::List(items))
        }
        (OptionType::Ints { min, max }, Some(Value::List(items))) => {
            let fits = |item: &Value| matches!(item, Value::Int(i) if (min..=max).contains(i));
            items.iter().all(fits).then_some(Value::List(items))
        }
        (OptionType::ManyTexts, Some(Value::String(text))) => Some(Value::List(vec![Value::String(text)])),
        (OptionType::Column, None) => word(ast).map(|name| Value::Word(name.into())),
        (OptionType::Inputs, _) => {
            let ast::ExprKind::List(items) = &ast.kind else { return None };
            let names: Option<Vec<Value>> =
                items.iter().map(|i| word(i).map(|name| Value::Word(name.into()))).collect();
            names.map(Value::List)
        }
        (OptionType::Bool, Some(Value::Bool(b))) => Some(Value::Bool(b)),
        (OptionType::Word(words), None) => word(ast).filter(|w| words.contains(w)).map(|w| Value::Word(w.into())),
        (OptionType::Text, Some(Value::String(text))) => Some(Value::String(text)),
        (OptionType::Char, Some(Value::String(text))) => {
            (text.len() <= 1 && text.is_ascii()).then_some(Value::String(text))
        }
        (OptionType::Texts | OptionType::ManyTexts, Some(Value::List(items))) => {
            items.iter().all(|i| matches!(i, Value::String(_))).then_some(Value::List(items))
        }
        (OptionType::Duration, Some(Value::Duration(us))) if us > 0 => Some(Value::Duration(us)),
        (OptionType::Size, Some(Value::Size(bytes))) if bytes > 0 => Some(Value::Size(bytes)),
        (OptionType::WordOrLiteral(words) | OptionType::WordOrAbove(words), None) => {
            word(ast).filter(|w| words.contains(w)).map(|w| Value::Word(w.into()))
        }
        (OptionType::WordOrLiteral(_), Some(value)) => Some(value),
        (OptionType::WordOrAbove(_), Some(value)) => {
            value.as_f64().filter(|x| x.is_finite() && *x > 0.0).map(Value::Float)
        }
        _ => None,
    }
}

/// A literal, a negated number or a list of literals.
pub(super) fn constant(ast: &ast::Expr) -> Option<Value> {
    ast.constant()
}

pub(super) fn word(ast: &ast::Expr) -> Option<&str> {
    match &ast.kind {
        ast::ExprKind::Name(name) => Some(name),
        _ => None,
    }
}

/// An option's value in a message.
pub(super) fn describe(ast: &ast::Expr) -> String {
    match (constant(ast), word(ast)) {
        (Some(value), _) => value.to_string(),
        (None, Some(word)) => format!("`{word}`"),
        _ => match &ast.kind {
            ast::ExprKind::Call(call) if call.name.name == "env" => "what only a run knows".into(),
            _ => "this".into(),
        },
    }
}
