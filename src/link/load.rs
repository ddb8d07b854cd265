//! The files, each read once.

use std::collections::BTreeMap;
use std::path::PathBuf;

use dbjob_plan::{FileId, Span};

use super::cache::Cache;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::SourceMap;
use crate::syntax::Parsed;
use crate::syntax::ast::{File, ItemKind};
use crate::world::World;

/// A file of a job. The job's own is the first of the list.
pub(super) struct Loaded {
    pub id: FileId,
    pub ast: File,
    /// How its folder is seen from that of the job's own file: "" or "tables/".
    pub folder: String,
    /// The name of the file without its ending.
    pub stem: String,
    pub uses: Vec<Use>,
}

/// A `use` of a file that was read.
#[derive(Clone)]
pub(super) struct Use {
    /// Position of the `use` among the items of its file.
    pub item: usize,
    /// Position of the used file in the list.
    pub file: usize,
    pub span: Span,
}

/// All files, the job's own first, then in order of first use; `use` items that cannot be followed are reported.
pub(super) fn load(
    root: Parsed,
    sources: &mut SourceMap,
    world: &dyn World,
    cache: &mut Cache,
) -> (Vec<Loaded>, Vec<Diagnostic>) {
    let path = sources.path(root.ast.span.file).to_owned();
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let mut loader = Loader {
        sources,
        world,
        cache,
        files: Vec::new(),
        known: BTreeMap::new(),
        open: Vec::new(),
        errors: Vec::new(),
    };
    loader.add(root, &name, world.identity(&name));
    (loader.files, loader.errors)
}

struct Loader<'a> {
    sources: &'a mut SourceMap,
    world: &'a dyn World,
    cache: &'a mut Cache,
    files: Vec<Loaded>,
    known: BTreeMap<PathBuf, usize>,
    /// The files whose uses are being followed, with the place that led to each.
    open: Vec<(usize, Option<Span>)>,
    errors: Vec<Diagnostic>,
}

impl Loader<'_> {
    fn add(&mut self, parsed: Parsed, path: &str, identity: PathBuf) -> usize {
        let (folder, name) = path.rfind('/').map_or(("", path), |at| path.split_at(at + 1));
        let index = self.files.len();
        self.known.insert(identity, index);
        self.errors.extend(parsed.errors);
        self.files.push(Loaded {
            id: parsed.ast.span.file,
            ast: parsed.ast,
            folder: folder.to_owned(),
            stem: name.strip_suffix(".dbjob").unwrap_or(name).to_owned(),
            uses: Vec::new(),
        });
        self.follow(index);
        index
    }

    fn follow(&mut self, from: usize) {
        let wanted: Vec<(usize, String, Span)> = self.files[from]
            .ast
            .items
            .iter()
            .enumerate()
            .filter_map(|(at, item)| match &item.kind {
                ItemKind::Use { path, .. } => Some((at, path.value.clone(), path.span)),
                _ => None,
            })
            .collect();
        for (item, path, span) in wanted {
            let file = self.used(from, &path, span);
            self.files[from].uses.extend(file.map(|file| Use { item, file, span }));
        }
    }

    /// The file at `path` seen from the file `from`.
    fn used(&mut self, from: usize, path: &str, span: Span) -> Option<usize> {
        let path = joined(&self.files[from].folder, path);
        let identity = self.world.identity(&path);
        if let Some(known) = self.known.get(&identity).copied() {
            return if known == from || self.open.iter().any(|(open, _)| *open == known) {
                self.circle(known, span);
                None
            } else {
                Some(known)
            };
        }
        let file = match self.world.text(&path) {
            Ok(file) => file,
            Err(error) => {
                let code = Code::parse(&error.code).unwrap_or(Code::E0701);
                let help = error.help.unwrap_or_else(|| "the path starts from the folder of this file".into());
                self.errors.push(Diagnostic::error(code, span, error.message).label("used here").help(help));
                return None;
            }
        };
        let parsed = self.cache.parsed(&identity, file, self.sources);
        self.open.push((from, Some(span)));
        let index = self.add(parsed, &path, identity);
        self.open.pop();
        Some(index)
    }

    /// The use at `span` leads back to the file `to`.
    fn circle(&mut self, to: usize, span: Span) {
        let begin = self.open.iter().position(|(open, _)| *open == to).unwrap_or(self.open.len());
        let way: Vec<Span> = self.open[begin..].iter().filter_map(|(_, span)| *span).collect();
        let name = |index: usize| format!("{}{}.dbjob", self.files[index].folder, self.files[index].stem);
        let mut names: Vec<String> = self.open[begin..].iter().map(|(open, _)| name(*open)).collect();
        if let Some(last) = self.files.iter().position(|f| f.id == span.file) {
            names.push(name(last));
        }
        names.push(name(to));
        let message = match &names[..] {
            [one, _] => format!("`{one}` uses itself"),
            _ => format!("files use each other in a circle: {}", names.join(", ")),
        };
        let mut diagnostic = Diagnostic::error(Code::E0111, span, message)
            .label("leads back")
            .help("what both need belongs into a third file");
        for step in way {
            diagnostic = diagnostic.related(step, "by way of this");
        }
        self.errors.push(diagnostic);
    }
}

/// `path` as seen from where `folder` is; without `.` and `x/..` parts.
pub(super) fn joined(folder: &str, path: &str) -> String {
    if folder.is_empty() || path.starts_with('/') || path.contains("://") {
        return path.to_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "." | "" if !parts.is_empty() => {}
            "." => {}
            ".." if parts.last().is_some_and(|last| !["", ".."].contains(last)) => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn paths_are_joined_without_detours() {
        let join = |folder, path| joined(folder, path);
        assert_eq!(join("", "data/x.csv"), "data/x.csv");
        assert_eq!(join("tables/", "data/x.csv"), "tables/data/x.csv");
        assert_eq!(join("tables/", "../x.csv"), "x.csv");
        assert_eq!(join("../lib/", "../x.csv"), "../x.csv");
        assert_eq!(join("../lib/", "./a/*.csv"), "../lib/a/*.csv");
        assert_eq!(join("/srv/lib/", "x.csv"), "/srv/lib/x.csv");
        assert_eq!(join("tables/", "/srv/x.csv"), "/srv/x.csv");
        assert_eq!(join("tables/", "postgres://db/x"), "postgres://db/x");
    }
}
