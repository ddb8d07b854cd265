use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use indexmap::IndexSet;
use indexmap::set::MutableValues;

use super::table::Column;

/// The columns of a table in order, found by name. Copies share everything until one of them changes, and then all that did
/// not: a job of many steps over wide tables costs by what its steps change.
///
/// The columns stand in chunks. Invariants: no name is in two chunks, none is empty, and a chunk that is followed by others
/// is larger than the next was when it was full: there are few of them, and a column behind many copies only its own.
#[derive(Debug, Clone, Default)]
pub struct Columns(Vec<Arc<Chunk>>);

type Chunk = IndexSet<ByName>;

/// Columns that are copied when one more is added to a table that others share.
const FULL: usize = 64;

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
        self.0.iter().map(|chunk| chunk.len()).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Column> {
        self.0.iter().flat_map(|chunk| chunk.iter()).map(|c| &*c.0)
    }

    pub fn get(&self, name: &str) -> Option<&Column> {
        self.0.iter().find_map(|chunk| chunk.get(name)).map(|c| &*c.0)
    }

    /// To change what is known of a column, not its name.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Column> {
        let (chunk, index) = self.place(name)?;
        let columns = Arc::make_mut(&mut self.0[chunk]);
        columns.get_index_mut2(index).map(|c| Arc::make_mut(&mut c.0))
    }

    /// Adds a column, or replaces the one of that name where it stands.
    pub fn put(&mut self, column: Column) {
        let place = self.place(&column.name);
        let column = ByName(Arc::new(column));
        if place.is_none() && self.0.last().is_none_or(|last| last.len() >= FULL) {
            self.begin_chunk();
        }
        let chunk = place.map_or(self.0.len() - 1, |(chunk, _)| chunk);
        Arc::make_mut(&mut self.0[chunk]).replace(column);
    }

    /// The chunk of a column and its index there.
    fn place(&self, name: &str) -> Option<(usize, usize)> {
        self.0.iter().enumerate().find_map(|(at, chunk)| Some((at, chunk.get_index_of(name)?)))
    }

    /// Makes room for more behind chunks of which each is larger than the next.
    fn begin_chunk(&mut self) {
        while let [.., before, last] = self.0.as_slice()
            && before.len() <= last.len()
        {
            let last = self.0.pop().expect("there are two");
            let before = self.0.last_mut().expect("there are two");
            Arc::make_mut(before).extend(last.iter().cloned());
        }
        self.0.push(Arc::default());
    }

    /// Only the columns of these names, in their order; names that are unknown are left out.
    pub fn keep<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) {
        let of = |name: &str| self.0.iter().find_map(|chunk| chunk.get(name).cloned());
        *self = Self::of(names.into_iter().filter_map(of).collect());
    }

    /// To change what is known of every column, names too: no two may get one name.
    pub fn update(&mut self, mut change: impl FnMut(&mut Column)) {
        let chunks = std::mem::take(&mut self.0).into_iter();
        let columns = chunks.flat_map(|chunk| Arc::try_unwrap(chunk).unwrap_or_else(|shared| (*shared).clone()));
        let changed = columns.map(|mut c| {
            change(Arc::make_mut(&mut c.0));
            c
        });
        *self = Self::of(changed.collect());
    }

    fn of(columns: Chunk) -> Self {
        Self(if columns.is_empty() { Vec::new() } else { vec![Arc::new(columns)] })
    }

    /// Whether both are the very same columns, without a look at them.
    pub fn same(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(|(a, b)| Arc::ptr_eq(a, b))
    }
}

impl<'a> IntoIterator for &'a Columns {
    type Item = &'a Column;
    type IntoIter = Box<dyn Iterator<Item = &'a Column> + 'a>;

    fn into_iter(self) -> Self::IntoIter {
        Box::new(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use dbjob_plan::{DataType, FileId, Span};

    use super::*;

    fn column(name: &str) -> Column {
        Column::new(name, DataType::Int, false, Span::new(FileId(0), 0, 0))
    }

    #[test]
    fn columns_stay_in_order_whatever_chunk_they_are_in() {
        let mut columns = Columns::default();
        let mut earlier = Vec::new();
        for n in 0..1_000 {
            columns.put(column(&format!("c{n}")));
            if n % 100 == 50 {
                earlier.push((n + 1, columns.clone()));
            }
        }
        assert!(columns.0.len() <= 5, "{} chunks", columns.0.len());
        assert!(columns.iter().map(|c| &c.name).eq((0..1_000).map(|n| format!("c{n}")).collect::<Vec<_>>().iter()));
        for (len, copy) in earlier {
            assert_eq!((copy.len(), copy.iter().count()), (len, len), "a copy keeps what it had");
            assert!(copy.get(&format!("c{len}")).is_none());
        }
        let mut changed = columns.clone();
        changed.put(Column { nullable: true, ..column("c3") });
        changed.get_mut("c999").expect("it is there").nullable = true;
        let nullable: Vec<usize> = changed.iter().enumerate().filter(|(_, c)| c.nullable).map(|(n, _)| n).collect();
        assert_eq!((nullable, changed.len()), (vec![3, 999], 1_000));
        assert!(!columns.same(&changed) && columns.same(&columns.clone()));
        changed.keep(["c9", "c1", "none"]);
        assert_eq!(changed.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["c9", "c1"]);
        changed.update(|c| c.name.push('_'));
        assert!(changed.get("c9_").is_some() && changed.get("c9").is_none());
        changed.keep([]);
        assert!(changed.is_empty());
    }
}
