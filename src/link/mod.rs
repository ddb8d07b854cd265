//! A job's file and the files that it uses, as one tree: every `use` is resolved here, before anything is typed.
//!
//! Invariants: each file is read once. The items of a used file stand where it is first used, and keep their spans. Of two
//! items of one kind with one name, the one that the job's own file does not see is called `file.name`, as are all
//! references to it; so a name means one item everywhere below.

mod cache;
mod load;
mod names;
mod reference;
mod seen;
mod unused;

use std::collections::{BTreeMap, HashMap};

use dbjob_plan::{FileId, Span};

pub use cache::Cache;
pub use names::Space;

use crate::diagnostic::Diagnostic;
use crate::source::SourceMap;
use crate::syntax::{Parsed, ast};
use crate::world::World;

/// A job with all that it uses.
#[derive(Debug, Clone)]
pub struct Program {
    /// All items, those of used files too.
    pub ast: ast::File,
    /// Syntax errors of all files, and what is wrong with their `use`, in order of file and place.
    pub errors: Vec<Diagnostic>,
    /// The job's own file.
    pub root: FileId,
    /// Where the relative paths of each file start from, seen from the folder of the job's own: "" or "tables/".
    folders: BTreeMap<FileId, String>,
    /// What each file sees: its own items and those that it uses, as indexes of `ast.items`.
    seen: BTreeMap<FileId, BTreeMap<(Space, String), usize>>,
    /// By index of `ast.items`: whether it is part of the job. Items of used files may only be checked.
    taken: Vec<bool>,
    /// The file of each part that a file was read in, and which of its parts it is.
    homes: HashMap<FileId, (FileId, usize)>,
}

/// Reads what `parsed` uses, and what that uses.
pub fn link(parsed: Parsed, sources: &mut SourceMap, world: &dyn World) -> Program {
    link_again(parsed, sources, world, &mut Cache::default())
}

/// As `link`, with what is kept from the last time.
pub fn link_again(parsed: Parsed, sources: &mut SourceMap, world: &dyn World, cache: &mut Cache) -> Program {
    let (files, mut errors) = load::load(parsed, sources, world, cache);
    let mut program = names::join(files, cache, &mut errors);
    errors.sort_by_key(|d| (d.span.file, d.span.start, d.span.end));
    program.errors = errors;
    program
}

impl Program {
    /// The file that a span is in: of a part, the file that it is a part of.
    pub fn home(&self, file: FileId) -> FileId {
        self.homes.get(&file).map_or(file, |(home, _)| *home)
    }

    /// By which places are put in order.
    pub fn place(&self, span: Span) -> (FileId, usize, u32, u32) {
        let (file, part) = self.homes.get(&span.file).copied().unwrap_or((span.file, 0));
        (file, part, span.start, span.end)
    }

    /// The path of a file as seen from the folder of the job's own.
    pub fn path(&self, of: FileId, path: &str) -> String {
        let folder = self.folders.get(&self.home(of)).map_or("", String::as_str);
        load::joined(folder, path)
    }

    /// The item that a name means in a file.
    pub fn find(&self, file: FileId, space: Space, name: &str) -> Option<usize> {
        self.seen.get(&self.home(file))?.get(&(space, name.to_owned())).copied()
    }

    /// The names of a kind that a file sees.
    pub fn names(&self, file: FileId, space: Space) -> impl Iterator<Item = &str> {
        let all = self.seen.get(&self.home(file));
        let here = all.into_iter().flat_map(move |all| all.range((space, String::new())..));
        here.take_while(move |((s, _), _)| *s == space).map(|((_, name), _)| name.as_str())
    }

    /// Whether a file is the job's own.
    pub fn is_own(&self, file: FileId) -> bool {
        self.home(file) == self.home(self.root)
    }

    /// Whether an item is part of the job, and not only of a file that it uses.
    pub fn takes(&self, index: usize) -> bool {
        self.taken[index]
    }
}
