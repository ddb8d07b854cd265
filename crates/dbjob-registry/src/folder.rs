use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use dbjob_plan::{Key, PackageStatus, RunError};

use crate::files::{sync_folder, unwritable};
use crate::history::{self, How};
use crate::manifest::read_manifest;

/// The file with the number of the live version.
pub(crate) const CURRENT: &str = "current";

/// The folder of one model in a registry: its versions and which of them is live.
#[derive(Debug, Clone)]
pub struct ModelFolder {
    pub path: PathBuf,
}

impl ModelFolder {
    pub fn of(registry: &Path, model: &str) -> Self {
        Self { path: registry.join(file_name(model)) }
    }

    /// The folder of a model, wherever it is.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    pub fn versions(&self) -> PathBuf {
        self.path.join("versions")
    }

    pub fn version(&self, number: u64) -> PathBuf {
        self.versions().join(number.to_string())
    }

    /// The numbers of the versions that exist, ascending.
    pub fn numbers(&self) -> std::io::Result<Vec<u64>> {
        let mut numbers: Vec<u64> = Vec::new();
        for entry in fs::read_dir(self.versions())? {
            numbers.extend(entry?.file_name().to_str().and_then(|n| n.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The live version; `None` when none was promoted yet. Errors: E0716 when the file says something else.
    pub fn current(&self) -> Result<Option<u64>, RunError> {
        let path = self.path.join(CURRENT);
        match fs::read_to_string(&path) {
            Ok(text) => text.trim().parse().map(Some).map_err(|_| {
                RunError::new(
                    "E0716",
                    format!("{} should hold a version number, not {:?}", path.display(), text.trim()),
                )
                .help("write the number of the version that is to be live into it")
            }),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(RunError::new("E0716", format!("cannot read {}: {e}", path.display()))),
        }
    }

    /// The last version, if it is of that key. A version that cannot be read is another one.
    pub fn last_of(&self, key: &Key) -> Result<Option<(u64, PackageStatus)>, RunError> {
        let numbers = self.numbers().map_err(|e| unwritable(&self.versions(), e))?;
        let Some(number) = numbers.last().copied() else { return Ok(None) };
        let found = read_manifest(&self.version(number)).ok().filter(|manifest| manifest.key.as_ref() == Some(key));
        Ok(found.map(|manifest| (number, manifest.status)))
    }

    /// Writers of the model take turns while they hold this, where the file system has locks.
    pub fn lock(&self) -> Result<File, RunError> {
        let path = self.path.join(".lock");
        let lock = File::create(&path).map_err(|e| unwritable(&path, e))?;
        let _ = lock.lock();
        Ok(lock)
    }

    /// Replaces a file of the model in one step; it is on the disk when this returns.
    pub(crate) fn replace(&self, name: &str, text: &str) -> Result<(), RunError> {
        let path = self.path.join(name);
        let write = || -> std::io::Result<()> {
            let prefix = dbjob_plan::temp_prefix();
            let mut builder = tempfile::Builder::new();
            builder.prefix(&prefix);
            // As any file of the user, not for the owner alone as temporary files are.
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
            let mut file = builder.tempfile_in(&self.path)?;
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            sync_folder(&self.path);
            Ok(())
        };
        write().map_err(|e| unwritable(&path, e))
    }

    /// Makes a version the live one, in one step, after writing down that it does. Only who holds the lock may.
    pub(crate) fn set_live(&self, number: u64, how: How) -> Result<(), RunError> {
        history::note(self, number, how)?;
        self.replace(CURRENT, &format!("{number}\n"))
    }
}

/// A name of the language as the name of a file: letters, digits, `_`, `-` stay, and a dot inside; other bytes become
/// `%XX`. Different names give different files.
pub fn file_name(name: &str) -> String {
    let mut text = String::new();
    for (i, c) in name.char_indices() {
        if c.is_alphanumeric() || matches!(c, '_' | '-') || (c == '.' && i > 0) {
            text.push(c);
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                text.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    text
}

/// The name whose file this is.
pub fn model_name(file: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), file.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let coded = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
        match after.get(..2).filter(|_| *first == b'%').and_then(coded) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_the_registry() {
        for (name, file) in [
            ("comes_back", "comes_back"),
            ("价格 v1.2", "价格%20v1.2"),
            ("../../etc", "%2E.%2F..%2Fetc"),
            (".", "%2E"),
            ("a/b\\c:%", "a%2Fb%5Cc%3A%25"),
        ] {
            assert_eq!((file_name(name).as_str(), model_name(file).as_str()), (file, name));
        }
    }

    #[test]
    fn current_is_read_written_and_checked() {
        let registry = tempfile::tempdir().unwrap();
        let folder = ModelFolder::of(registry.path(), "m");
        fs::create_dir_all(folder.versions()).unwrap();
        assert_eq!(folder.current().unwrap(), None);
        folder.set_live(3, How::Run).unwrap();
        folder.set_live(12, How::Run).unwrap();
        assert_eq!(folder.current().unwrap(), Some(12));
        assert_eq!(fs::read_dir(&folder.path).unwrap().count(), 3, "no temporary file stays");
        fs::write(folder.path.join("current"), "latest").unwrap();
        assert_eq!(folder.current().unwrap_err().code, "E0716");
    }
}
