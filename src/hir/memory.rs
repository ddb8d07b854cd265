//! What is known of the items of a text that is checked again and again, as in an editor.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use dbjob_plan::{FileId, Span};

use super::Item;
use super::check::{Context, ModelFact};
use super::lost::Lost;
use super::quarantine::Quarantined;
use super::table::Table;
use crate::diagnostic::Diagnostic;
use crate::syntax::ast::{self, ItemKind};

/// The results of the items of the last check. One memory serves one text.
#[derive(Debug, Default)]
pub struct Memory {
    pub(super) next_map: u32,
    lost: Arc<Lost>,
    /// By the address of the item as written, which is held so that no other gets it.
    known: HashMap<*const ast::Item, Known>,
    /// The items that any item may look at (params, functions, clusters, …), and all names with their kinds.
    around: (Vec<Arc<ast::Item>>, BTreeMap<String, &'static str>),
    /// Of each name, the check of its item that its result is from.
    versions: HashMap<String, u64>,
    next_version: u64,
}

/// What came of the check of one item.
#[derive(Debug)]
struct Known {
    written: Arc<ast::Item>,
    version: u64,
    /// The names that it reads, with the versions it saw.
    reads: Vec<(String, u64)>,
    /// What else it hangs on, of the deployments of a model.
    accepts: bool,
    asked_lost: bool,
    out: Vec<Diagnostic>,
    told: Vec<Span>,
    quarantines: Vec<Quarantined>,
    item: Option<Arc<Item>>,
    table: Option<Table>,
    model: Option<Option<ModelFact>>,
}

/// Where the lists of a context ended before an item was checked.
pub(super) struct Mark {
    out: usize,
    told: usize,
    quarantines: usize,
    items: usize,
    asked: usize,
}

impl Memory {
    /// The names that this text has lost.
    pub(super) fn lost(&mut self, file: &ast::File, torn: bool) -> Arc<Lost> {
        if self.lost.set(file, torn) {
            self.known.retain(|_, known| !known.asked_lost);
        }
        self.lost.clone()
    }

    /// Before any item is looked at: forgets all if something changed that any item may look at.
    pub(super) fn begin(&mut self, file: &ast::File, cx: &Context<'_>) {
        let local = |kind: &ItemKind| {
            matches!(
                kind,
                ItemKind::Dataset(_)
                    | ItemKind::Transform(_)
                    | ItemKind::Model(_)
                    | ItemKind::Deploy(_)
                    | ItemKind::Module { .. }
            )
        };
        let around: Vec<Arc<ast::Item>> = file.items.iter().filter(|i| !local(&i.kind)).cloned().collect();
        let names = cx.names.iter().map(|(name, declared)| (name.clone(), declared.kind)).collect();
        let same = around.len() == self.around.0.len()
            && around.iter().zip(&self.around.0).all(|(a, b)| Arc::ptr_eq(a, b))
            && names == self.around.1;
        if !same {
            self.known.clear();
            self.around = (around, names);
        }
        let live: BTreeSet<*const ast::Item> = file.items.iter().map(Arc::as_ptr).collect();
        self.known.retain(|address, _| live.contains(address));
        // What is told beside an item that is gone points into a text that is gone.
        let files: BTreeSet<FileId> = file.items.iter().map(|item| item.span.file).collect();
        let gone = |d: &Diagnostic| d.related.iter().any(|(span, _)| !files.contains(&span.file));
        self.known.retain(|_, known| !known.out.iter().any(gone));
        self.versions.clear();
    }

    /// Puts what is known of an item into the context, if it still holds.
    pub(super) fn recall(
        &mut self,
        written: &Arc<ast::Item>,
        name: Option<&str>,
        accepts: bool,
        position: usize,
        cx: &mut Context<'_>,
    ) -> bool {
        let Some(known) = self.known.get(&Arc::as_ptr(written)) else { return false };
        let version = |name: &String| self.versions.get(name).copied().unwrap_or(0);
        if known.accepts != accepts || known.reads.iter().any(|(name, seen)| version(name) != *seen) {
            return false;
        }
        cx.out.extend(known.out.iter().cloned());
        cx.told.extend(known.told.iter().copied());
        cx.quarantines.extend(known.quarantines.iter().cloned());
        if let Some(item) = &known.item {
            let there = item.position == position;
            let item = if there { item.clone() } else { Arc::new(Item { position, ..(**item).clone() }) };
            cx.items.push(item);
        }
        if let Some(name) = name {
            if let Some(table) = &known.table {
                cx.tables.insert(name.to_owned(), table.clone());
            }
            if let Some(model) = &known.model {
                cx.models.insert(name.to_owned(), model.clone());
            }
            self.versions.insert(name.to_owned(), known.version);
        }
        true
    }

    pub(super) fn mark(&self, cx: &Context<'_>) -> Mark {
        Mark {
            out: cx.out.len(),
            told: cx.told.len(),
            quarantines: cx.quarantines.len(),
            items: cx.items.len(),
            asked: self.lost.asked(),
        }
    }

    /// Keeps what the check of an item has put into the context since `mark`.
    pub(super) fn keep(
        &mut self,
        written: &Arc<ast::Item>,
        name: Option<&str>,
        reads: Vec<String>,
        accepts: bool,
        mark: &Mark,
        cx: &Context<'_>,
    ) {
        self.next_version += 1;
        let version = self.next_version;
        let seen = |name: String| {
            let version = self.versions.get(&name).copied().unwrap_or(0);
            (name, version)
        };
        let known = Known {
            written: written.clone(),
            version,
            reads: reads.into_iter().map(seen).collect(),
            accepts,
            asked_lost: self.lost.asked() > mark.asked,
            out: cx.out[mark.out..].to_vec(),
            told: cx.told[mark.told..].to_vec(),
            quarantines: cx.quarantines[mark.quarantines..].to_vec(),
            item: cx.items.get(mark.items).cloned(),
            table: name.and_then(|n| cx.tables.get(n).cloned()),
            model: name.and_then(|n| cx.models.get(n).cloned()),
        };
        debug_assert!(Arc::ptr_eq(&known.written, written));
        self.known.insert(Arc::as_ptr(written), known);
        if let Some(name) = name {
            self.versions.insert(name.to_owned(), version);
        }
    }
}
