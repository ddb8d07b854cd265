//! `extern "python3 enrich.py" { returns { geo: string? } }`.

use dbjob_plan::{DataType, Extern, Op, Span};

use super::columns::exists;
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::range::Range;
use crate::hir::statistic::Statistics;
use crate::hir::table::Column;
use crate::hir::taint::Taint;
use crate::hir::transform::Builder;
use crate::hir::{Served, declared};
use crate::syntax::ast::{self, Text};

/// What comes back counts as made of everything that was sent of its row. That the process looks at no other row nobody can
/// check, and the note says so.
pub(in crate::hir) fn check(command: &Text, returns: &[ast::Column], span: Span, b: &mut Builder<'_, '_>) {
    match shlex::split(&command.value) {
        Some(words) if !words.is_empty() => {}
        words => {
            let (message, label) = match words {
                None => ("the command has a quote that is not closed", "no command"),
                Some(_) => ("there is no command", "empty"),
            };
            let diagnostic = Diagnostic::error(Code::E0105, command.span, message)
                .label(label)
                .help("write program and arguments: `extern \"python3 enrich.py\"`; no shell reads it");
            b.report(diagnostic);
        }
    }
    let (mut taint, mut statistics) = (Taint::new(), Statistics::default());
    for column in &b.table.columns {
        taint.absorb(&column.taint);
        statistics.absorb(&column.statistics);
    }
    taint.absorb(&b.table.chosen_by);
    let taint = taint.through(command.span, "the process gets it, and may use it");
    let origin = b.table.columns.iter().flat_map(|c| c.origin.iter().cloned()).collect();
    let mut names: Vec<String> = Vec::new();
    let mut new: Vec<Column> = Vec::new();
    for ast in returns {
        let name = &ast.name.name;
        if let Some(first) = b.table.get(name).map(|c| c.span).or(new.iter().find(|c| c.name == *name).map(|c| c.span))
        {
            let diagnostic = exists(name, ast.name.span, first).help("take another name, or drop that column first");
            b.report(diagnostic);
            continue;
        }
        if let Some(attribute) = ast.attributes.first() {
            let message = format!("a column of a process is never `{}`", attribute.name.name);
            let diagnostic = Diagnostic::error(Code::E0104, attribute.span, message)
                .label("not here")
                .help("roles belong to the columns of datasets; a label is made by `derive label`");
            b.report(diagnostic);
        }
        if let Some(named) = &ast.named {
            let diagnostic = Diagnostic::error(Code::E0104, named.span, "the process names its columns itself")
                .label("not here")
                .help("`rename` it behind the step");
            b.report(diagnostic);
        }
        let (dtype, nullable) = declared::resolve(&ast.ty, &mut b.cx.out);
        let mut column = Column::new(name.clone(), dtype, nullable, ast.name.span);
        if let Some(refinement) = &ast.refinement {
            column.refinement = declared::refine(refinement, &column.dtype, &mut b.cx.out);
            column.range = column.refinement.as_ref().map_or(Range::ALL, Range::of_refinement);
        }
        column.doc = (!ast.doc.is_empty()).then(|| ast.doc.join("\n").into());
        column.unchecked = true;
        column.taint = taint.clone();
        column.origin = Clone::clone(&origin);
        column.statistics.clone_from(&statistics);
        if column.dtype == DataType::Unknown {
            b.table.broken = true;
        }
        names.push(name.clone());
        new.push(column);
    }
    if returns.is_empty() {
        let diagnostic = Diagnostic::error(Code::E0108, span, "nothing comes back from the process")
            .label("without columns")
            .help("say what it returns: `{ returns { geo: string? } }`");
        b.report(diagnostic);
    }
    let shown: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
    let message =
        format!("what makes {} is not checked", if shown.is_empty() { "this".into() } else { shown.join(", ") });
    let note = Diagnostic::note(Code::N0002, command.span, message)
        .label("a process of its own")
        .help("it must make each row from that row alone; types, nulls and ranges are checked when it runs");
    b.report(note);
    new.into_iter().for_each(|column| b.table.put(column));
    let op = Op::Extern(Extern { command: command.value.clone(), returns: names });
    b.push(op, span, Served::Not("a process is not run for a request"));
}
