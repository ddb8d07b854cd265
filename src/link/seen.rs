//! What each file sees: its own items, and those that it uses.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dbjob_plan::{FileId, Span};

use super::Space;
use super::load::{Loaded, Use};
use super::names::declared;
use crate::diagnostic::{Code, Diagnostic, near_name};
use crate::syntax::ast::{Ident, Item, ItemKind};

pub(super) struct Seen {
    pub names: BTreeMap<FileId, BTreeMap<(Space, String), usize>>,
    /// What the job consists of before anything comes along: the items of its own file, and those that it uses.
    pub roots: BTreeSet<usize>,
    pub imports: Vec<Import>,
}

/// What one `use`, or one name of it, makes visible.
pub(super) struct Import {
    /// The file that uses.
    pub file: usize,
    pub items: BTreeSet<usize>,
    /// The name, or the path.
    pub span: Span,
    /// The name, if it is one of `use { … }`.
    pub name: Option<String>,
    /// Whether it can be left out and something stays.
    pub one_of_many: bool,
}

/// `own`: the index in the tree of each file's items.
pub(super) fn by_file(files: &[Loaded], own: &[Vec<usize>], errors: &mut Vec<Diagnostic>) -> Seen {
    let mut seen = Seen { names: BTreeMap::new(), roots: own[0].iter().copied().collect(), imports: Vec::new() };
    for (at, file) in files.iter().enumerate() {
        let mut scope = Scope { names: BTreeMap::new(), spans: BTreeMap::new() };
        for (item, index) in file.ast.items.iter().zip(&own[at]) {
            if let Some((space, name)) = declared(&item.kind) {
                // Two of one name in one file are told by the checker.
                let key = (space, name.name.clone());
                scope.spans.entry(key.clone()).or_insert((name.span, name.span));
                scope.names.entry(key).or_insert(*index);
            }
        }
        for used in &file.uses {
            let theirs = &files[used.file];
            let imports = match &file.ast.items[used.item].kind {
                ItemKind::Use { names: Some(names), .. } => named(names, at, theirs, &own[used.file], errors),
                _ => vec![whole(used, at, theirs, &own[used.file])],
            };
            for import in imports {
                let new = scope.add(&import, theirs, &own[used.file], errors);
                if at == 0 {
                    seen.roots.extend(&import.items);
                }
                if new {
                    seen.imports.push(import);
                }
            }
        }
        seen.names.insert(file.id, scope.names);
    }
    seen
}

struct Scope {
    names: BTreeMap<(Space, String), usize>,
    /// Where each name was brought in, and where it is declared.
    spans: BTreeMap<(Space, String), (Span, Span)>,
}

impl Scope {
    /// Whether anything came in; what is there already or meets another item of its name is reported.
    fn add(&mut self, import: &Import, theirs: &Loaded, own: &[usize], errors: &mut Vec<Diagnostic>) -> bool {
        let mut told = false;
        let mut new = false;
        for (item, index) in theirs.ast.items.iter().zip(own) {
            let Some((space, name)) = declared(&item.kind).filter(|_| import.items.contains(index)) else { continue };
            let key = (space, name.name.clone());
            match self.names.get(&key) {
                None => {
                    self.names.insert(key.clone(), *index);
                    self.spans.insert(key, (import.span, name.span));
                    new = true;
                }
                Some(there) if there == index => {}
                Some(_) => {
                    let (first, declared) = self.spans[&key];
                    errors.push(clash(import.span, name, first, declared));
                    told = true;
                }
            }
        }
        if !new && !told && !import.items.is_empty() {
            let what = import.name.as_ref().map_or("all of it".to_owned(), |name| format!("`{name}`"));
            let diagnostic = Diagnostic::error(Code::E0109, import.span, format!("{what} is used already"))
                .label("no effect")
                .help("drop it");
            errors.push(diagnostic);
        }
        new
    }
}

fn clash(span: Span, name: &Ident, first: Span, declared: Span) -> Diagnostic {
    let name_text = &name.name;
    let mut diagnostic = Diagnostic::error(Code::E0102, span, format!("`{name_text}` is declared twice"))
        .label(format!("brings in another `{name_text}`"))
        .related(name.span, "declared here")
        .related(declared, "and here");
    if first != declared {
        diagnostic = diagnostic.related(first, "brought in by this");
    }
    diagnostic.help(format!(
        "give one of them another name, or use only what you need: `use {{ … }} from …` without `{name_text}`"
    ))
}

fn importable(item: &Item) -> bool {
    declared(&item.kind).is_some_and(|(space, _)| space != Space::Test)
}

fn whole(used: &Use, file: usize, theirs: &Loaded, own: &[usize]) -> Import {
    let items = theirs.ast.items.iter().zip(own).filter(|(item, _)| importable(item)).map(|(_, index)| *index);
    Import { file, items: items.collect(), span: used.span, name: None, one_of_many: false }
}

fn named(names: &[Ident], file: usize, theirs: &Loaded, own: &[usize], errors: &mut Vec<Diagnostic>) -> Vec<Import> {
    let mut imports: Vec<Import> = Vec::new();
    for name in names {
        let called = |item: &&Arc<Item>| declared(&item.kind).is_some_and(|(_, n)| n.name == name.name);
        let items: BTreeSet<usize> = theirs
            .ast
            .items
            .iter()
            .zip(own)
            .filter(|(item, _)| importable(item) && called(item))
            .map(|(_, index)| *index)
            .collect();
        if !items.is_empty() {
            let one_of_many = names.len() > 1;
            imports.push(Import { file, items, span: name.span, name: Some(name.name.clone()), one_of_many });
            continue;
        }
        if theirs.ast.lost.iter().any(|lost| lost.name == name.name) {
            continue;
        }
        let diagnostic = match theirs.ast.items.iter().find(called) {
            Some(item) => {
                let declared = declared(&item.kind).map_or(item.span, |(_, name)| name.span);
                let message = format!("`{}` is a test, and tests stay in their file", name.name);
                Diagnostic::error(Code::E0107, name.span, message).label("a test").related(declared, "declared here")
            }
            None => {
                let message = format!("there is no `{}` in `{}.dbjob`", name.name, theirs.stem);
                let known: Vec<&str> = theirs
                    .ast
                    .items
                    .iter()
                    .filter(|item| importable(item))
                    .filter_map(|item| declared(&item.kind).map(|(_, name)| name.name.as_str()))
                    .collect();
                let diagnostic = Diagnostic::error(Code::E0101, name.span, message).label("unknown name");
                match near_name(&name.name, known.iter().copied()) {
                    Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                    None if known.is_empty() => diagnostic,
                    None => diagnostic.help(format!("it has {}", known.join(", "))),
                }
            }
        };
        errors.push(diagnostic);
    }
    imports
}
