use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dbjob_plan::Span;

use super::Space;
use super::reference::references;
use crate::source::{SourceFile, SourceMap};
use crate::syntax::ast::Item;
use crate::syntax::{Parsed, parse};
use crate::world::TextFile;

/// What items mention, kept from one link to the next for those that are the very same.
#[derive(Debug, Default)]
pub struct Cache {
    /// By address; the item is held so that its address is not given to another.
    known: HashMap<*const Item, (Arc<Item>, Vec<Mention>)>,
    /// Used files as they were read.
    files: HashMap<PathBuf, Parsed>,
}

/// A name that an item mentions.
#[derive(Debug)]
pub(super) struct Mention {
    pub key: (Space, String),
    pub span: Span,
}

impl Cache {
    pub(super) fn of(&mut self, item: &Arc<Item>) -> &[Mention] {
        let (_, mentions) = self.known.entry(Arc::as_ptr(item)).or_insert_with(|| {
            let mut mentions = Vec::new();
            references(&mut (**item).clone(), &mut |reference| {
                mentions.push(Mention { key: (reference.space, reference.name.clone()), span: reference.span });
            });
            (item.clone(), mentions)
        });
        mentions
    }

    /// The used file, read anew only if its text changed.
    pub(super) fn parsed(&mut self, identity: &Path, file: TextFile, sources: &mut SourceMap) -> Parsed {
        if let Some(parsed) = self.files.get(identity).filter(|parsed| parsed.text == file.text) {
            return parsed.clone();
        }
        let id = sources.add(SourceFile::new(file.path, file.text));
        let parsed = parse(id, &sources.get(id).text);
        self.files.insert(identity.to_owned(), parsed.clone());
        parsed
    }

    /// Keeps those of these items only.
    pub(super) fn forget(&mut self, items: &[Arc<Item>]) {
        if self.known.len() > 2 * items.len() {
            let live: std::collections::HashSet<*const Item> = items.iter().map(Arc::as_ptr).collect();
            self.known.retain(|address, _| live.contains(address));
        }
    }
}
