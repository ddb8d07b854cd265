//! The files of `expect … else quarantine`: what else is read or written there.

use dbjob_plan::{DataType, Span};

use super::ItemBody;
use super::check::Context;
use super::finished::plain;
use super::table::Table;
use crate::diagnostic::{Code, Diagnostic};

/// A rule's file and the columns that it gets.
#[derive(Debug, Clone)]
pub(super) struct Quarantined {
    path: String,
    columns: Vec<(String, DataType)>,
    span: Span,
}

impl Quarantined {
    pub fn new(path: &str, table: &Table, span: Span) -> Self {
        let columns = table.columns.iter().map(|c| (c.name.clone(), c.dtype.clone())).collect();
        Self { path: plain(path).to_owned(), columns, span }
    }
}

/// Rules may share a file if their rows have the same columns; no other node may read or write it.
pub(super) fn check_all(cx: &mut Context<'_>) {
    let mut found = Vec::new();
    for (index, rule) in cx.quarantines.iter().enumerate() {
        let problem = |message: String, label: &str, other: Span, words: &str| {
            Diagnostic::error(Code::E0602, rule.span, message).label(label).related(other, words)
        };
        let before = cx.quarantines[..index].iter().find(|b| b.path == rule.path && b.columns != rule.columns);
        let diagnostic = if let Some((name, span)) = cx.items.read_from(&rule.path, false) {
            Some(problem(
                format!("this would overwrite the file that `{name}` is read from"),
                "the same file",
                span,
                "read from there",
            ))
        } else if let Some((name, span)) = written_to(&rule.path, cx) {
            Some(problem(format!("`{name}` is written to this file too"), "the same file", span, "written there"))
        } else {
            before.map(|before| {
                let message = "rows with other columns are kept in this file too".to_owned();
                problem(message, "other columns", before.span, "these too")
            })
        };
        found.extend(diagnostic.map(|d| d.help("keep them in another file")));
    }
    cx.out.extend(found);
}

fn written_to(path: &str, cx: &Context<'_>) -> Option<(String, Span)> {
    cx.items.iter().find_map(|item| match &item.body {
        ItemBody::Deploy(deploy) => deploy.targets.iter().find_map(|(target, span)| {
            let same = target.written_path().is_some_and(|to| plain(to) == plain(path));
            same.then(|| (deploy.from.clone(), *span))
        }),
        _ => None,
    })
}
