//! The settings of `job`.

use dbjob_plan::{Span, Value};

use super::Job;
use super::check::Context;
use super::items::not_yet;
use super::options;
use crate::catalog::words::{self, Word};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, ItemKind, Setting, SettingValue};

/// The settings of the job's own file; a `job` in a used file is that file's own.
pub(super) fn settings(file: &ast::File, job: &mut Job, cx: &mut Context<'_>) {
    let mut first: Option<Span> = None;
    for item in file.items.iter().filter(|item| item.span.file == cx.program.root) {
        let item = cx.bind(item, ast::Item::parts, &|_| false);
        let out = &mut cx.out;
        let ItemKind::Job { name, settings } = &item.kind else { continue };
        let here = name.as_ref().map_or(item.span, |n| n.span);
        if let Some(first) = first {
            let diagnostic = Diagnostic::error(Code::E0102, here, "a file has at most one `job`")
                .label("again here")
                .related(first, "first here");
            out.push(diagnostic);
            continue;
        }
        first = Some(here);
        if let Some(name) = name {
            job.name = name.name.clone();
        }
        for setting in known_settings(settings, "`job`", words::JOB_SETTINGS, out) {
            let SettingValue::Expr(value) = &setting.value else {
                out.push(wrong(setting, "a value"));
                continue;
            };
            match (setting.name.name.as_str(), options::constant(value)) {
                ("run_time", Some(Value::Duration(us))) if us > 0 => job.run_time = Some(us),
                ("run_time", _) => out.push(wrong(setting, "a duration like 2h")),
                ("seed", Some(Value::Int(seed))) => job.seed = seed,
                ("seed", _) => out.push(wrong(setting, "an int")),
                _ => {}
            }
        }
    }
}

/// The settings that exist and are built; the others are reported.
pub(super) fn known_settings<'a>(
    settings: &'a [Setting],
    owner: &str,
    known: &[Word],
    out: &mut Vec<Diagnostic>,
) -> Vec<&'a Setting> {
    let mut good: Vec<&Setting> = Vec::new();
    let is_set = |name: &str| settings.iter().any(|s| s.name.name == name);
    for setting in settings {
        let name = &setting.name;
        match words::find(known, &name.name) {
            None => {
                let diagnostic =
                    Diagnostic::error(Code::E0104, name.span, format!("{owner} has no setting `{}`", name.name))
                        .label("unknown setting");
                let names: Vec<_> = known.iter().map(|w| w.name).collect();
                out.push(
                    diagnostic
                        .help(format!("its settings are {}", names.join(", ")))
                        .near(&name.name, known.iter().map(|w| w.name).filter(|n| !is_set(n))),
                );
            }
            Some(word) if !word.built => out.push(not_yet(&format!("`{}` in {owner}", name.name), name.span)),
            Some(_) => match good.iter().find(|s| s.name.name == name.name) {
                Some(first) => {
                    let diagnostic = Diagnostic::error(Code::E0104, name.span, format!("`{}` is set twice", name.name))
                        .label("again here")
                        .related(first.name.span, "first here");
                    let same = constant_of(first).is_some() && constant_of(first) == constant_of(setting);
                    out.push(if same { diagnostic.needless(setting.span) } else { diagnostic });
                }
                None => good.push(setting),
            },
        }
    }
    good
}

fn constant_of(setting: &Setting) -> Option<Value> {
    match &setting.value {
        SettingValue::Expr(value) => options::constant(value),
        SettingValue::Block(_) => None,
    }
}

pub(super) fn wrong(setting: &Setting, takes: &str) -> Diagnostic {
    let (span, what) = match &setting.value {
        SettingValue::Expr(value) => (value.span, options::describe(value)),
        SettingValue::Block(_) => (setting.span, "a block".to_owned()),
    };
    Diagnostic::error(Code::E0105, span, format!("`{}` takes {takes}, not {what}", setting.name.name))
        .label(format!("it takes {takes}"))
}
