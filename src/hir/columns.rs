use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use indexmap::IndexSet;
use indexmap::set::MutableValues;

use super::table::Column;

/// The columns of a table in order, found by name. Copies share everything until one of them changes, and then all
/// columns that did not: a job of many steps over wide tables costs by what its steps change.
#[derive(Debug, Clone, Default)]
pub struct Columns(Arc<IndexSet<ByName>>);

/// A column that is told from others by its name.
#[derive(Debug, Clone)]
struct ByName(Arc<Column>);

impl PartialEq for ByName {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for ByName {}

impl Hash for ByName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.name.as_str().hash(state);
    }
}

impl Borrow<str> for ByName {
    fn borrow(&self) -> &str {
        &self.0.name
    }
}

impl Columns {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Column> + ExactSizeIterator {
        self.0.iter().map(|c| &*c.0)
    }

    pub fn get(&self, name: &str) -> Option<&Column> {
        self.0.get(name).map(|c| &*c.0)
    }

    /// To change what is known of a column, not its name.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Column> {
        let index = self.0.get_index_of(name)?;
        let columns = Arc::make_mut(&mut self.0);
        columns.get_index_mut2(index).map(|c| Arc::make_mut(&mut c.0))
    }

    /// Adds a column, or replaces the one of that name where it stands.
    pub fn put(&mut self, column: Column) {
        Arc::make_mut(&mut self.0).replace(ByName(Arc::new(column)));
    }

    /// Only the columns of these names, in their order; names that are unknown are left out.
    pub fn keep<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) {
        let kept = names.into_iter().filter_map(|n| self.0.get(n).cloned()).collect();
        self.0 = Arc::new(kept);
    }

    /// To change what is known of every column, names too: no two may get one name.
    pub fn update(&mut self, mut change: impl FnMut(&mut Column)) {
        let columns = std::mem::take(&mut self.0);
        let columns = Arc::try_unwrap(columns).unwrap_or_else(|shared| (*shared).clone());
        let changed = columns.into_iter().map(|mut c| {
            change(Arc::make_mut(&mut c.0));
            c
        });
        self.0 = Arc::new(changed.collect());
    }

    /// Whether both are the very same columns, without a look at them.
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<'a> IntoIterator for &'a Columns {
    type Item = &'a Column;
    type IntoIter = Box<dyn Iterator<Item = &'a Column> + 'a>;

    fn into_iter(self) -> Self::IntoIter {
        Box::new(self.iter())
    }
}
