use std::collections::{BTreeMap, HashMap};
use std::ops::Deref;
use std::sync::Arc;

use dbjob_plan::{ItemKind, Op, Span};

use super::{Item, ItemBody, Step};

/// The items whose check is over, each behind those that it reads.
#[derive(Debug, Default)]
pub(super) struct Finished {
    all: Vec<Arc<Item>>,
    /// Datasets, transforms and models.
    by_name: HashMap<String, usize>,
    /// The datasets by the files that they read.
    by_path: BTreeMap<String, usize>,
}

impl Finished {
    pub fn push(&mut self, item: Arc<Item>) {
        let index = self.all.len();
        if !matches!(item.body, ItemBody::Deploy(_)) {
            self.by_name.entry(item.name.clone()).or_insert(index);
        }
        if let Some(path) = file_of(&item) {
            self.by_path.entry(plain(path).to_owned()).or_insert(index);
        }
        self.all.push(item);
    }

    /// The dataset, transform or model of that name.
    pub fn named(&self, name: &str) -> Option<&Item> {
        self.by_name.get(name).map(|index| &*self.all[*index])
    }

    /// The dataset that is read from a path, or, if it is a folder, from below it.
    pub fn read_from(&self, path: &str, below: bool) -> Option<(String, Span)> {
        let ours = plain(path);
        let inside = || {
            let folder = format!("{ours}/");
            self.by_path.range(folder.clone()..).next().filter(|(path, _)| below && path.starts_with(&folder))
        };
        let index = self.by_path.get(ours).or_else(|| inside().map(|(_, index)| index))?;
        let item = &self.all[*index];
        let ItemBody::Table { steps, .. } = &item.body else { return None };
        Some((item.name.clone(), steps.first()?.span))
    }

    pub fn into_items(self) -> Vec<Arc<Item>> {
        self.all
    }
}

impl Deref for Finished {
    type Target = [Arc<Item>];

    fn deref(&self) -> &Self::Target {
        &self.all
    }
}

/// The path of a dataset's file. A dataset begins with its source.
fn file_of(item: &Item) -> Option<&str> {
    let ItemBody::Table { kind: ItemKind::Dataset, steps, .. } = &item.body else { return None };
    match steps.first() {
        Some(Step { op: Op::Read(source), .. }) if source.format.is_file() => Some(&source.path),
        _ => None,
    }
}

/// Two ways to write one path are one.
pub(super) fn plain(path: &str) -> &str {
    path.trim_start_matches("./").trim_end_matches('/')
}
