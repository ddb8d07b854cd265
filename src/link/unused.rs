//! What is used from other files, and what params and functions a job has, although nothing needs it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Space;
use super::load::Loaded;
use super::names::declared;
use super::seen::Seen;
use crate::catalog::function;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{Item, ItemKind};

/// `own`: the index in the tree of each file's items; `links`: what each item of the tree reads.
pub(super) fn report(
    files: &[Loaded],
    items: &[Arc<Item>],
    own: &[Vec<usize>],
    seen: &Seen,
    links: &[BTreeSet<usize>],
    errors: &mut Vec<Diagnostic>,
) {
    for import in &seen.imports {
        let reads = |index: &usize| own[import.file].iter().any(|reader| links[*reader].contains(index));
        let needed = import.items.iter().any(|index| reads(index) || acts(&items[*index].kind));
        // What cannot be read may need it.
        if needed || import.items.is_empty() || !files[import.file].ast.broken.is_empty() {
            continue;
        }
        let (what, help) = match &import.name {
            Some(name) => (format!("`{name}`"), "drop it from the list"),
            None => ("what it has".to_owned(), "drop the `use`"),
        };
        let message = format!("nothing in this file needs {what}");
        let warning = Diagnostic::warning(Code::W0101, import.span, message).label("not needed").help(help);
        errors.push(if import.one_of_many { warning.needless(import.span) } else { warning });
    }
    // The job's own file; params and functions of a file without tables are there for others.
    let root = &files[0].ast;
    let has_tables = root.items.iter().any(|item| declared(&item.kind).is_some_and(|(s, _)| s == Space::Node));
    let readable = files.iter().all(|f| f.ast.broken.is_empty());
    // A profile gives a value to a param, and does not read it.
    let readers =
        links.iter().enumerate().filter(|(reader, _)| !matches!(items[*reader].kind, ItemKind::Profile { .. }));
    let mut read = vec![false; items.len()];
    for (reader, reads) in readers {
        for index in reads.iter().filter(|index| **index != reader) {
            read[*index] = true;
        }
    }
    for (item, index) in root.items.iter().zip(&own[0]).filter(|_| has_tables && readable) {
        // Of two with one name the second is told already.
        let counts = declared(&item.kind)
            .is_some_and(|(space, name)| seen.names[&root.span.file].get(&(space, name.name.clone())) == Some(index));
        if !counts || read[*index] {
            continue;
        }
        errors.extend(match &item.kind {
            ItemKind::Param { name, .. } => {
                let message = format!("nothing needs the param `{}`", name.name);
                Some(Diagnostic::warning(Code::W0102, name.span, message).label("not needed").help("drop it"))
            }
            // A name of the language is told.
            ItemKind::Fn { name, .. } if !function::is_word(&name.name) => {
                let message = format!("nothing calls the function `{}`", name.name);
                Some(Diagnostic::warning(Code::W0103, name.span, message).label("not needed").help("drop it"))
            }
            _ => None,
        });
    }
}

/// Whether an item does something although nothing reads it.
fn acts(kind: &ItemKind) -> bool {
    matches!(kind, ItemKind::Deploy(_) | ItemKind::Module { .. } | ItemKind::Profile { .. })
}
