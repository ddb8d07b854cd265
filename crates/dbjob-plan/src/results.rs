//! Results that outlive a run: what they are called, and who keeps them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{ModelReport, NodeId, RunError, Source};

/// A content hash: the same for the same content, whatever it is called and wherever it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(pub [u8; 32]);

impl Key {
    /// Of 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect::<Option<_>>()?;
        let bytes: Vec<u8> = digits.as_chunks::<2>().0.iter().map(|[high, low]| high << 4 | low).collect();
        (digits.len() == 64).then(|| Self(bytes.try_into().expect("32 bytes of 64 digits")))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", &self.to_string()[..12])
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no key")))
    }
}

/// What the result of a node is made of, free of names, of formatting and of the order of items.
#[derive(Debug, Clone, PartialEq)]
pub enum Identity {
    Table(TableIdentity),
    /// `whole`: of the model that comes of it if no limit of time ends its fit. Such a limit may decide what a model is, so
    /// it is part of `key`.
    Model {
        key: Key,
        whole: Key,
        /// Of what was learned, however it is judged.
        fitted: Key,
        /// Of all that trials before the fit are made of, but for what is tried.
        tried: Key,
    },
    /// What a deployment writes, and where.
    Output(Key),
}

/// Two tables with one `rows` and one key of a column hold the same values in that column, in the same order.
#[derive(Debug, Clone, PartialEq)]
pub struct TableIdentity {
    pub rows: Key,
    /// Of every column of the schema, hidden ones too.
    pub columns: BTreeMap<String, Key>,
}

impl TableIdentity {
    /// Of the columns whose names only the data tell.
    pub const OPEN: &str = "__open";
}

/// What was written, so that it can be seen whether it is still there.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Delivery {
    pub item: String,
    /// The file or folder; none of a table in a database, or of one that was only counted.
    pub path: Option<PathBuf>,
    pub rows: Option<u64>,
    /// What the run told of a model.
    pub model: Option<ModelReport>,
}

/// What keeps results between runs. A run without one computes everything and keeps nothing.
pub trait Results: Sync {
    /// What the result of a node is made of.
    fn identity(&self, id: NodeId) -> Option<&Identity>;

    /// The content of what a map learned (or, if it learns nothing, of what it is), by [`crate::MapLink::id`].
    fn map(&self, link: u32) -> Option<Key>;

    /// Brings a source that cannot be read in place, unless it is there already. `None`: it is read in place.
    ///
    /// Errors: those of [`crate::Backend::fetch`].
    fn fetched(&self, id: NodeId) -> Result<Option<Source>, RunError>;

    /// The key of what is made of `parts`, in this order; `kind` tells apart what that is.
    fn combine(&self, kind: &str, parts: &[Key]) -> Key;

    /// The folder of a result whose files are as they were written. What is damaged is gone afterwards.
    fn find(&self, key: &Key) -> Option<PathBuf>;

    /// Keeps what `write` puts into an empty folder: all of it or nothing.
    ///
    /// Errors: those of `write`. What cannot be kept for another reason is told as a warning: the run goes on without.
    fn keep(&self, key: &Key, item: &str, write: &mut dyn FnMut(&Path) -> Result<(), RunError>)
    -> Result<(), RunError>;

    /// A folder for files that this run needs for a while; `None`: that of the system.
    fn scratch(&self) -> Option<PathBuf> {
        None
    }

    /// What was written under this key, if nothing else was written to its place since and it is as it was written.
    fn delivery(&self, key: &Key) -> Option<Delivery>;

    /// Remembers what was written. `place` is the same for all keys that write to one place.
    fn deliver(&self, key: &Key, place: &str, delivery: Delivery);

    /// Whether the sources that a node is made of are as they were when the run began.
    ///
    /// Errors: E0750 naming the file.
    fn unchanged(&self, id: NodeId) -> Result<(), RunError>;
}
