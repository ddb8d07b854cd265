//! Params: their values, and the constants that stand in their place wherever an expression names them.

use std::collections::BTreeMap;

use dbjob_plan::{DataType, FileId, Span, Value};

use super::declared;
use super::items::not_yet;
use super::value::{self, Wanted};
use crate::diagnostic::{Code, Diagnostic, near_name};
use crate::link::{Program, Space};
use crate::syntax::ast::{Call, Expr, ExprKind, Ident, ItemKind, SettingValue, Text, Type};
use crate::world::{Variable, World};

/// Values of params from outside of the files. Their spans are in what the user typed.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// `--set NAME=VALUE`
    pub set: Vec<(Ident, Text)>,
    /// `--profile NAME`
    pub profile: Option<Ident>,
}

/// All params of a program by the index of their item.
#[derive(Debug, Default)]
pub(super) struct Params {
    all: BTreeMap<usize, Param>,
}

#[derive(Debug)]
struct Param {
    name: Ident,
    wanted: Wanted,
    value: ParamValue,
}

#[derive(Debug, Clone)]
pub(super) enum ParamValue {
    Known(Value),
    /// `env("NAME")` as written, and its value if this is a run.
    Variable(Call, Option<Value>),
    /// What is wrong with it was told; a value of its type.
    Wrong(Value),
}

impl Params {
    /// The params of a program with their values: what is set, else of the profile, else the default.
    pub fn of(program: &Program, given: &Given, world: &dyn World, out: &mut Vec<Diagnostic>) -> Self {
        let mut params = Params::default();
        let mut values: BTreeMap<usize, ParamValue> = BTreeMap::new();
        for (index, item) in program.ast.items.iter().enumerate() {
            let ItemKind::Param { name, ty, value } = &item.kind else { continue };
            let wanted = wanted(ty, out);
            if let Some(value) = value {
                values.insert(index, default(name, &wanted, value, out));
            }
            params.all.insert(index, Param { name: name.clone(), wanted, value: ParamValue::Wrong(Value::Null) });
        }
        let chosen = chosen_profile(program, given, out);
        for (index, item) in program.ast.items.iter().enumerate() {
            let ItemKind::Profile { settings, .. } = &item.kind else { continue };
            let mut seen: BTreeMap<usize, Span> = BTreeMap::new();
            for setting in settings {
                let name = &setting.name;
                let Some(param) = program.find(name.span.file, Space::Param, &name.name) else {
                    out.push(unknown("param", name, program.names(name.span.file, Space::Param)));
                    continue;
                };
                if let Some(first) = seen.insert(param, name.span) {
                    let message = format!("`{}` is set twice", name.name);
                    let diagnostic = Diagnostic::error(Code::E0104, name.span, message);
                    out.push(diagnostic.again().related(first, "first here"));
                }
                let value = match &setting.value {
                    SettingValue::Expr(value) => {
                        default(&params.all[&param].name, &params.all[&param].wanted, value, out)
                    }
                    SettingValue::Block(_) => {
                        let diagnostic =
                            Diagnostic::error(Code::E0105, setting.span, "a param has a value, not a block");
                        out.push(diagnostic.label("a block").help(format!("write `{} = …`", name.name)));
                        continue;
                    }
                };
                if Some(index) == chosen {
                    values.insert(param, value);
                }
            }
        }
        for (index, value) in params.set(program, given, out) {
            values.insert(index, value);
        }
        for (index, param) in &mut params.all {
            param.value = match values.remove(index) {
                Some(ParamValue::Variable(call, _)) => variable(&param.name, &param.wanted, call, world, out),
                Some(value) => value,
                None => {
                    let example = value::example(&param.wanted);
                    out.push(no_value(&param.name, &param.wanted, &example));
                    ParamValue::Wrong(example)
                }
            };
        }
        params
    }

    /// Each param with its value as text.
    pub fn texts(&self) -> Vec<(String, String)> {
        let text = |value: &ParamValue| match value {
            ParamValue::Known(value) | ParamValue::Variable(_, Some(value)) | ParamValue::Wrong(value) => {
                value.to_string()
            }
            ParamValue::Variable(..) => "from the environment".to_owned(),
        };
        self.all.values().map(|param| (param.name.name.clone(), text(&param.value))).collect()
    }

    /// The values of `--set`.
    fn set(&self, program: &Program, given: &Given, out: &mut Vec<Diagnostic>) -> Vec<(usize, ParamValue)> {
        let mut values: Vec<(usize, ParamValue)> = Vec::new();
        for (name, text) in &given.set {
            let by_title = || self.all.iter().find(|(_, p)| p.name.name == name.name).map(|(index, _)| *index);
            let Some(index) = program.find(program.root, Space::Param, &name.name).or_else(by_title) else {
                out.push(unknown("param", name, self.all.values().map(|p| p.name.name.as_str())));
                continue;
            };
            if values.iter().any(|(other, _)| *other == index) {
                let diagnostic = Diagnostic::error(Code::E0104, name.span, format!("`{}` is set twice", name.name));
                out.push(diagnostic.again().help("set it once"));
                continue;
            }
            let param = &self.all[&index];
            let fitting = value::read(&text.value, &param.wanted).and_then(|v| value::fit(v, &param.wanted));
            values.push((
                index,
                match fitting {
                    Ok(value) => ParamValue::Known(value),
                    Err(why) => {
                        out.push(misfit(&param.name, text.span, &why, &param.wanted));
                        ParamValue::Wrong(value::example(&param.wanted))
                    }
                },
            ));
        }
        values
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The value of a name in a file.
    pub fn find(&self, program: &Program, file: FileId, name: &str) -> Option<&ParamValue> {
        Some(&self.all.get(&program.find(file, Space::Param, name)?)?.value)
    }
}

fn wanted(ty: &Type, out: &mut Vec<Diagnostic>) -> Wanted {
    let (dtype, nullable) = declared::resolve(ty, out);
    let refinement = ty.refinement.as_ref().and_then(|r| declared::refine(r, &dtype, out));
    Wanted { dtype, nullable, refinement }
}

/// A value as written in a file, of the param `name`.
fn default(name: &Ident, wanted: &Wanted, value: &Expr, out: &mut Vec<Diagnostic>) -> ParamValue {
    let wrong = || ParamValue::Wrong(value::example(wanted));
    if let ExprKind::Call(call) = &value.kind {
        return match call.name.name.as_str() {
            "env" if variable_name(call).is_none() => {
                let diagnostic = Diagnostic::error(Code::E0202, call.span, "`env` takes the name of a variable");
                out.push(diagnostic.label("which one?").help("write env(\"NAME\")"));
                wrong()
            }
            "env" if !wanted.dtype.is_text() && wanted.dtype != DataType::Unknown => {
                let message = format!("`env` gives a string, and `{}` is {}", name.name, wanted.dtype);
                let diagnostic = Diagnostic::error(Code::E0105, value.span, message).label("a string");
                out.push(diagnostic.help(format!("set it from outside: `--set {}=…`", name.name)));
                wrong()
            }
            "env" => ParamValue::Variable(call.clone(), None),
            "secret" => {
                out.push(not_yet("`secret`", value.span));
                wrong()
            }
            _ => {
                out.push(no_constant(name, value.span));
                wrong()
            }
        };
    }
    let Some(constant) = value.constant() else {
        out.push(no_constant(name, value.span));
        return wrong();
    };
    match value::fit(constant, wanted) {
        Ok(value) => ParamValue::Known(value),
        Err(why) => {
            out.push(misfit(name, value.span, &why, wanted));
            wrong()
        }
    }
}

fn no_constant(name: &Ident, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0105, span, format!("the value of the param `{}` is no constant", name.name))
        .label("computed")
        .help("write a literal, or env(\"NAME\")")
}

fn misfit(name: &Ident, span: Span, why: &str, wanted: &Wanted) -> Diagnostic {
    Diagnostic::error(Code::E0105, span, format!("`{}` takes {wanted}, not {why}", name.name))
        .label(format!("it takes {wanted}"))
        .related(name.span, "declared here")
        .help(format!("give a value of {wanted}"))
}

fn no_value(name: &Ident, wanted: &Wanted, example: &Value) -> Diagnostic {
    let text = match example {
        Value::String(text) if !text.is_empty() => text.clone(),
        Value::String(_) => "TEXT".into(),
        other => other.to_string().trim_start_matches('@').to_owned(),
    };
    Diagnostic::error(Code::E0108, name.span, format!("the param `{}` has no value", name.name))
        .label(format!("{wanted} without a default"))
        .help(format!("give it one: `--set {}={text}`, a profile, or a default behind `=`", name.name))
}

/// `kind`: a param or a profile.
fn unknown<'n>(kind: &str, name: &Ident, known: impl Iterator<Item = &'n str>) -> Diagnostic {
    let known: Vec<&str> = known.collect();
    let diagnostic = Diagnostic::error(Code::E0101, name.span, format!("there is no {kind} `{}`", name.name))
        .label(format!("unknown {kind}"));
    match near_name(&name.name, known.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None if known.is_empty() => diagnostic.help(format!("the job has no {kind}s")),
        None => diagnostic.help(format!("the {kind}s are {}", known.join(", "))),
    }
}

/// The item of `--profile`.
fn chosen_profile(program: &Program, given: &Given, out: &mut Vec<Diagnostic>) -> Option<usize> {
    let name = given.profile.as_ref()?;
    let found = program.find(program.root, Space::Profile, &name.name);
    if found.is_none() {
        out.push(unknown("profile", name, program.names(program.root, Space::Profile)));
    }
    found
}

/// The variable of `env("NAME")`.
pub(super) fn variable_name(call: &Call) -> Option<&str> {
    match &call.args[..] {
        [arg] if arg.name.is_none() => match &arg.value.kind {
            ExprKind::Literal(Value::String(name)) if !name.is_empty() => Some(name),
            _ => None,
        },
        _ => None,
    }
}

/// What the environment says, if this is a run.
fn variable(name: &Ident, wanted: &Wanted, call: Call, world: &dyn World, out: &mut Vec<Diagnostic>) -> ParamValue {
    match world.variable(variable_name(&call).expect("it was checked when it was read")) {
        Variable::Later => ParamValue::Variable(call, None),
        Variable::Unset => {
            out.push(unset(&call));
            ParamValue::Wrong(value::example(wanted))
        }
        Variable::Set(text) => match value::fit(Value::String(text), wanted) {
            Ok(value) => ParamValue::Variable(call, Some(value)),
            Err(why) => {
                out.push(misfit(name, call.span, &why, wanted));
                ParamValue::Wrong(value::example(wanted))
            }
        },
    }
}

/// A variable that the environment of a run does not have.
pub(super) fn unset(call: &Call) -> Diagnostic {
    let name = variable_name(call).unwrap_or_default();
    Diagnostic::error(Code::E0108, call.span, format!("the environment variable `{name}` is not set"))
        .label("not set")
        .help(format!("set it before the job runs: {name}=… dbjob run …"))
}
