//! Settings against their entries of the catalog.

use std::borrow::Cow;
use std::collections::BTreeMap;

use dbjob_plan::{Said, Span, Value};

use super::check::Context;
use super::options;
use crate::catalog::options::OptionType;
use crate::catalog::setting::{self, SettingType};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{ExprKind, Ident, Setting, SettingValue};

/// The settings of one block. What was wrong is reported and left out.
pub(super) struct Settings<'a> {
    /// The places are those of whole settings.
    values: BTreeMap<&'static str, Said<Value>>,
    /// The places of values.
    spans: BTreeMap<&'static str, Span>,
    /// Names and blocks, as written.
    others: BTreeMap<&'static str, &'a Setting>,
}

impl<'a> Settings<'a> {
    /// `owner` is how a message calls what they belong to: "`module`".
    pub fn read(
        settings: &'a [Setting],
        owner: &str,
        known: &'static [setting::Setting],
        out: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut read = Settings { values: BTreeMap::new(), spans: BTreeMap::new(), others: BTreeMap::new() };
        let mut seen: Vec<&Setting> = Vec::new();
        let is_set = |name: &str| settings.iter().any(|s| s.name.name == name);
        for setting in settings {
            let name = &setting.name;
            let Some(spec) = known.iter().find(|s| s.name == name.name) else {
                let names: Vec<_> = known.iter().map(|s| s.name).collect();
                let message = format!("{owner} has no setting `{}`", name.name);
                let diagnostic = Diagnostic::error(Code::E0104, name.span, message)
                    .label("unknown setting")
                    .help(format!("its settings are {}", names.join(", ")))
                    .near(&name.name, names.iter().copied().filter(|n| !is_set(n)));
                out.push(diagnostic);
                continue;
            };
            if let Some(first) = seen.iter().find(|s| s.name.name == name.name) {
                out.push(twice(setting, first));
                continue;
            }
            seen.push(setting);
            match (spec.ty, &setting.value) {
                (SettingType::Value(ty), SettingValue::Expr(value)) => match options::value_of(ty, value) {
                    Some(found) => {
                        read.spans.insert(spec.name, value.span);
                        read.values.insert(spec.name, Said { value: found, span: setting.span });
                    }
                    None => {
                        out.push(wrong(setting, &ty.to_string()).near_word(ty, value.constant(), options::word(value)))
                    }
                },
                (SettingType::Value(ty), SettingValue::Block(_)) => out.push(wrong(setting, &ty.to_string())),
                (SettingType::Names(_), _) => {
                    read.others.insert(spec.name, setting);
                }
                (_, SettingValue::Block(_)) => {
                    read.others.insert(spec.name, setting);
                }
                (_, SettingValue::Expr(_)) => {
                    out.push(wrong(setting, "a block").help(format!("write `{} {{ NAME = VALUE }}`", spec.name)));
                }
            }
        }
        read
    }

    pub fn get<T>(&self, name: &str, of: impl Fn(&Value) -> Option<T>) -> Option<Said<T>> {
        let said = self.values.get(name)?;
        Some(Said { value: of(&said.value)?, span: said.span })
    }

    pub fn count(&self, name: &str) -> Option<Said<u32>> {
        self.get(name, |v| u32::try_from(v.as_i64()?).ok())
    }

    pub fn duration(&self, name: &str) -> Option<Said<i64>> {
        self.get(name, |v| if let Value::Duration(us) = v { Some(*us) } else { None })
    }

    pub fn size(&self, name: &str) -> Option<Said<u64>> {
        self.get(name, |v| if let Value::Size(bytes) = v { Some(*bytes) } else { None })
    }

    pub fn text(&self, name: &str) -> Option<Said<String>> {
        self.get(name, |v| v.as_str().map(str::to_owned))
    }

    /// Where the value of a setting stands.
    pub fn place(&self, name: &str) -> Option<Span> {
        self.spans.get(name).copied()
    }

    /// A setting of names, as written.
    pub fn names(&self, name: &str) -> Option<&'a Setting> {
        self.others.get(name).copied()
    }

    /// What stands in the braces of a setting.
    pub fn block(&self, name: &str) -> Option<(&'a [Setting], Span)> {
        match self.others.get(name).map(|s| (&s.value, s.span)) {
            Some((SettingValue::Block(inner), span)) => Some((inner, span)),
            _ => None,
        }
    }
}

impl Diagnostic {
    /// The near word of an option that takes one.
    fn near_word(self, ty: OptionType, value: Option<Value>, word: Option<&str>) -> Self {
        match (ty, word, value) {
            (OptionType::Word(words), Some(word), _) => self.near(word, words.iter().copied()),
            (OptionType::Word(words), None, Some(Value::String(text))) => self.near(&text, words.iter().copied()),
            _ => self,
        }
    }
}

pub(super) fn twice(setting: &Setting, first: &Setting) -> Diagnostic {
    let name = &setting.name;
    let diagnostic = Diagnostic::error(Code::E0104, name.span, format!("`{}` is set twice", name.name))
        .again()
        .related(first.name.span, "first here");
    let constant = |s: &Setting| match &s.value {
        SettingValue::Expr(value) => options::constant(value),
        SettingValue::Block(_) => None,
    };
    let same = constant(first).is_some() && constant(first) == constant(setting);
    if same { diagnostic.needless(setting.span) } else { diagnostic }
}

pub(super) fn wrong(setting: &Setting, takes: &str) -> Diagnostic {
    let (span, what) = match &setting.value {
        SettingValue::Expr(value) => (value.span, options::describe(value)),
        SettingValue::Block(_) => (setting.span, "a block".to_owned()),
    };
    Diagnostic::error(Code::E0105, span, format!("`{}` takes {takes}, not {what}", setting.name.name))
        .label(format!("it takes {takes}"))
        .help(format!("write `{} = …` with {takes}, or drop it", setting.name.name))
}

/// `a`, `deploy.a`, `[a, deploy.b]` as (base, name) pairs.
pub(super) fn names(setting: &Setting) -> Option<Vec<(Option<Ident>, Ident)>> {
    let SettingValue::Expr(value) = &setting.value else { return None };
    let one = |e: &crate::syntax::ast::Expr| match &e.kind {
        ExprKind::Name(name) => Some((None, Ident { name: name.clone(), span: e.span })),
        ExprKind::Field { base, name } => Some((Some(base.clone()), name.clone())),
        _ => None,
    };
    match &value.kind {
        ExprKind::List(items) => items.iter().map(one).collect(),
        _ => one(value).map(|n| vec![n]),
    }
}

impl Context<'_> {
    /// A copy with constants in place of params where a setting has a value.
    pub fn bind_settings<'t>(
        &mut self,
        settings: &'t [Setting],
        known: &'static [setting::Setting],
    ) -> Cow<'t, [Setting]> {
        if self.params.is_empty() {
            return Cow::Borrowed(settings);
        }
        let mut copy = settings.to_vec();
        self.binder(&|_| false).settings(&mut copy, known);
        Cow::Owned(copy)
    }
}
