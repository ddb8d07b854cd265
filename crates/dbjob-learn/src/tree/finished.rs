use std::sync::{Arc, Mutex, PoisonError};

use super::node::Tree;
use super::stored::tensors;
use crate::checkpoint::Keeper;

/// The trees that are grown by now. They are begun in the order of their numbers and finished in any.
pub(super) struct Finished {
    trees: Mutex<Trees>,
    leaf_width: usize,
}

struct Trees {
    all: Vec<Option<Arc<Tree>>>,
    count: u64,
}

impl Finished {
    /// `trees` are the first of `total`.
    pub fn new(mut trees: Vec<Tree>, total: usize, leaf_width: usize) -> Self {
        trees.truncate(total);
        let count = trees.len() as u64;
        let mut all: Vec<Option<Arc<Tree>>> = trees.into_iter().map(|tree| Some(Arc::new(tree))).collect();
        all.resize(total, None);
        Self { trees: Mutex::new(Trees { all, count }), leaf_width }
    }

    pub fn count(&self) -> usize {
        self.trees.lock().unwrap_or_else(PoisonError::into_inner).count as usize
    }

    /// Adds a tree and tells, before another one can be added, how many there are.
    pub fn add(&self, number: usize, tree: Tree, tell: impl FnOnce(u64)) {
        let mut trees = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
        trees.all[number] = Some(Arc::new(tree));
        trees.count += 1;
        tell(trees.count);
    }

    /// Keeps the trees before the first that is missing.
    pub fn keep(&self, keeper: &Keeper<'_>, now: bool) {
        // Written without the lock: meanwhile others go on.
        let prefix = || -> Vec<Arc<Tree>> {
            let trees = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
            trees.all.iter().map_while(Clone::clone).collect()
        };
        keeper.keep_with(now, || {
            let trees = prefix();
            (!trees.is_empty()).then(|| (trees.len() as u64, tensors(trees.iter().map(Arc::as_ref), self.leaf_width)))
        });
    }

    pub fn into_prefix(self) -> Vec<Tree> {
        let trees = self.trees.into_inner().unwrap_or_else(PoisonError::into_inner).all;
        let own = |tree: Arc<Tree>| Arc::into_inner(tree).expect("nothing is being kept any more");
        trees.into_iter().map_while(|tree| tree.map(own)).collect()
    }
}
