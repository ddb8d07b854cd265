//! A failing job with everything taken out that it does not need to fail.

use dbjob::syntax::Parsed;
use dbjob::syntax::ast::{ItemKind, StepKind};

use super::job::front;
use super::pool::Pool;

/// The least text that still fails, found by leaving out items, statements and entries. `fails` says whether a text that
/// checks fails in the same way.
pub fn shrink(text: &str, pool: &Pool, fails: impl Fn(&str) -> bool) -> String {
    let mut least = text.to_owned();
    loop {
        let before = least.len();
        // The longest parts first; from the end, so that what reads others goes before them.
        let mut parts = parts(&front(&least, pool).parsed);
        parts.sort_by_key(|(start, end)| (std::cmp::Reverse(end - start), std::cmp::Reverse(*start)));
        for (start, end) in parts {
            let mut shorter = least.clone();
            shorter.replace_range(start..end, "");
            let shorter: String = shorter.lines().filter(|l| !l.trim().is_empty()).map(|l| format!("{l}\n")).collect();
            if front(&shorter, pool).errors.is_empty() && fails(&shorter) {
                least = shorter;
                break;
            }
        }
        if least.len() == before {
            return least;
        }
    }
}

/// What may be left out: whole items, statements, lines, entries of lists between commas.
fn parts(parsed: &Parsed) -> Vec<(usize, usize)> {
    let mut parts = Vec::new();
    let mut add = |span: dbjob_plan::Span| parts.push((span.start as usize, span.end as usize));
    for item in &parsed.ast.items {
        add(item.span);
        match &item.kind {
            ItemKind::Dataset(dataset) => {
                dataset.columns.iter().for_each(|c| add(c.span));
                dataset.expects.iter().for_each(|e| add(e.span));
            }
            ItemKind::Transform(transform) => {
                for step in &transform.steps {
                    add(step.span);
                    if let StepKind::Derive { columns, .. } = &step.kind {
                        columns.iter().for_each(|c| add(c.name.span.to(c.value.span)));
                    }
                }
            }
            ItemKind::Model(model) => model.statements.iter().for_each(|s| add(s.span)),
            _ => {}
        }
    }
    let mut start = 0;
    for line in parsed.text.split_inclusive('\n') {
        parts.push((start, start + line.len()));
        start += line.len();
    }
    // `, b` and `a, `
    for (at, _) in parsed.text.match_indices(',') {
        let rest = &parsed.text[at + 1..];
        let next = rest.find([',', '\n', '}']).map_or(parsed.text.len(), |n| at + 1 + n);
        parts.push((at, next));
        let before = parsed.text[..at].rfind([',', ' ', '\n']).map_or(0, |b| b + 1);
        parts.push((before, at + 1));
    }
    parts
}
