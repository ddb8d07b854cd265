use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use dbjob_plan::{Key, RunError, temp_prefix};
use serde::{Deserialize, Serialize};

use super::contents::content;
use crate::identity::Digest;

const ENTRY: &str = "entry.json";

/// The version of the format of entries.
const FORMAT: u32 = 1;

/// Folders of files under the key of what they are: complete or not there.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    /// Found whole by this process.
    whole: Mutex<BTreeSet<Key>>,
}

/// What `entry.json` says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    format: u32,
    pub key: Key,
    pub item: String,
    /// Of each file by its path in the folder.
    files: BTreeMap<String, Stored>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Stored {
    bytes: u64,
    blake3: Key,
}

impl Entry {
    pub fn bytes(&self) -> u64 {
        self.files.values().map(|f| f.bytes).sum()
    }
}

/// What is wrong with an entry.
#[derive(Debug, PartialEq)]
pub(crate) enum Found {
    Whole(PathBuf),
    Damaged(String),
    Nothing,
}

impl Store {
    /// `folder` need not exist.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, whole: Mutex::default() }
    }

    fn place(&self, key: &Key) -> PathBuf {
        let name = key.to_string();
        self.folder.join(&name[..2]).join(name)
    }

    /// Of the files of an entry.
    pub fn bytes(&self, key: &Key) -> u64 {
        let entry = fs::read(self.place(key).join(ENTRY)).ok();
        entry.and_then(|text| serde_json::from_slice::<Entry>(&text).ok()).map_or(0, |entry| entry.bytes())
    }

    /// One hash of all files of an entry.
    pub fn hash(&self, key: &Key) -> Option<Key> {
        let text = fs::read(self.place(key).join(ENTRY)).ok()?;
        let entry: Entry = serde_json::from_slice(&text).ok()?;
        let files = entry.files.iter().map(|(name, f)| (name, f.blake3)).collect::<Vec<_>>();
        Some(Digest::new("entry").json(&files).end())
    }

    /// Looks for an entry and compares each of its files with its hash, once a process.
    pub(crate) fn find(&self, key: &Key) -> Found {
        let place = self.place(key);
        if !place.exists() {
            return Found::Nothing;
        }
        if self.whole.lock().unwrap_or_else(PoisonError::into_inner).contains(key) {
            return Found::Whole(place);
        }
        match check(&place, key) {
            Ok(()) => {
                self.whole.lock().unwrap_or_else(PoisonError::into_inner).insert(*key);
                Found::Whole(place)
            }
            Err(why) => Found::Damaged(why),
        }
    }

    /// Takes an entry away. A reader that has its files open keeps them.
    pub fn remove(&self, key: &Key) -> io::Result<()> {
        self.whole.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        let place = self.place(key);
        // Under another name first: what is left of it by a crash is no entry.
        let away = self.folder.join(format!("{}gone-{key}", temp_prefix()));
        fs::rename(&place, &away)?;
        fs::remove_dir_all(&away)
    }

    /// Keeps what `write` puts into an empty folder. An entry that is there stays.
    ///
    /// Errors: the inner ones are those of `write`.
    pub(crate) fn keep(
        &self,
        key: &Key,
        item: &str,
        write: &mut dyn FnMut(&Path) -> Result<(), RunError>,
    ) -> io::Result<Result<PathBuf, RunError>> {
        let place = self.place(key);
        let parent = place.parent().expect("an entry is in a folder");
        fs::create_dir_all(parent)?;
        let staged = tempfile::Builder::new().prefix(&temp_prefix()).tempdir_in(&self.folder)?;
        if let Err(error) = write(staged.path()) {
            return Ok(Err(error));
        }
        let mut files = BTreeMap::new();
        list(staged.path(), staged.path(), &mut files)?;
        let entry = Entry { format: FORMAT, key: *key, item: item.to_owned(), files };
        let mut file = File::create(staged.path().join(ENTRY))?;
        file.write_all(&serde_json::to_vec_pretty(&entry)?)?;
        file.sync_all()?;
        sync_folder(staged.path());
        match fs::rename(staged.path(), &place) {
            Ok(()) => drop(staged.keep()),
            // It was there already, or what was there is damaged: the new one is whole.
            Err(_) if place.exists() => {
                if !matches!(self.find(key), Found::Whole(_)) {
                    self.remove(key)?;
                    fs::rename(staged.path(), &place)?;
                    drop(staged.keep());
                }
            }
            Err(e) => return Err(e),
        }
        sync_folder(parent);
        self.whole.lock().unwrap_or_else(PoisonError::into_inner).insert(*key);
        Ok(Ok(place))
    }

    /// All entries, the damaged ones without what they say.
    pub fn entries(&self) -> Vec<(PathBuf, Option<Entry>)> {
        let inside = |folder: &Path| -> Vec<PathBuf> {
            fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect()
        };
        let mut found = Vec::new();
        for group in inside(&self.folder) {
            if group.file_name().is_some_and(|n| n.len() == 2) {
                for place in inside(&group) {
                    let entry = fs::read(place.join(ENTRY)).ok().and_then(|text| serde_json::from_slice(&text).ok());
                    found.push((place, entry));
                }
            } else {
                // What a process that was killed has left.
                found.push((group, None));
            }
        }
        found
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

fn check(place: &Path, key: &Key) -> Result<(), String> {
    let text = fs::read(place.join(ENTRY)).map_err(|e| format!("{ENTRY}: {e}"))?;
    let entry: Entry = serde_json::from_slice(&text).map_err(|e| format!("{ENTRY}: {e}"))?;
    if entry.format != FORMAT || entry.key != *key {
        return Err(format!("{ENTRY} is of another result"));
    }
    for (name, stored) in &entry.files {
        let path = place.join(name);
        let size = fs::metadata(&path).map_err(|e| format!("{name}: {e}"))?.len();
        if size != stored.bytes {
            return Err(format!("{name} has {size} bytes instead of {}", stored.bytes));
        }
        let found = content(&path, &|| false).map_err(|e| format!("{name}: {e}"))?;
        if found != Some(stored.blake3) {
            return Err(format!("{name} is not as it was written"));
        }
    }
    Ok(())
}

/// Syncs the files below a folder and lists them with their hashes.
fn list(root: &Path, folder: &Path, files: &mut BTreeMap<String, Stored>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(root, &path, files)?;
            continue;
        }
        let file = File::open(&path)?;
        file.sync_all()?;
        let name = path.strip_prefix(root).expect("it is below the root").to_string_lossy().replace('\\', "/");
        let blake3 = content(&path, &|| false)?.expect("nobody stops this");
        files.insert(name, Stored { bytes: file.metadata()?.len(), blake3 });
    }
    sync_folder(folder);
    Ok(())
}

/// Some file systems have no such thing; the rename is atomic all the same.
pub(crate) fn sync_folder(folder: &Path) {
    let _ = File::open(folder).and_then(|f| f.sync_all());
}
