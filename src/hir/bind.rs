//! Puts constants where expressions name params. Below here nobody knows of params: they are literals.

use std::borrow::Cow;

use dbjob_plan::{Span, Value};

use super::params::{self, ParamValue, Params};
use crate::catalog::options::{OptionSpec, OptionType};
use crate::catalog::setting::{self, SettingType};
use crate::catalog::{algorithm, map, sink, source};
use crate::link::Program;
use crate::syntax::Parts;
use crate::syntax::ast::{Arg, Call, Expr, ExprKind, Fit, Setting, SettingValue};

/// Binds the names of one item.
pub(super) struct Binder<'a> {
    pub program: &'a Program,
    pub params: &'a Params,
    /// Whether a name is a column where the expression stands; columns win, and that they meet is told of the table.
    pub is_column: &'a dyn Fn(&str) -> bool,
    /// Where a param stands whose value is wrong: what follows from that is not told.
    pub told: &'a mut Vec<Span>,
}

/// Where a param is named.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Expr,
    /// An option or a path: `env` is looked up by who reads it.
    Option,
}

impl Binder<'_> {
    /// A copy with constants in place of params; as it is if there are no params.
    pub fn bound<'t, T: Clone>(&mut self, tree: &'t T, parts: fn(&mut T) -> Parts<'_>) -> Cow<'t, T> {
        if self.params.is_empty() {
            return Cow::Borrowed(tree);
        }
        let mut copy = tree.clone();
        self.parts(parts(&mut copy));
        Cow::Owned(copy)
    }

    fn parts(&mut self, parts: Parts<'_>) {
        parts.exprs.into_iter().for_each(|expr| self.expr(expr));
        parts.calls.into_iter().for_each(|call| self.call(call));
        parts.fits.into_iter().for_each(|fit| self.fit(fit));
        for setting in parts.settings {
            if let SettingValue::Expr(value) = &mut setting.value {
                let known = setting::MODEL.iter().find(|s| s.name == setting.name.name).map(|s| s.ty);
                let words = if let Some(SettingType::Value(ty)) = known { words_of(ty) } else { &[] };
                self.option(value, words);
            }
        }
    }

    pub fn expr(&mut self, expr: &mut Expr) {
        expr.walk_mut(&mut |expr| self.name(expr, Place::Expr));
    }

    fn call(&mut self, call: &mut Call) {
        let name = call.name.name.as_str();
        let specs = map::find(name).map_or(source::options(name), |map| map.options);
        for (position, arg) in call.args.iter_mut().enumerate() {
            let Arg { name, value } = arg;
            let spec = match name {
                Some(name) => specs.iter().find(|s| s.name == name.name),
                None => specs.get(position),
            };
            let mode = name.as_ref().is_some_and(|n| n.name == "mode" && sink::find(&call.name.name).is_some());
            self.option(value, if mode { sink::MODES } else { own_words(spec) });
        }
    }

    fn fit(&mut self, fit: &mut Fit) {
        let specs = algorithm::find(&fit.algorithm.name).map_or(&[][..], |algorithm| algorithm.options);
        for option in &mut fit.options {
            let spec = specs.iter().find(|s| s.name == option.name.name);
            self.option(&mut option.value, own_words(spec));
        }
    }

    /// Settings as the catalog knows them: names of items and words of their own stay.
    pub fn settings(&mut self, settings: &mut [Setting], known: &[setting::Setting]) {
        for setting in settings {
            let spec = known.iter().find(|s| s.name == setting.name.name).map(|s| s.ty);
            match (spec, &mut setting.value) {
                (Some(SettingType::Value(ty)), SettingValue::Expr(value)) => self.option(value, words_of(ty)),
                (Some(SettingType::Block(inner)), SettingValue::Block(settings)) => self.settings(settings, inner),
                (Some(SettingType::Environment), SettingValue::Block(settings)) => {
                    self.entries(settings, &["unset", "pass"]);
                }
                (Some(SettingType::Properties), SettingValue::Block(settings)) => self.entries(settings, &[]),
                _ => {}
            }
        }
    }

    fn entries(&mut self, settings: &mut [Setting], words: &[&str]) {
        for setting in settings {
            if let SettingValue::Expr(value) = &mut setting.value {
                self.option(value, words);
            }
        }
    }

    /// A value that may be a word of its own.
    pub fn option(&mut self, value: &mut Expr, words: &[&str]) {
        value.walk_mut(&mut |expr| match &expr.kind {
            ExprKind::Name(name) if words.contains(&name.as_str()) => {}
            _ => self.name(expr, Place::Option),
        });
    }

    fn name(&mut self, expr: &mut Expr, place: Place) {
        let ExprKind::Name(name) = &expr.kind else { return };
        let Some(value) = self.params.find(self.program, expr.span.file, name) else { return };
        if place == Place::Expr && (self.is_column)(name) {
            return;
        }
        expr.kind = match value {
            ParamValue::Known(value) => written(value, expr.span),
            ParamValue::Wrong(value) => {
                self.told.push(expr.span);
                written(value, expr.span)
            }
            ParamValue::Variable(call, _) if place == Place::Option => ExprKind::Call(call.clone()),
            ParamValue::Variable(_, Some(value)) => written(value, expr.span),
            ParamValue::Variable(call, None) => ExprKind::Literal(later(call)),
        };
    }
}

/// The stand-in for a string that only a run knows: no text of data is equal to it.
fn later(call: &Call) -> Value {
    Value::Word(shown(call))
}

/// `env("NAME")` as it is written.
pub(super) fn shown(call: &Call) -> String {
    format!("env({:?})", params::variable_name(call).unwrap_or_default())
}

/// A constant as an expression.
fn written(value: &Value, span: Span) -> ExprKind {
    match value {
        Value::List(items) => {
            ExprKind::List(items.iter().map(|item| Expr { kind: written(item, span), span }).collect())
        }
        value => ExprKind::Literal(value.clone()),
    }
}

fn own_words(spec: Option<&OptionSpec>) -> &'static [&'static str] {
    spec.map_or(&[], |spec| words_of(spec.ty))
}

fn words_of(ty: OptionType) -> &'static [&'static str] {
    match ty {
        OptionType::Word(words) | OptionType::WordOrAbove(words) | OptionType::WordOrLiteral(words) => words,
        _ => &[],
    }
}
