use dbjob_plan::{Expr, Key, SortKey, SplitKey};
use serde::Serialize;

/// Builds a key from named parts; what is put in is length-prefixed, so that no two lists of parts look the same.
pub(crate) struct Digest(blake3::Hasher);

impl Digest {
    /// `kind` tells apart what is hashed.
    pub fn new(kind: &str) -> Self {
        Self(blake3::Hasher::new()).text(kind)
    }

    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    pub fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    pub fn key(self, key: &Key) -> Self {
        self.bytes(&key.0)
    }

    pub fn keys<'k>(self, keys: impl IntoIterator<Item = &'k Key>) -> Self {
        let all: Vec<u8> = keys.into_iter().flat_map(|key| key.0).collect();
        self.bytes(&all)
    }

    /// Types and options: whatever has no names of columns in it.
    pub fn json(self, value: &impl Serialize) -> Self {
        let text = serde_json::to_vec(value).expect("plans have only string keys");
        self.bytes(&text)
    }

    pub fn end(self) -> Key {
        Key(*self.0.finalize().as_bytes())
    }
}

/// The keys of a table's columns, by name.
pub(crate) type Columns<'a> = &'a dyn Fn(&str) -> Key;

/// An expression free of the names of columns.
pub(crate) fn expr(expr: &Expr, columns: Columns<'_>) -> Key {
    let mut anonymous = expr.clone();
    anonymous.rename(&mut |name| Some(columns(name).to_string()));
    Digest::new("expr").json(&anonymous).end()
}

pub(crate) fn sort_keys(keys: &[SortKey], columns: Columns<'_>) -> Vec<Key> {
    keys.iter().map(|k| Digest::new("sort key").key(&expr(&k.expr, columns)).json(&k.descending).end()).collect()
}

pub(crate) fn split_key(key: &SplitKey, columns: Columns<'_>) -> Key {
    let names: Vec<Key> = key.columns.iter().map(|name| columns(name)).collect();
    Digest::new("split key").keys(&names).json(&key.unique).end()
}
