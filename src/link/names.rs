//! One tree of all files: what each file sees, and a name for each item that no other of its kind has.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use dbjob_plan::{FileId, Span};

use super::cache::{Cache, Mention};
use super::load::Loaded;
use super::reference::references;
use super::{Program, seen, unused};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{File, Ident, Item, ItemKind};

/// What a name may mean: names of different spaces never meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Space {
    /// Datasets, transforms, models.
    Node,
    Deploy,
    Module,
    Cluster,
    Param,
    Profile,
    Fn,
    Test,
}

/// The space and name of an item; `None` for what nothing can speak of.
pub(super) fn declared(kind: &ItemKind) -> Option<(Space, &Ident)> {
    Some(match kind {
        ItemKind::Dataset(d) => (Space::Node, &d.name),
        ItemKind::Transform(t) => (Space::Node, &t.name),
        ItemKind::Model(m) => (Space::Node, &m.name),
        ItemKind::Deploy(d) => (Space::Deploy, d.name.as_ref().unwrap_or(&d.from)),
        ItemKind::Module { name, .. } => (Space::Module, name),
        ItemKind::Cluster { name, .. } => (Space::Cluster, name),
        ItemKind::Param { name, .. } => (Space::Param, name),
        ItemKind::Profile { name, .. } => (Space::Profile, name),
        ItemKind::Fn { name, .. } => (Space::Fn, name),
        ItemKind::Test { name, .. } => (Space::Test, name),
        ItemKind::Job { .. } | ItemKind::Use { .. } | ItemKind::Unknown { .. } => return None,
    })
}

fn declared_mut(kind: &mut ItemKind) -> Option<&mut Ident> {
    Some(match kind {
        ItemKind::Dataset(d) => &mut d.name,
        ItemKind::Transform(t) => &mut t.name,
        ItemKind::Model(m) => &mut m.name,
        ItemKind::Deploy(d) => d.name.get_or_insert_with(|| d.from.clone()),
        ItemKind::Module { name, .. }
        | ItemKind::Cluster { name, .. }
        | ItemKind::Param { name, .. }
        | ItemKind::Profile { name, .. }
        | ItemKind::Fn { name, .. }
        | ItemKind::Test { name, .. } => name,
        ItemKind::Job { .. } | ItemKind::Use { .. } | ItemKind::Unknown { .. } => return None,
    })
}

pub(super) fn join(mut files: Vec<Loaded>, cache: &mut Cache, errors: &mut Vec<Diagnostic>) -> Program {
    let order = places(&files);
    let mut own: Vec<Vec<usize>> = files.iter().map(|f| vec![0; f.ast.items.len()]).collect();
    for (index, (file, item)) in order.iter().enumerate() {
        own[*file][*item] = index;
    }
    let seen = seen::by_file(&files, &own, errors);
    let root = files[0].id;
    let folders = files.iter().map(|f| (f.id, f.folder.clone())).collect();
    let stems: Vec<String> = files.iter().map(|f| f.stem.clone()).collect();
    let mut items: Vec<Arc<Item>> = order.iter().map(|(file, item)| files[*file].ast.items[*item].clone()).collect();
    let titles = titles(&items, &order, &stems);
    let homes: HashMap<FileId, (FileId, usize)> =
        files.iter().flat_map(|f| f.ast.parts.iter().enumerate().map(|(at, part)| (*part, (f.id, at)))).collect();
    let links = refer(&mut items, &seen.names, &titles, &homes, cache, errors);
    for (item, title) in items.iter_mut().zip(&titles) {
        if let Some(title) = title
            && let Some(name) = declared_mut(&mut Arc::make_mut(item).kind)
        {
            name.name.clone_from(title);
        }
    }
    let taken = taken(&items, &seen.roots, &links);
    unused::report(&files, &items, &own, &seen, &links, errors);
    let mut ast = File {
        items,
        span: files[0].ast.span,
        parts: files[0].ast.parts.clone(),
        lost: Vec::new(),
        headless: false,
        broken: Vec::new(),
        told: Vec::new(),
    };
    for file in &mut files {
        ast.lost.append(&mut file.ast.lost);
        ast.headless |= file.ast.headless;
        ast.broken.append(&mut file.ast.broken);
        ast.told.append(&mut file.ast.told);
    }
    ast.told.sort_by_key(|span| (span.file, span.start));
    Program { ast, errors: Vec::new(), root, folders, seen: seen.names, taken, homes }
}

/// (file, item) in the order of the tree: the items of a used file stand at its first `use`.
fn places(files: &[Loaded]) -> Vec<(usize, usize)> {
    fn place(files: &[Loaded], file: usize, done: &mut BTreeSet<usize>, out: &mut Vec<(usize, usize)>) {
        if !done.insert(file) {
            return;
        }
        for item in 0..files[file].ast.items.len() {
            if let Some(used) = files[file].uses.iter().find(|u| u.item == item) {
                place(files, used.file, done, out);
            }
            out.push((file, item));
        }
    }
    let mut out = Vec::new();
    place(files, 0, &mut BTreeSet::new(), &mut out);
    out
}

/// The new name of each item that shares its name with one of another file: the job's own file keeps its names, and
/// otherwise who comes first.
fn titles(items: &[Arc<Item>], order: &[(usize, usize)], stems: &[String]) -> Vec<Option<String>> {
    let mut titles = vec![None; items.len()];
    let mut owners: BTreeMap<(Space, String), usize> = BTreeMap::new();
    let mut by_file: Vec<usize> = (0..items.len()).collect();
    by_file.sort_by_key(|index| order[*index]);
    for index in by_file {
        let Some((space, name)) = declared(&items[index].kind) else { continue };
        let file = order[index].0;
        let owner = *owners.entry((space, name.name.clone())).or_insert(file);
        if owner == file {
            continue;
        }
        let candidates = std::iter::once(format!("{}.{}", stems[file], name.name))
            .chain((2..).map(|n| format!("{}{n}.{}", stems[file], name.name)));
        for title in candidates {
            if *owners.entry((space, title.clone())).or_insert(file) == file {
                titles[index] = Some(title);
                break;
            }
        }
    }
    titles
}

/// Gives references the new names of what they mean, and returns what each item reads.
fn refer(
    items: &mut [Arc<Item>],
    seen: &BTreeMap<FileId, BTreeMap<(Space, String), usize>>,
    titles: &[Option<String>],
    homes: &HashMap<FileId, (FileId, usize)>,
    cache: &mut Cache,
    errors: &mut Vec<Diagnostic>,
) -> Vec<BTreeSet<usize>> {
    let mut all: BTreeMap<(Space, String), Span> = BTreeMap::new();
    for item in items.iter() {
        if let Some((space, name)) = declared(&item.kind) {
            all.entry((space, name.name.clone())).or_insert(name.span);
        }
    }
    let mut links = Vec::with_capacity(items.len());
    let renames = titles.iter().any(Option::is_some);
    for item in items.iter_mut() {
        let here = &seen[&homes.get(&item.span.file).map_or(item.span.file, |(home, _)| *home)];
        let mut reads = BTreeSet::new();
        for Mention { key, span } in cache.of(item) {
            match here.get(key) {
                Some(index) => {
                    reads.insert(*index);
                }
                None if key.0 == Space::Param => {}
                None => {
                    if let Some(declared) = all.get(key) {
                        errors.push(hidden(&key.1, *span, *declared));
                    }
                }
            }
        }
        links.push(reads);
        if !renames {
            continue;
        }
        references(Arc::make_mut(item), &mut |reference| {
            // Params have names of their own in each file: an expression may mean a column.
            if reference.space != Space::Param
                && let Some(index) = here.get(&(reference.space, reference.name.clone()))
                && let Some(title) = &titles[*index]
            {
                reference.name.clone_from(title);
            }
        });
    }
    cache.forget(items);
    links
}

/// A name of a file that is used, but not this name of it.
fn hidden(name: &str, span: Span, declared: Span) -> Diagnostic {
    Diagnostic::error(Code::E0101, span, format!("`{name}` is in another file, and this one does not use it"))
        .label("not used from there")
        .related(declared, "declared here")
        .help(format!("name it in a `use {{ {name} }} from …`"))
}

/// The items of the job: from the roots, all that they read.
fn taken(items: &[Arc<Item>], roots: &BTreeSet<usize>, links: &[BTreeSet<usize>]) -> Vec<bool> {
    let mut taken = vec![false; items.len()];
    let mut open: Vec<usize> = roots.iter().copied().collect();
    while let Some(index) = open.pop() {
        if !std::mem::replace(&mut taken[index], true) {
            open.extend(&links[index]);
        }
    }
    taken
}
