//! Which objects a key, a pattern or a folder of keys stands for: by lists and heads, without a look at contents.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use dbjob_plan::{Cancel, DataLocation, Format, RunError, near};
use glob::{MatchOptions, Pattern};
use object_store::path::Path;
use object_store::{ListResult, ObjectMeta, ObjectStore, ObjectStoreExt};

use super::Store;
use super::error::{Asked, failed, is_answer, is_denied};
use super::waiting::wait;
use crate::source::files::{belongs, endings, is_pattern};

/// An object as it was listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    pub key: String,
    pub size: u64,
    /// Changes with the contents.
    pub tag: Option<String>,
}

impl From<&ObjectMeta> for Object {
    fn from(meta: &ObjectMeta) -> Self {
        Self { key: meta.location.to_string(), size: meta.size, tag: meta.e_tag.clone() }
    }
}

impl Store {
    /// The objects of a key or a pattern, in the order of their keys; at least one. A key that ends in `/`, or below which
    /// there are others, stands for all objects below it whose names end as the format's files do.
    ///
    /// Errors: E0718, E0740 to E0742.
    pub fn find(&self, key: &str, format: &Format, cancel: &Cancel) -> Result<Vec<Object>, RunError> {
        let mut search = Search { store: self, format, cancel, lists: HashMap::new(), found: BTreeMap::new() };
        if is_pattern(key) {
            let parts = key.split('/').map(Part::parse).collect::<Result<Vec<_>, _>>();
            let parts = parts.map_err(|e| {
                RunError::new("E0742", format!("{:?} is not a pattern: {e}", self.url(key))).data(self.at(key))
            })?;
            search.walk("", &parts)?;
            if search.found.is_empty() {
                return Err(RunError::new("E0742", format!("no object matches {}", self.url(key))).data(self.at(key)));
            }
            return Ok(search.found.into_values().collect());
        }
        if !key.ends_with('/')
            && let Some(object) = search.one(key)?
        {
            return Ok(vec![object]);
        }
        search.below(key.trim_end_matches('/'))?;
        if search.found.is_empty() {
            return Err(search.missing(key));
        }
        Ok(search.found.into_values().collect())
    }

    /// The place "this object" for messages.
    pub(super) fn at(&self, key: &str) -> DataLocation {
        DataLocation { file: Some(self.url(key)), ..DataLocation::default() }
    }

    pub(super) fn path(&self, key: &str) -> Result<Path, RunError> {
        Path::parse(key).map_err(|e| {
            RunError::new("E0742", format!("{} cannot be read: {e}", self.url(key)))
                .help("a key has names between single slashes, none of them `.` or `..`")
                .data(self.at(key))
        })
    }
}

/// A part of a pattern between two slashes.
enum Part {
    Name(String),
    Pattern(Pattern),
    /// `**`
    Folders,
}

impl Part {
    fn parse(text: &str) -> Result<Self, glob::PatternError> {
        Ok(match text {
            "**" => Self::Folders,
            text if is_pattern(text) => Self::Pattern(Pattern::new(text)?),
            text => Self::Name(text.to_owned()),
        })
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Name(own) => own == name,
            Self::Pattern(pattern) => pattern.matches_with(name, MatchOptions::new()),
            Self::Folders => true,
        }
    }
}

struct Search<'a> {
    store: &'a Store,
    format: &'a Format,
    cancel: &'a Cancel,
    lists: HashMap<String, Arc<ListResult>>,
    found: BTreeMap<String, Object>,
}

impl Search<'_> {
    /// What lies directly in a folder of keys.
    fn list(&mut self, folder: &str) -> Result<Arc<ListResult>, RunError> {
        if let Some(list) = self.lists.get(folder) {
            return Ok(list.clone());
        }
        let list = Arc::new(self.ask(folder)?.map_err(|e| failed(&e, self.store, folder, Asked::List))?);
        self.lists.insert(folder.to_owned(), list.clone());
        Ok(list)
    }

    fn ask(&self, folder: &str) -> Result<object_store::Result<ListResult>, RunError> {
        let (client, path) = (self.store.client.clone(), self.store.path(folder)?);
        wait(async move { client.list_with_delimiter(Some(&path)).await }, self.cancel)
    }

    /// An object of exactly that key, if it is there.
    fn one(&mut self, key: &str) -> Result<Option<Object>, RunError> {
        let (client, path) = (self.store.client.clone(), self.store.path(key)?);
        match wait(async move { client.head(&path).await }, self.cancel)? {
            Ok(meta) => Ok(Some((&meta).into())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            // The answer to a head has no text; that to a list says why.
            Err(error) if is_answer(&error) => match self.ask(folder_of(key))? {
                Err(why) if !is_denied(&why) => Err(failed(&why, self.store, key, Asked::Read)),
                _ => Err(failed(&error, self.store, key, Asked::Read)),
            },
            Err(error) => Err(failed(&error, self.store, key, Asked::Read)),
        }
    }

    fn walk(&mut self, folder: &str, parts: &[Part]) -> Result<(), RunError> {
        let Some((part, rest)) = parts.split_first() else { return Ok(()) };
        if let (Part::Name(name), false) = (part, rest.is_empty()) {
            return self.walk(&joined(folder, name), rest);
        }
        let list = self.list(folder)?;
        let own = |meta: &&ObjectMeta| meta.location.as_ref() != folder;
        let folders: Vec<String> = list.common_prefixes.iter().map(Path::to_string).collect();
        match part {
            Part::Folders if rest.is_empty() => {
                self.take(list.objects.iter().filter(own));
                folders.iter().try_for_each(|folder| self.walk(folder, parts))
            }
            Part::Folders => {
                self.walk(folder, rest)?;
                folders.iter().try_for_each(|folder| self.walk(folder, parts))
            }
            part if rest.is_empty() => {
                let fits = |meta: &&ObjectMeta| own(meta) && part.matches(name_of(meta.location.as_ref()));
                self.take(list.objects.iter().filter(fits));
                Ok(())
            }
            part => {
                let fit = folders.iter().filter(|folder| part.matches(name_of(folder)));
                fit.cloned().collect::<Vec<_>>().iter().try_for_each(|folder| self.walk(folder, rest))
            }
        }
    }

    /// All objects below a folder that belong to a table of the format.
    fn below(&mut self, folder: &str) -> Result<(), RunError> {
        let list = self.list(folder)?;
        let format = self.format;
        self.take(list.objects.iter().filter(|meta| belongs(name_of(meta.location.as_ref()), format)));
        for inner in &list.common_prefixes {
            if !name_of(inner.as_ref()).starts_with(['_', '.']) {
                self.below(inner.as_ref())?;
            }
        }
        Ok(())
    }

    fn take<'m>(&mut self, objects: impl Iterator<Item = &'m ObjectMeta>) {
        for object in objects.map(Object::from) {
            self.found.insert(object.key.clone(), object);
        }
    }

    /// That there is no such object, with what there is of a near name.
    fn missing(&mut self, key: &str) -> RunError {
        let folder = key.trim_end_matches('/');
        let inside = self.list(folder).ok().is_some_and(|l| !l.objects.is_empty() || !l.common_prefixes.is_empty());
        let url = self.store.url(key);
        let error = |message: String| RunError::new("E0742", message).data(self.store.at(key));
        if inside || key.ends_with('/') {
            return error(format!("no object below {url} ends in {}", endings(self.format)))
                .help("write a key or a pattern such as \"s3://bucket/folder/*.csv\"");
        }
        let error = error(format!("there is no object {url}"));
        let Ok(list) = self.list(folder_of(key)) else { return error };
        let keys = list.objects.iter().map(|meta| &meta.location).chain(&list.common_prefixes);
        let names: Vec<String> = keys.map(|path| name_of(path.as_ref()).to_owned()).collect();
        match near(name_of(key), names.iter().map(String::as_str)).as_slice() {
            [] => error,
            near => error.help(format!("there is {}", near.join(", "))),
        }
    }
}

fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

fn folder_of(key: &str) -> &str {
    key.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn name_of(key: &str) -> &str {
    key.rsplit_once('/').map_or(key, |(_, name)| name)
}
